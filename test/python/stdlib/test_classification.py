"""The losses of classification against formulas written from their papers."""

import math

import torch
import torch.nn.functional as F
from harness import (
    F64,
    STOPPED,
    Case,
    cases_of,
    check,
    check_derivatives,
    classification,
    one_hot,
    renamed,
    smooth_cases,
    softplus,
)


def picked(values, y):
    """Mean of the values under the target: the one of the true class for an index."""
    if y.is_floating_point():
        return (values * y).sum(1)
    return values.gather(1, y[:, None])[:, 0]


def probabilities(x):
    return torch.softmax(x, 1)


def logs(x):
    return torch.log_softmax(x, 1)


def missed(x):
    """1 - p, without cancellation."""
    return -torch.expm1(logs(x))


def cross_entropy(x, y):
    return F.cross_entropy(x, y, reduction="none")


def focal(logits, y, gamma=2.0):
    return picked(-(missed(logits) ** gamma) * logs(logits), y)


def generalized_cross_entropy(logits, y, q=0.7):
    return picked((1 - probabilities(logits) ** q) / q, y)


def symmetric_cross_entropy(logits, y, alpha=0.1, beta=1.0, log_zero=-4.0):
    return alpha * cross_entropy(logits, y) + beta * reverse_cross_entropy(logits, y, log_zero)


def reverse_cross_entropy(logits, y, log_zero=-4.0):
    log_y = one_hot(y, logits.shape[1]).log().clamp(min=log_zero)
    return -(probabilities(logits) * log_y).sum(1)


def taylor_cross_entropy(logits, y, order=2):
    series = sum(missed(logits) ** k / k for k in range(1, order + 1))
    return picked(series, y)


def brier(logits, y):
    return ((probabilities(logits) - one_hot(y, logits.shape[1])) ** 2).sum(1)


def ngl(p, y, a=2.4092):
    y = one_hot(y, p.shape[1])
    return (torch.exp(a - p - p * y) - torch.cos(torch.cos(torch.sin(p)))).mean(1)


def squared_hinge(scores, y, margin=1.0):
    sign = 2 * one_hot(y, scores.shape[1]) - 1
    return (torch.clamp(margin - sign * scores, min=0) ** 2).sum(1)


def temperature_scaling(logits, y, temperature=1.0):
    return cross_entropy(logits / temperature, y)


def logit_norm(logits, y, tau=0.04, epsilon=1e-7):
    length = logits.pow(2).sum(1, keepdim=True).sqrt() + epsilon
    return cross_entropy(logits / length / tau, y)


def entropy(x):
    return -(probabilities(x) * logs(x)).sum(1)


def confidence_penalty(logits, y, beta=0.1):
    return cross_entropy(logits, y) - beta * entropy(logits)


def z_loss(logits, y, z_weight=1e-4):
    return cross_entropy(logits, y) + z_weight * torch.logsumexp(logits, 1) ** 2


def soft_bootstrapping(logits, y, beta=0.95):
    return beta * cross_entropy(logits, y) + (1 - beta) * entropy(logits)


def hard_bootstrapping(logits, y, beta=0.8):
    return beta * cross_entropy(logits, y) + (1 - beta) * F.cross_entropy(
        logits, logits.argmax(1), reduction="none"
    )


def mae(logits, y):
    return (one_hot(y, logits.shape[1]) - probabilities(logits)).abs().sum(1)


def spherical(logits, y):
    p = probabilities(logits)
    return 1 - picked(p, y) / torch.linalg.vector_norm(p, dim=1)


def logit_squared(scores, y, k=1.0, true_score=1.0):
    y = one_hot(y, scores.shape[1])
    return (k * y * (scores - true_score) ** 2 + (1 - y) * scores**2).sum(1) / scores.shape[1]


def squentropy(logits, y):
    rest = (logits**2).sum(1) - picked(logits**2, y)
    return cross_entropy(logits, y) + rest / (logits.shape[1] - 1)


def kl(p, q):
    return torch.special.xlogy(p, p).sum(1) - torch.special.xlogy(p, q).sum(1)


def jensen_shannon(logits, y, pi_1=0.5, scaled=True):
    y = one_hot(y, logits.shape[1])
    p = probabilities(logits)
    m = pi_1 * y + (1 - pi_1) * p
    divergence = pi_1 * kl(y, m) + (1 - pi_1) * kl(p, m)
    return divergence / (-(1 - pi_1) * math.log(1 - pi_1)) if scaled else divergence


def affinity(logits, y, alpha):
    """sum y^alpha p^(1 - alpha)."""
    y = one_hot(y, logits.shape[1])
    terms = y**alpha * torch.exp((1 - alpha) * logs(logits))
    return torch.where(y > 0, terms, 0.0).sum(1)


def kl_of_logits(logits, y):
    y = one_hot(y, logits.shape[1])
    return (torch.xlogy(y, y) - y * logits.log_softmax(1)).sum(1)


def alpha_divergence(logits, y, alpha=0.5):
    if alpha == 1:
        return kl_of_logits(logits, y)
    return (affinity(logits, y, alpha) - 1) / (alpha * (alpha - 1))


def tsallis_divergence(logits, y, q=0.5):
    if q == 1:
        return kl_of_logits(logits, y)
    return (affinity(logits, y, q) - 1) / (q - 1)


def renyi_divergence(logits, y, alpha=0.5):
    if alpha == 1:
        return kl_of_logits(logits, y)
    return affinity(logits, y, alpha).log() / (alpha - 1)


def hellinger(logits, y):
    p = probabilities(logits)
    return 0.5 * ((one_hot(y, logits.shape[1]).sqrt() - p.sqrt()) ** 2).sum(1)


def normalized_cross_entropy(logits, y):
    return cross_entropy(logits, y) / -logs(logits).sum(1)


def normalized_focal(logits, y, gamma=0.5):
    values = -(missed(logits) ** gamma) * logs(logits)
    return picked(values, y) / values.sum(1)


def active_passive(active, passive):
    return lambda logits, y, alpha=1.0, beta=1.0, **rest: alpha * active(
        logits, y, **{k: v for k, v in rest.items() if k == "gamma"}
    ) + beta * passive(logits, y, **{k: v for k, v in rest.items() if k == "log_zero"})


def others(x, y):
    """The elements of the wrong classes, and the one of the true class: rows of lists."""
    for row, t in zip(x, y.tolist()):
        yield torch.cat([row[:t], row[t + 1 :]]), row[t]


def crammer_singer(scores, y, margin=1.0):
    terms = [
        torch.clamp(margin + wrong.max() - true, min=0) for wrong, true in others(scores, y)
    ]
    return torch.stack(terms)


def weston_watkins(scores, y, margin=1.0):
    return torch.stack(
        [torch.clamp(margin + wrong - true, min=0).sum() for wrong, true in others(scores, y)]
    )


def lee_lin_wahba(scores, y):
    shift = 1 / (scores.shape[1] - 1)
    return torch.stack(
        [torch.clamp(wrong + shift, min=0).sum() for wrong, _ in others(scores, y)]
    )


def multi_margin(scores, y, margin=1.0, p=1):
    return F.multi_margin_loss(scores, y, p=int(p), margin=margin, reduction="none")


def one_versus_rest(logits, y):
    y = one_hot(y, logits.shape[1])
    return F.binary_cross_entropy_with_logits(logits, y, reduction="none").sum(1)


def samme(scores, y):
    classes = scores.shape[1]
    code = torch.full_like(scores, -1 / (classes - 1)).scatter(1, y[:, None], 1.0)
    return torch.exp(-(code * scores).sum(1) / classes)


def sparsemax(scores, y):
    """The projection onto the simplex by bisection of its threshold."""
    low = scores.detach().amax(1) - 1
    high = scores.detach().amax(1)
    for _ in range(200):
        middle = (low + high) / 2
        mass = torch.clamp(scores.detach() - middle[:, None], min=0).sum(1)
        low, high = torch.where(mass >= 1, middle, low), torch.where(mass >= 1, high, middle)
    p = torch.clamp(scores.detach() - ((low + high) / 2)[:, None], min=0)
    y = one_hot(y, scores.shape[1])
    # The Fenchel-Young loss of |p|^2 / 2: its gradient is p - y (p is optimal, so constant).
    return ((p - y) * scores).sum(1) - 0.5 * (p**2).sum(1) + 0.5 * (y**2).sum(1)


def with_margin(cosine, y, change, scale):
    true = picked(cosine, y)
    z = cosine.scatter(1, y[:, None], change(true)[:, None])
    return cross_entropy(scale * z, y)


def cosface(cosine, y, scale=64.0, margin=0.35):
    return with_margin(cosine, y, lambda c: c - margin, scale)


def arcface(cosine, y, scale=64.0, margin=0.5, epsilon=1e-7):
    def change(c):
        sine = torch.sqrt(1 - c**2)
        return c * math.cos(margin) - sine * math.sin(margin)

    return with_margin(cosine, y, change, scale)


def combined_margin(cosine, y, scale=64.0, m1=1.0, m2=0.3, m3=0.2, epsilon=1e-7):
    return with_margin(
        cosine, y, lambda c: torch.cos(m1 * torch.arccos(c) + m2) - m3, scale
    )


def sphereface(cosine, y, scale=64.0, margin=4, epsilon=1e-7):
    def change(c):
        # cos(m theta) as a polynomial of the cosine, continued to be monotone.
        polynomial = {
            1: c,
            2: 2 * c**2 - 1,
            3: 4 * c**3 - 3 * c,
            4: 8 * c**4 - 8 * c**2 + 1,
        }[margin]
        k = sum((c <= math.cos(j * math.pi / margin)).to(F64) for j in range(1, margin))
        return (-1) ** k * polynomial - 2 * k

    return with_margin(cosine, y, change, scale)


def ldam(logits, y, counts, max_margin=0.5, scale=30.0):
    margins = 1 / counts.sqrt().sqrt()
    margins = margins * (max_margin / margins.max())
    true = picked(logits, y) - margins[y]
    return cross_entropy(scale * logits.scatter(1, y[:, None], true[:, None]), y)


def logit_adjustment(logits, y, prior, tau=1.0):
    return cross_entropy(logits + tau * prior.log(), y)


def balanced_softmax(logits, y, counts):
    weighted = counts * probabilities(logits)
    return picked(-(weighted / weighted.sum(1, keepdim=True)).log(), y)


def vector_scaling(logits, y, counts, gamma=0.15, tau=1.25):
    adjusted = logits * (counts / counts.max()) ** gamma + tau * (counts / counts.sum()).log()
    return cross_entropy(adjusted, y)


def class_balanced(logits, y, counts, beta=0.9999, normalized=True):
    weights = (1 - beta) / (1 - beta**counts) if beta < 1 else 1 / counts
    if normalized:
        weights = weights / weights.sum() * len(counts)
    return F.cross_entropy(logits, y, weight=weights, reduction="none")


def equalization(logits, y, frequency, foreground, threshold=0.00177):
    y = one_hot(y, logits.shape[1])
    weights = torch.ones_like(logits)
    rare = (frequency < threshold)[None, :] & (foreground == 1)[:, None]
    weights[rare & (y == 0)] = 0
    return F.binary_cross_entropy_with_logits(logits, y, weight=weights, reduction="none").sum(1)


def softmax_equalization(logits, y, frequency, beta, threshold=0.003):
    rows = []
    for x, t, b in zip(logits, y.tolist(), beta):
        kept = [k for k in range(len(x)) if k == t or not (b[k] == 1 and frequency[k] < threshold)]
        rows.append(torch.logsumexp(x[kept], 0) - x[t])
    return torch.stack(rows)


def seesaw(logits, y, counts, p=0.8, q=2.0):
    probability = probabilities(logits.detach())
    rows = []
    for x, s, t in zip(logits, probability, y.tolist()):
        mitigation = torch.clamp(counts / counts[t], max=1) ** p
        compensation = torch.clamp(s / s[t], min=1) ** q
        factor = mitigation * compensation
        factor[t] = 1
        rows.append(torch.logsumexp(x + factor.log(), 0) - x[t])
    return torch.stack(rows)


def label_relaxation(logits, y, alpha=0.1):
    p = probabilities(logits)
    rows = []
    for row, t in zip(p, y.tolist()):
        if row[t] > 1 - alpha:
            rows.append(0 * row.sum())
            continue
        target = alpha * row / (1 - row[t])
        target = torch.where(torch.arange(len(row)) == t, 1 - alpha, target).detach()
        rows.append(torch.xlogy(target, target / row).sum())
    return torch.stack(rows)


def baikal(logits, y):
    p = probabilities(logits)
    return -(p.log() - one_hot(y, logits.shape[1]) / p).mean(1)


def taylorglo(logits, y, t0=0.5, t1=0.5, t2=1.0, t3=-2.0, t4=8.0, t5=2.0, t6=-4.0, t7=0.0):
    u = probabilities(logits) - t1
    v = one_hot(y, logits.shape[1]) - t0
    terms = [
        t2 * u,
        t3 * u**2 / math.factorial(2),
        t4 * u**3 / math.factorial(3),
        t5 * v * u,
        t6 * v * u**2 / 2,
        t7 * v**2 * u / 2,
    ]
    return -sum(terms).mean(1)


def rooted_logistic(logits, y, k=3.0, m=3.0):
    return picked(m * (1 - probabilities(logits) ** (1 / k)), y)


def inverse_bessel_logarithm(logits, y):
    p = probabilities(logits)
    return picked(torch.log(1 / (torch.special.i1(p) + 1e-7) + 1e-7), y)


class Digamma(torch.autograd.Function):
    """Digamma with the exact derivative: PyTorch's own is off by 1e-9."""

    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        return torch.digamma(x)

    @staticmethod
    def backward(context, upstream):
        (x,) = context.saved_tensors
        return upstream * torch.special.zeta(torch.full_like(x, 2), x)


def dirichlet_kl(b):
    """Divergence of the Dirichlet distribution from the uniform one."""
    total, classes = b.sum(1), torch.tensor(float(b.shape[1]), dtype=F64)
    logs = torch.lgamma(total) - torch.lgamma(b).sum(1) - torch.lgamma(classes)
    psi = Digamma.apply
    return logs + ((b - 1) * (psi(b) - psi(total)[:, None])).sum(1)


def evidential_classification(logits, y, kl_weight=1.0, smooth=False):
    y = one_hot(y, logits.shape[1])
    a = (softplus(logits) if smooth else torch.relu(logits)) + 1
    expected = torch.distributions.Dirichlet(a, validate_args=False)
    error = ((y - expected.mean) ** 2 + expected.variance).sum(1)
    return error + kl_weight * dirichlet_kl(y + (1 - y) * a)


def earth_mover(logits, y):
    p, y = probabilities(logits), one_hot(y, logits.shape[1])
    steps = [(p[:, : k + 1].sum(1) - y[:, : k + 1].sum(1)) ** 2 for k in range(p.shape[1])]
    return sum(steps)


# Inputs.

ONE = ((1, 1), (1, 2), (7, 3), (4, 10), (3, 37))
indices = lambda size: classification(size, dense=False)
scores = renamed(classification, logits="scores")
# Away from the corners of a hinge at distance 1.
score_indices = renamed(indices, logits="scores")


def moderate(size):
    """Without the logits whose probabilities are 0 in f32."""
    return classification(size, extreme=False)


def moderate_indices(size):
    return classification(size, extreme=False, dense=False)


def cosines(size):
    rows, classes = size
    for kind in ("random", "close"):
        cosine = torch.rand(rows, classes, dtype=F64) * 1.9 - 0.95
        if kind == "close":
            cosine = cosine * 0.02 + 0.9
        yield kind, {"cosine": cosine, "y": torch.randint(classes, (rows,))}


def with_counts(name, make, dense=False):
    def inputs(size):
        for kind, given in classification(size, dense=dense):
            yield kind, {**given, name: make(size[1])}

    return inputs


def counts(classes):
    return torch.randint(1, 5000, (classes,)).to(F64)


def prior(classes):
    return torch.softmax(torch.randn(classes, dtype=F64), 0)


def rare(extra):
    def inputs(size):
        rows, classes = size
        for kind, given in classification(size, dense=False):
            yield kind, {**given, "frequency": torch.rand(classes, dtype=F64) * 0.006, **extra(size)}

    return inputs


def foreground(size):
    return {"foreground": torch.randint(0, 2, (size[0],)).to(F64)}


def beta_mask(size):
    return {"beta": torch.randint(0, 2, size).to(F64)}


COUNTED = {"fixed": ("y", "counts"), "inputs": with_counts("counts", counts)}

CASES = [
    Case("cross_entropy", classification, lambda logits, y: cross_entropy(logits, y), sizes=ONE),
    Case("nll", renamed(classification, logits="log_probabilities"),
         lambda log_probabilities, y: -(log_probabilities * one_hot(y, log_probabilities.shape[1]))
         .sum(1) if y.is_floating_point() else F.nll_loss(log_probabilities, y, reduction="none"),
         sizes=ONE),
    Case("focal", classification, focal, ({}, {"gamma": 0.0}, {"gamma": 0.5}, {"gamma": 3.5}), ONE),
    Case("poly1", classification,
         lambda logits, y, epsilon=1.0: cross_entropy(logits, y) + epsilon * picked(missed(logits), y),
         ({}, {"epsilon": -1.0}), ONE),
    Case("generalized_cross_entropy", classification, generalized_cross_entropy,
         ({}, {"q": 0.1}, {"q": 1.0}), ONE, condition=10),
    Case("symmetric_cross_entropy", classification, symmetric_cross_entropy,
         ({}, {"alpha": 6.0, "beta": 0.1, "log_zero": -2.0}), ONE),
    Case("reverse_cross_entropy", classification, reverse_cross_entropy, ({}, {"log_zero": -2.0}),
         ONE),
    Case("taylor_cross_entropy", classification, taylor_cross_entropy,
         ({}, {"order": 1}, {"order": 3}, {"order": 6}), ONE),
    Case("brier", classification, brier, sizes=ONE),
    Case("ngl", classification, lambda logits, y, a=2.4092: ngl(probabilities(logits), y, a),
         ({}, {"a": 0.0}), ONE),
    Case("ngl_sigmoid", renamed(classification, logits="x"),
         lambda x, y, a=2.4092: ngl(torch.sigmoid(x), y, a), ({}, {"a": 1.0}), ONE),
    Case("squared_hinge", scores, squared_hinge, ({}, {"margin": 0.3}), ONE),
    Case("temperature_scaling", classification, temperature_scaling, ({}, {"temperature": 2.5}),
         ONE),
    Case("logit_norm", moderate, logit_norm, ({}, {"tau": 1.0}), ONE, condition=50),
    Case("confidence_penalty", classification, confidence_penalty, ({}, {"beta": 1.0}), ONE),
    Case("z_loss", classification, z_loss, ({}, {"z_weight": 0.5}), ONE),
    Case("soft_bootstrapping", classification, soft_bootstrapping, ({}, {"beta": 0.5}), ONE),
    Case("hard_bootstrapping", classification, hard_bootstrapping, ({}, {"beta": 0.5}), ONE),
    Case("mae", classification, mae, sizes=ONE),
    Case("spherical", classification, spherical, sizes=ONE),
    Case("logit_squared", scores, logit_squared, ({}, {"k": 15.0, "true_score": 30.0}), ONE),
    Case("squentropy", classification, squentropy),
    Case("jensen_shannon", classification, jensen_shannon,
         ({}, {"pi_1": 0.1}, {"pi_1": 0.9, "scaled": False}), ONE, condition=10),
    Case("alpha_divergence", classification, alpha_divergence, ({}, {"alpha": 0.9}, {"alpha": 1.0}), ONE,
         condition=10),
    # An order above 1 has a negative power of the probabilities.
    Case("tsallis_divergence", moderate, tsallis_divergence, ({}, {"q": 0.9}, {"q": 1.5}, {"q": 1.0}), ONE,
         condition=10),
    Case("renyi_divergence", classification, renyi_divergence,
         ({}, {"alpha": 0.9}, {"alpha": 2.0}, {"alpha": 1.0}), ONE, condition=10),
    Case("hellinger", classification, hellinger, sizes=ONE),
    Case("normalized_cross_entropy", classification, normalized_cross_entropy),
    Case("normalized_focal", classification, normalized_focal, ({}, {"gamma": 2.0})),
    Case("nce_rce", classification, active_passive(normalized_cross_entropy, reverse_cross_entropy),
         ({}, {"alpha": 10.0, "beta": 0.1})),
    Case("nce_mae", classification, active_passive(normalized_cross_entropy, mae),
         ({}, {"alpha": 10.0, "beta": 0.1})),
    Case("nfl_rce", classification, active_passive(normalized_focal, reverse_cross_entropy),
         ({}, {"alpha": 10.0, "beta": 0.1, "gamma": 1.0})),
    Case("nfl_mae", classification, active_passive(normalized_focal, mae),
         ({}, {"alpha": 10.0, "beta": 0.1, "gamma": 1.0})),
    Case("crammer_singer", renamed(moderate_indices, logits="scores"), crammer_singer,
         ({}, {"margin": 0.3})),
    Case("weston_watkins", score_indices, weston_watkins, ({}, {"margin": 0.3})),
    Case("lee_lin_wahba", score_indices, lee_lin_wahba),
    Case("multi_margin", score_indices, multi_margin,
         ({}, {"margin": 0.3}, {"p": 2}, {"p": 2, "margin": 2.0}), ONE),
    Case("one_versus_rest", classification, one_versus_rest, sizes=ONE),
    Case("samme", renamed(moderate_indices, logits="scores"), samme),
    Case("sparsemax", renamed(moderate, logits="scores"), sparsemax, sizes=ONE),
    Case("cosface", cosines, cosface, ({}, {"scale": 30.0, "margin": 0.1}), ONE,
         condition=64),
    # 1 / sin(theta) is below 4 for these cosines.
    Case("arcface", cosines, arcface, ({}, {"scale": 30.0, "margin": 0.1}), ONE,
         condition=256),
    Case("combined_margin", cosines, combined_margin, ({}, {"m1": 1.1, "m2": 0.1, "m3": 0.0}), ONE,
         condition=256),
    Case("sphereface", cosines, sphereface, ({}, {"margin": 2, "scale": 8.0}, {"margin": 3}), ONE,
         condition=1024),
    Case("ldam", reference=ldam, settings=({}, {"max_margin": 0.2, "scale": 5.0}), sizes=ONE,
         condition=30, **COUNTED),
    Case("logit_adjustment", with_counts("prior", prior, dense=True), logit_adjustment,
         ({}, {"tau": 0.5}), ONE, ("y", "prior")),
    Case("balanced_softmax", with_counts("counts", counts, dense=True), balanced_softmax, sizes=ONE,
         fixed=("y", "counts")),
    Case("vector_scaling", with_counts("counts", counts, dense=True), vector_scaling,
         ({}, {"gamma": 0.3, "tau": 0.0}), ONE, ("y", "counts")),
    # 1 - beta^n of the reference cancels.
    Case("class_balanced", reference=class_balanced,
         settings=({}, {"beta": 0.9}, {"beta": 0.0}, {"beta": 1.0}, {"normalized": False}), sizes=ONE, condition=1e3,
         **COUNTED),
    Case("equalization", rare(foreground), equalization, ({}, {"threshold": 0.003}), ONE,
         ("y", "frequency", "foreground")),
    Case("softmax_equalization", rare(beta_mask), softmax_equalization, ({}, {"threshold": 0.001}),
         ONE,
         ("y", "frequency", "beta")),
    Case("seesaw", reference=seesaw, settings=({}, {"p": 0.3, "q": 0.5}), sizes=ONE, condition=10,
         rough=STOPPED, **COUNTED),
    Case("label_relaxation", moderate_indices, label_relaxation,
         ({}, {"alpha": 0.3}, {"alpha": 0.0}, {"alpha": 1.0}), condition=10),
    # exp(-log p) carries the error of the logits.
    Case("baikal", moderate, baikal, sizes=ONE, condition=10),
    Case("taylorglo", classification, taylorglo,
         ({}, {"t0": 0.1, "t1": 0.3, "t2": 0.2, "t3": 1.1, "t4": -0.4, "t5": 2.5, "t6": 0.7, "t7": -1.5}),
         ONE),
    Case("rooted_logistic", classification, rooted_logistic, ({}, {"k": 2.0, "m": 5.0}), ONE),
    # The slope of the logarithm is at most 1e7 where the probability is 0.
    Case("inverse_bessel_logarithm", classification, inverse_bessel_logarithm, sizes=ONE,
         condition=4),
    Case("evidential_classification", moderate_indices, evidential_classification,
         ({}, {"kl_weight": 0.2}, {"smooth": True}), condition=100,
         smooth_setting={"smooth": True}),
    Case("earth_mover", classification, earth_mover, sizes=ONE),
]


@cases_of(CASES)
def test_agrees_with_the_formula(case, setting):
    check(case, setting)


@smooth_cases(CASES)
def test_derivatives(case):
    check_derivatives(case)
