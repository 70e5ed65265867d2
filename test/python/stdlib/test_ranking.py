"""The losses of ranking and of ordered classes against formulas written from their papers."""

import torch
import torch.nn.functional as F
from harness import F64, Case, cases_of, check, check_derivatives, smooth_cases, softplus

LISTS = ((1, 1), (2, 3), (3, 10))
ELEMENTS = ((1,), (7,), (3, 4))


def pairs(size):
    for kind in ("random", "ties"):
        a, b = torch.randn(size, dtype=F64), torch.randn(size, dtype=F64)
        yield kind, {"a": a, "b": a.clone() if kind == "ties" else b, "y": b.sign()}


def lists(ties=True):
    """Scores and grades; without ties of the grades where their order matters."""

    def inputs(size):
        queries, items = size
        grades = torch.stack([torch.randperm(items) for _ in range(queries)]) + 1
        yield "distinct", {"score": torch.randn(size, dtype=F64), "relevance": grades.to(F64)}
        if ties:
            grades = torch.randint(0, 4, size)
            grades[:, 0] = 3
            yield "ties", {"score": torch.randn(size, dtype=F64) * 3, "relevance": grades.to(F64)}

    return inputs


def margin_ranking(a, b, y, margin=0.0):
    return F.margin_ranking_loss(a, b, y, margin=margin, reduction="none")


def ordered_pairs(score, relevance):
    for i in range(len(score)):
        for j in range(len(score)):
            if relevance[i] > relevance[j]:
                yield i, j


def of_queries(function):
    return lambda score, relevance, **settings: torch.stack(
        [function(s, r, **settings) for s, r in zip(score, relevance)]
    )


@of_queries
def ranknet(score, relevance, sigma=1.0):
    terms = [softplus(-sigma * (score[i] - score[j])) for i, j in ordered_pairs(score, relevance)]
    return sum(terms) + 0 * score.sum()


def dcg(relevance, ranks):
    return sum((2 ** relevance[i] - 1) / torch.log2(1 + ranks[i]) for i in range(len(ranks)))


def ranks_of(values):
    """1 for the greatest; ties by position."""
    order = sorted(range(len(values)), key=lambda i: -values[i].item())
    return torch.tensor([order.index(i) + 1 for i in range(len(values))], dtype=F64)


@of_queries
def lambdarank(score, relevance, sigma=1.0):
    ranks = ranks_of(score)
    best = dcg(relevance, ranks_of(relevance))
    total = 0 * score.sum()
    for i, j in ordered_pairs(score, relevance):
        swapped = ranks.clone()
        swapped[i], swapped[j] = ranks[j], ranks[i]
        change = (dcg(relevance, swapped) - dcg(relevance, ranks)).abs() / best
        total = total + change * softplus(-sigma * (score[i] - score[j]))
    return total


@of_queries
def listnet(score, relevance):
    return F.cross_entropy(score, torch.softmax(relevance, 0))


@of_queries
def listmle(score, relevance):
    # Of equal grades the later comes first.
    order = sorted(range(len(score)), key=lambda i: (-relevance[i].item(), -i))
    s = score[order]
    return sum(torch.logsumexp(s[i:], 0) - s[i] for i in range(len(s)))


@of_queries
def approx_ndcg(score, relevance, temperature=0.1):
    position = [
        1
        + sum(
            torch.sigmoid((score[j] - score[i]) / temperature)
            for j in range(len(score))
            if j != i
        )
        for i in range(len(score))
    ]
    position = torch.stack([torch.as_tensor(p, dtype=F64) for p in position])
    return 1 - dcg(relevance, position) / dcg(relevance, ranks_of(relevance)) + 0 * score.sum()


def ordinal(size):
    samples, thresholds = size
    for scale in (1.0, 30.0):
        yield f"scale {scale}", {
            "logits": torch.randn(size, dtype=F64) * scale,
            "y": torch.randint(0, thresholds + 1, (samples,)),
        }


def coral(logits, y):
    levels = torch.stack([(torch.arange(logits.shape[1]) < t).to(F64) for t in y.tolist()])
    return F.binary_cross_entropy_with_logits(logits, levels, reduction="none").sum(1)


def corn(logits, y):
    total, count = 0 * logits.sum(), 0
    for k in range(logits.shape[1]):
        seen = y > k - 1
        label = (y[seen] > k).to(F64)
        terms = F.binary_cross_entropy_with_logits(logits[seen, k], label, reduction="none")
        total, count = total + terms.sum(), count + seen.sum().item()
    return total / count


def chosen(size):
    yield "random", {n: torch.randn(size, dtype=F64) * 3 for n in ("positive", "negative")}
    yield "far", {n: torch.randn(size, dtype=F64) * 100 for n in ("positive", "negative")}


CASES = [
    Case("margin_ranking", pairs, margin_ranking, ({}, {"margin": 0.5}, {"margin": -0.5}), ELEMENTS),
    Case("ranknet", lists(), ranknet, ({}, {"sigma": 0.5}), LISTS, ("relevance",)),
    Case("lambdarank", lists(), lambdarank, ({}, {"sigma": 2.0}), LISTS, ("relevance",),
         condition=4),
    Case("listnet", lists(), listnet, sizes=LISTS, fixed=("relevance",)),
    Case("listmle", lists(), listmle, sizes=LISTS, fixed=("relevance",), condition=10),
    Case("approx_ndcg", lists(), approx_ndcg, ({}, {"temperature": 1.0}), LISTS, ("relevance",),
         condition=20),
    Case("bpr", chosen, lambda positive, negative: -F.logsigmoid(positive - negative),
         sizes=ELEMENTS,
         fixed=()),
    Case("coral", ordinal, coral, sizes=((1, 1), (7, 3), (4, 9))),
    Case("corn", ordinal, corn, sizes=((1, 1), (7, 3), (4, 9))),
]


@cases_of(CASES)
def test_agrees_with_the_formula(case, setting):
    check(case, setting)


@smooth_cases(CASES)
def test_derivatives(case):
    check_derivatives(case)
