"""The losses of embeddings against formulas written from their papers, mostly pair by pair."""

import math

import torch
import torch.nn.functional as F
from harness import F64, STOPPED, Case, cases_of, check, check_derivatives, smooth_cases, softplus

#: Samples and dimensions.
SIZES = ((2, 1), (7, 3), (5, 16))


def embeddings(*names, scale=1.0, **more):
    def inputs(size):
        for kind, factor in (("random", scale), ("close", 0.1 * scale)):
            given = {n: torch.randn(size, dtype=F64) * factor for n in names}
            yield kind, {**given, **{n: make(size) for n, make in more.items()}}

    return inputs


def paired_labels(size):
    """Every class occurs twice or more but for the last sample's."""
    label = torch.arange(size[0]) // 2 % max(size[0] // 3, 1)
    label[-1] = 99
    return label.to(F64)


def all_paired(size):
    return (torch.arange(size[0]) % max(size[0] // 2, 1)).to(F64)


def signs(size):
    return (torch.randint(0, 2, size[:1]) * 2 - 1).to(F64)


def zero_one(size):
    return torch.randint(0, 2, size[:1]).to(F64)


def unit(x):
    return F.normalize(x, dim=-1)


def contrastive(a, b, same, margin=1.0):
    d = torch.linalg.vector_norm(a - b, dim=1)
    return torch.where(same == 1, d**2, (margin - d).clamp(min=0) ** 2) / 2


def cosine_embedding(a, b, y, margin=0.0):
    return F.cosine_embedding_loss(a, b, y, margin=margin, reduction="none")


def hinge_embedding(x, y, margin=1.0):
    return F.hinge_embedding_loss(x, y, margin=margin, reduction="none")


def distances(size):
    yield "random", {"x": torch.rand(size, dtype=F64) * 3, "y": torch.randn(size, dtype=F64).sign()}
    # PyTorch gives labels of other values both terms.
    yield "other labels", {"x": torch.randn(size, dtype=F64), "y": torch.randn(size, dtype=F64)}


def triplet_margin(anchor, positive, negative, margin=1.0, p=2, eps=1e-6, swap=False):
    return F.triplet_margin_loss(
        anchor, positive, negative, margin=margin, p=p, eps=eps, swap=bool(swap), reduction="none"
    )


def positives_and_negatives(label, i):
    others = [j for j in range(len(label)) if j != i]
    return [j for j in others if label[j] == label[i]], [j for j in others if label[j] != label[i]]


def batch_hard_triplet(embedding, label, margin=0.2, soft=False):
    d = (((embedding[:, None] - embedding[None]) ** 2).sum(2) + 1e-12).sqrt()
    rows = []
    for i in range(len(label)):
        positives, negatives = positives_and_negatives(label, i)
        gap = max(d[i][j] for j in positives) - min(d[i][j] for j in negatives)
        rows.append(softplus(gap) if soft else (margin + gap).clamp(min=0))
    return torch.stack(rows)


def npair(anchor, positive, l2=0.0):
    rows = []
    for i in range(len(anchor)):
        wrong = [
            torch.exp(anchor[i] @ positive[j] - anchor[i] @ positive[i])
            for j in range(len(anchor))
            if j != i
        ]
        rows.append(torch.log1p(sum(wrong)))
    return torch.stack(rows) + l2 * ((anchor**2).sum(1) + (positive**2).sum(1))


def info_nce(query, key, temperature=0.07):
    logits = unit(query) @ unit(key).T / temperature
    return F.cross_entropy(logits, torch.arange(len(query)), reduction="none")


def moco(query, key, queue, temperature=0.07):
    q = unit(query)
    logits = torch.cat([(q * unit(key)).sum(1, keepdim=True), q @ unit(queue).T], 1) / temperature
    return F.cross_entropy(logits, torch.zeros(len(q), dtype=torch.long), reduction="none")


def queue(size):
    return torch.randn(size[0] + 3, size[1], dtype=F64)


def clip(image, text, temperature=0.07):
    logits = unit(image) @ unit(text).T / temperature
    label = torch.arange(len(image))
    of_image = F.cross_entropy(logits, label, reduction="none")
    return (of_image + F.cross_entropy(logits.T, label, reduction="none")) / 2


def siglip(image, text, scale=10.0, bias=-10.0):
    logits = scale * unit(image) @ unit(text).T + bias
    z = 2 * torch.eye(len(image), dtype=F64) - 1
    return -F.logsigmoid(z * logits).sum(1)


def nt_xent(a, b, temperature=0.5):
    n = len(a)
    z = unit(torch.cat([a, b]))
    s = z @ z.T / temperature
    s = s.masked_fill(torch.eye(2 * n, dtype=torch.bool), -math.inf)
    partner = torch.cat([torch.arange(n, 2 * n), torch.arange(n)])
    both = F.cross_entropy(s, partner, reduction="none")
    return (both[:n] + both[n:]) / 2


def supervised_contrastive(embedding, label, temperature=0.07):
    s = unit(embedding) @ unit(embedding).T / temperature
    rows = []
    for i in range(len(label)):
        positives, negatives = positives_and_negatives(label, i)
        total = torch.logsumexp(s[i][positives + negatives], 0)
        terms = [total - s[i][j] for j in positives]
        rows.append(sum(terms) / len(terms) if terms else 0 * total)
    return torch.stack(rows)


def soft_pairs(function):
    """Calls function(similarities of positives, of negatives) for each anchor."""

    def reference(embedding, label, **settings):
        s = unit(embedding) @ unit(embedding).T
        rows = []
        for i in range(len(label)):
            positives, negatives = positives_and_negatives(label, i)
            rows.append(function(s[i][positives], s[i][negatives], **settings))
        return torch.stack(rows)

    return reference


@soft_pairs
def circle(sp, sn, margin=0.25, gamma=80.0):
    ap = (1 + margin - sp).clamp(min=0).detach()
    an = (sn + margin).clamp(min=0).detach()
    if not len(sp) or not len(sn):
        return 0 * sp.sum() + 0 * sn.sum()
    of_p = torch.logsumexp(-gamma * ap * (sp - (1 - margin)), 0)
    return softplus(of_p + torch.logsumexp(gamma * an * (sn - margin), 0))


@soft_pairs
def multi_similarity(sp, sn, alpha=2.0, beta=50.0, base=0.5):
    of_p = torch.log1p(torch.exp(-alpha * (sp - base)).sum()) / alpha
    return of_p + torch.log1p(torch.exp(beta * (sn - base)).sum()) / beta


def lifted_structure(embedding, label, margin=1.0):
    d = (((embedding[:, None] - embedding[None]) ** 2).sum(2) + 1e-12).sqrt()
    rows = []
    for i in range(len(label)):
        positives, negatives = positives_and_negatives(label, i)
        if not positives or not negatives:
            rows.append(0 * d[i].sum())
            continue
        total = torch.exp(d[i][positives]).sum() * torch.exp(margin - d[i][negatives]).sum()
        rows.append(torch.log(total).clamp(min=0))
    return torch.stack(rows)


def proxies(size):
    """Five classes, of which a small batch has few."""
    classes = 5
    for kind, factor in (("random", 1.0), ("close", 0.1)):
        yield kind, {
            "embedding": torch.randn(size, dtype=F64) * factor,
            "proxy": torch.randn(classes, size[1], dtype=F64),
            "y": torch.randint(classes, size[:1]),
        }


def proxy_nca(embedding, proxy, y):
    rows = []
    for x, t in zip(unit(embedding), y.tolist()):
        d = ((x - unit(proxy)) ** 2).sum(1)
        wrong = [k for k in range(len(d)) if k != t]
        rows.append(-torch.log(torch.exp(-d[t]) / torch.exp(-d[wrong]).sum()))
    return torch.stack(rows)


def proxy_anchor(embedding, proxy, y, alpha=32.0, delta=0.1):
    s = unit(embedding) @ unit(proxy).T
    pull, push = [], []
    for k in range(len(proxy)):
        own = s[y == k, k]
        if len(own):
            pull.append(torch.log1p(torch.exp(-alpha * (own - delta)).sum()))
        push.append(torch.log1p(torch.exp(alpha * (s[y != k, k] + delta)).sum()))
    return torch.stack(pull).mean() + torch.stack(push).mean()


def center(embedding, centre, y):
    return 0.5 * F.mse_loss(embedding, centre[y], reduction="none").sum(1)


def centres(size):
    for kind, given in proxies(size):
        given["centre"] = given.pop("proxy")
        yield kind, {n: given[n] for n in ("embedding", "centre", "y")}


def barlow_twins(a, b, redundancy=0.0051, eps=1e-5):
    norm = lambda x: F.batch_norm(x, None, None, training=True, eps=eps)
    c = norm(a).T @ norm(b) / len(a)
    diagonal = torch.diagonal(c)
    rest = (c**2).sum() - (diagonal**2).sum()
    return ((diagonal - 1) ** 2).sum() + redundancy * rest


def vicreg(a, b, invariance=25.0, variance=25.0, covariance=1.0, eps=1e-4):
    def spread(x):
        return (1 - (x.var(0) + eps).sqrt()).clamp(min=0).mean()

    def correlation(x):
        c = torch.cov(x.T).reshape(x.shape[1], x.shape[1])
        return (c**2).sum() / x.shape[1] - (torch.diagonal(c) ** 2).sum() / x.shape[1]

    return (
        invariance * F.mse_loss(a, b)
        + variance * (spread(a) + spread(b)) / 2
        + covariance * (correlation(a) + correlation(b))
    )


def align_uniform(a, b, alpha=2.0, t=2.0, uniformity=1.0):
    u, v = unit(a), unit(b)
    spread = lambda x: torch.log(torch.exp(-t * F.pdist(x) ** 2).mean())
    alignment = (torch.linalg.vector_norm(u - v, dim=1) ** alpha).mean()
    return alignment + uniformity * (spread(u) + spread(v)) / 2


def byol(prediction, projection):
    return ((unit(prediction) - unit(projection)) ** 2).sum(1)


LABEL = ("label",)

# Scaling to the length 1 divides by the length, which is 0.1 for the close inputs; the sharpest
# temperature is 0.07.
UNIT = 300

CASES = [
    Case("contrastive", embeddings("a", "b", same=zero_one), contrastive, ({}, {"margin": 2.5}),
         SIZES,
         ("same",), condition=30),
    Case("cosine_embedding", embeddings("a", "b", y=signs), cosine_embedding, ({}, {"margin": 0.3}),
         SIZES, condition=UNIT),
    Case("hinge_embedding", distances, hinge_embedding, ({}, {"margin": 2.0}), ((1,), (7,), (3, 4))),
    Case("triplet_margin", embeddings("anchor", "positive", "negative"), triplet_margin,
         ({}, {"margin": 0.2, "p": 1}, {"swap": True}, {"p": 3, "swap": True}, {"eps": 0.1}), SIZES,
         (), condition=30),
    Case("batch_hard_triplet", embeddings("embedding", label=all_paired), batch_hard_triplet,
         ({}, {"margin": 1.0}, {"soft": True}), ((4, 2), (6, 3), (8, 16)), LABEL, condition=30),
    Case("npair", embeddings("anchor", "positive"), npair, ({}, {"l2": 0.02}), SIZES, (),
         condition=4),
    Case("info_nce", embeddings("query", "key"), info_nce, ({}, {"temperature": 1.0}), SIZES, (),
         condition=UNIT),
    Case("moco", embeddings("query", "key", queue=queue), moco, ({}, {"temperature": 1.0}), SIZES,
         ("key", "queue"), condition=UNIT),
    Case("clip", embeddings("image", "text"), clip, ({}, {"temperature": 1.0}), SIZES, (),
         condition=UNIT),
    Case("siglip", embeddings("image", "text"), siglip, ({}, {"scale": 1.0, "bias": 0.5}), SIZES,
         (), condition=UNIT),
    Case("nt_xent", embeddings("a", "b"), nt_xent, ({}, {"temperature": 0.1}), SIZES, (),
         condition=UNIT),
    Case("supervised_contrastive", embeddings("embedding", label=paired_labels),
         supervised_contrastive,
         ({}, {"temperature": 0.5}), SIZES, LABEL, condition=UNIT),
    # gamma (1 + margin) amplifies the cosines; its weights are constant to the gradient.
    Case("circle", embeddings("embedding", label=paired_labels), circle,
         ({}, {"margin": 0.4, "gamma": 5.0}), SIZES, LABEL, rough=STOPPED, condition=100 * UNIT),
    Case("lifted_structure", embeddings("embedding", label=paired_labels), lifted_structure,
         ({}, {"margin": 0.5}), SIZES, LABEL, condition=30),
    Case("multi_similarity", embeddings("embedding", label=paired_labels), multi_similarity,
         ({}, {"alpha": 1.0, "beta": 10.0, "base": 0.2}), SIZES, LABEL,
         condition=10 * UNIT),
    Case("proxy_nca", proxies, proxy_nca, sizes=SIZES, fixed=(), condition=UNIT),
    Case("proxy_anchor", proxies, proxy_anchor, ({}, {"alpha": 4.0, "delta": 0.3}), SIZES, (),
         condition=10 * UNIT),
    Case("center", centres, center, sizes=SIZES, fixed=()),
    Case("barlow_twins", embeddings("a", "b"), barlow_twins, ({}, {"redundancy": 0.5, "eps": 0.1}),
         ((4, 1), (7, 3), (20, 5)), (), condition=UNIT),
    Case("vicreg", embeddings("a", "b"), vicreg,
         ({}, {"invariance": 1.0, "variance": 2.0, "covariance": 3.0, "eps": 0.01}),
         ((4, 1), (7, 3), (20, 5)), (), condition=UNIT),
    Case("align_uniform", embeddings("a", "b"), align_uniform,
         ({}, {"alpha": 1.0, "t": 1.0, "uniformity": 0.3}), ((2, 2), (7, 3), (5, 16)), (),
         condition=UNIT),
    Case("byol", embeddings("prediction", "projection"), byol, sizes=SIZES, fixed=("projection",),
         condition=UNIT),
]


@cases_of(CASES)
def test_agrees_with_the_formula(case, setting):
    check(case, setting)


@smooth_cases(CASES)
def test_derivatives(case):
    check_derivatives(case)
