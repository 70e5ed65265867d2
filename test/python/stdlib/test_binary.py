"""The losses of two classes and of several labels against formulas written from their papers."""

import torch
import torch.nn.functional as F
from harness import F64, Case, cases_of, check, check_derivatives, smooth_cases, softplus

ELEMENTS = ((1,), (7,), (130,), (3, 4))
TABLES = ((1, 1), (7, 3), (1, 2), (4, 10), (3, 37))


def elements(label, name="logits", extreme=True):
    """Scores of any shape with labels of a kind."""

    def inputs(size):
        kinds = {"random": torch.randn(size, dtype=F64) * 3}
        if extreme:
            kinds["extreme"] = (torch.randint(0, 3, size) * 50.0 - 50).to(F64)
            kinds["zero"] = torch.zeros(size, dtype=F64)
        for kind, x in kinds.items():
            for what, y in label(size):
                yield f"{kind} {what}", {name: x, "y": y}

    return inputs


def zero_one(size):
    yield "labels", torch.randint(0, 2, size).to(F64)


def soft(size):
    yield from zero_one(size)
    yield "soft", torch.rand(size, dtype=F64)


def signs(size):
    yield "signs", (torch.randint(0, 2, size) * 2 - 1).to(F64)


def probabilities(label, edges=True):
    def inputs(size):
        for what, y in label(size):
            yield f"random {what}", {"probability": torch.rand(size, dtype=F64) * 0.98 + 0.01, "y": y}
            if edges:
                yield f"edge {what}", {"probability": torch.randint(0, 2, size).to(F64), "y": y}

    return inputs


def tables(name="logits", extreme=True):
    """Scores of samples and classes with labels; samples without positives and without negatives."""

    def inputs(size):
        for kind, given in elements(zero_one, name, extreme)(size):
            yield kind, given
        y = torch.randint(0, 2, size).to(F64)
        y[0] = 0
        y[-1] = 1
        yield "none or all", {name: torch.randn(size, dtype=F64), "y": y}

    return inputs


def bce_with_logits(logits, y, pos_weight=1.0):
    return F.binary_cross_entropy_with_logits(
        logits, y, pos_weight=torch.as_tensor(pos_weight, dtype=F64), reduction="none"
    )


def bce(probability, y):
    return F.binary_cross_entropy(probability, y, reduction="none")


def sigmoid_focal(logits, y, alpha=0.25, gamma=2.0):
    p = torch.sigmoid(logits)
    p_t = p * y + (1 - p) * (1 - y)
    alpha_t = alpha * y + (1 - alpha) * (1 - y)
    return alpha_t * (1 - p_t) ** gamma * bce_with_logits(logits, y)


def asymmetric(logits, y, gamma_pos=1.0, gamma_neg=4.0, clip=0.05):
    p = torch.sigmoid(logits)
    positive = (1 - p) ** gamma_pos * F.logsigmoid(logits)
    shifted = (p - clip).clamp(min=0)
    # log(1 - shifted): 1 - p without cancellation.
    rest = torch.where(p > clip, torch.sigmoid(-logits) + clip, torch.ones_like(p))
    negative = shifted**gamma_neg * rest.log()
    return -torch.where(y == 1, positive, negative).sum(1)


def two_way(logits, y, positive_temperature=4.0, negative_temperature=1.0):
    def along(x, t):
        terms = []
        for scores, labels in zip(x, t):
            if not (labels == 1).any():
                continue
            positive = torch.logsumexp(-scores[labels == 1] / positive_temperature, 0)
            negative = torch.logsumexp(scores[labels == 0] / negative_temperature, 0)
            both = positive_temperature * positive + negative_temperature * negative
            terms.append(softplus(both))
        return torch.stack(terms).mean()

    return along(logits, y) + along(logits.T, y.T)


def with_positives(size):
    for kind, given in tables()(size):
        given["y"][0, 0] = 1
        yield kind, given


def rows(function):
    """Of each sample: function(positive scores, negative scores)."""
    return lambda x, y: torch.stack([function(s[t == 1], s[t == 0]) for s, t in zip(x, y)])


@rows
def zlpr(positive, negative):
    return torch.log1p(torch.exp(-positive).sum()) + torch.log1p(torch.exp(negative).sum())


@rows
def lsep(positive, negative):
    return torch.log1p(torch.exp(negative[:, None] - positive[None, :]).sum())


def soft_f_measure(logits, y, beta=1.0, epsilon=1e-7):
    p = torch.sigmoid(logits)
    tp, fp, fn = (p * y).sum(0), (p * (1 - y)).sum(0), ((1 - p) * y).sum(0)
    f = ((1 + beta**2) * tp + epsilon) / ((1 + beta**2) * tp + beta**2 * fn + fp + epsilon)
    return 1 - f


def sigmoid_f1(logits, y, slope=1.0, offset=0.0):
    s = 1 / (1 + torch.exp(-slope * (logits + offset)))
    tp, fp, fn = (s * y).sum(0), (s * (1 - y)).sum(0), ((1 - s) * y).sum(0)
    return 1 - 2 * tp / (2 * tp + fn + fp + 1e-16)


def listed_labels(size):
    """Class indices in random order, ended by -1, which need not be there."""
    samples, classes = size
    for kind in ("random", "ties"):
        y = torch.full(size, -1)
        for row in y:
            count = torch.randint(0, classes + 1, ()).item()
            row[:count] = torch.randperm(classes)[:count]
            if count + 1 < classes:
                # What follows the end is ignored.
                row[count + 1 :] = torch.randint(0, classes, (classes - count - 1,))
        x = torch.randn(size, dtype=F64)
        yield kind, {"scores": x.round() * 0.75 if kind == "ties" else x, "y": y}


def xtreme_margin(probability, y, lambda_0=1.0, lambda_1=1.0):
    out = []
    for p, t in zip(probability.flatten(), y.flatten().tolist()):
        predicted = 1 if p >= 0.5 else 0
        if predicted == t:
            out.append(1 / (1 + (lambda_1 if t == 1 else lambda_0) * (2 * p - 1) ** 2))
        else:
            out.append(1 / (1 + (torch.exp(-(p - t).abs()) - 1)))
    return torch.stack(out).reshape(probability.shape)


def weighted(size):
    for kind, given in tables()(size):
        yield kind, {**given, "pos_weight": torch.rand(size[1], dtype=F64) * 5}


# The scores of these are off the corners of their hinges.
SCORES = elements(signs, "scores")

CASES = [
    # Near 0 and 1 the slope is 1 / p.
    Case("bce", probabilities(soft), bce, sizes=ELEMENTS, condition=100),
    Case("bce_with_logits", elements(soft), bce_with_logits, ({}, {"pos_weight": 3.0}), ELEMENTS),
    Case("bce_with_logits_pos_weight", weighted, bce_with_logits, sizes=TABLES,
         fixed=("y", "pos_weight")),
    Case("sigmoid_focal", elements(zero_one), sigmoid_focal,
         ({}, {"alpha": 0.6, "gamma": 0.0}, {"gamma": 3.5}), ELEMENTS),
    Case("asymmetric", tables(), asymmetric,
         ({}, {"gamma_pos": 0.0, "gamma_neg": 2.0, "clip": 0.0}, {"clip": 0.2}), TABLES),
    Case("two_way", with_positives, two_way,
         ({}, {"positive_temperature": 1.0, "negative_temperature": 2.0}), TABLES),
    Case("zlpr", tables(extreme=False), lambda logits, y: zlpr(logits, y),
         sizes=TABLES),
    Case("lsep", tables("scores", extreme=False), lambda scores, y: lsep(scores, y), sizes=TABLES),
    Case("soft_f_measure", tables(), soft_f_measure, ({}, {"beta": 2.0}), ((2, 1), (7, 3), (30,
         10)), condition=4),
    Case("sigmoid_f1", tables(), sigmoid_f1, ({}, {"slope": 0.7, "offset": 0.5}),
         ((2, 1), (7, 3), (30, 10)), condition=4),
    Case("multilabel_soft_margin", tables(),
         lambda logits, y: F.multilabel_soft_margin_loss(logits, y, reduction="none"), sizes=TABLES),
    Case("multilabel_margin", listed_labels,
         lambda scores, y: F.multilabel_margin_loss(scores, y, reduction="none"), sizes=TABLES),
    Case("soft_margin", SCORES, lambda scores, y: F.soft_margin_loss(scores, y, reduction="none"),
         sizes=ELEMENTS),
    Case("hinge", SCORES, lambda scores, y, margin=1.0: (margin - y * scores).clamp(min=0),
         ({}, {"margin": 0.3}), ELEMENTS),
    Case("modified_huber", SCORES,
         lambda scores, y: torch.where(
             y * scores < -1, -4 * y * scores, (1 - y * scores).clamp(min=0) ** 2), sizes=ELEMENTS),
    Case("exponential", elements(signs, "scores", extreme=False),
         lambda scores, y: 1 / torch.exp(y * scores), sizes=ELEMENTS),
    Case("savage", SCORES, lambda scores, y: 1 / (1 + torch.exp(2 * y * scores)) ** 2,
         sizes=ELEMENTS),
    Case("tangent", SCORES, lambda scores, y: (2 * torch.arctan(y * scores) - 1) ** 2,
         sizes=ELEMENTS),
    Case("xtreme_margin", probabilities(zero_one, edges=False), xtreme_margin,
         ({}, {"lambda_0": 0.0, "lambda_1": 4.0}), ELEMENTS),
]


@cases_of(CASES)
def test_agrees_with_the_formula(case, setting):
    check(case, setting)


@smooth_cases(CASES)
def test_derivatives(case):
    check_derivatives(case)
