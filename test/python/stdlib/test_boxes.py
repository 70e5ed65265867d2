"""The losses of boxes against formulas written from their papers."""

import math

import torch
from harness import F64, STOPPED, Case, cases_of, check, check_derivatives, smooth_cases

SIZES = ((1,), (7,), (130,))


def draw(count, spread):
    corner = torch.rand(count, 2, dtype=F64) * spread
    return torch.cat([corner, corner + 0.5 + torch.rand(count, 2, dtype=F64) * 3], 1)


def boxes(apart=True):
    """Boxes that overlap, that are far apart, that contain each other, and that are the same."""

    def inputs(size):
        truth = draw(size[0], 1)
        yield "overlap", {"prediction": truth + torch.rand(size[0], 4, dtype=F64) * 0.4, "truth": truth}
        if apart:
            yield "random", {"prediction": draw(size[0], 10), "truth": draw(size[0], 10)}
        inside = truth + torch.tensor([0.1, 0.15, -0.1, -0.15], dtype=F64)
        yield "inside", {"prediction": inside, "truth": truth}

    return inputs


def reference(function):
    """Calls function(overlap, union, hull's width and height, both boxes) for each pair."""

    def all_pairs(prediction, truth, eps=1e-7, **settings):
        out = []
        for a, b in zip(prediction, truth):
            width = (min(a[2], b[2]) - max(a[0], b[0])).clamp(min=0)
            height = (min(a[3], b[3]) - max(a[1], b[1])).clamp(min=0)
            overlap = width * height
            union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - overlap
            w = max(a[2], b[2]) - min(a[0], b[0])
            h = max(a[3], b[3]) - min(a[1], b[1])
            out.append(function(overlap / (union + eps), union, w, h, a, b, eps, **settings))
        return torch.stack(out)

    return all_pairs


@reference
def iou(overlap, union, w, h, a, b, eps, logarithm=False):
    return -overlap.log() if logarithm else 1 - overlap


@reference
def giou(overlap, union, w, h, a, b, eps):
    return 1 - (overlap - (w * h - union) / (w * h + eps))


def centre(a, b, w, h, eps):
    x = (a[0] + a[2]) / 2 - (b[0] + b[2]) / 2
    y = (a[1] + a[3]) / 2 - (b[1] + b[3]) / 2
    return (x**2 + y**2) / (w**2 + h**2 + eps)


@reference
def diou(overlap, union, w, h, a, b, eps):
    return 1 - overlap + centre(a, b, w, h, eps)


def sides(a):
    return a[2] - a[0], a[3] - a[1]


@reference
def ciou(overlap, union, w, h, a, b, eps):
    (aw, ah), (bw, bh) = sides(a), sides(b)
    v = 4 / math.pi**2 * (torch.arctan2(bw, bh) - torch.arctan2(aw, ah)) ** 2
    alpha = (v / (1 - overlap + v + eps)).detach()
    return 1 - overlap + centre(a, b, w, h, eps) + alpha * v


@reference
def eiou(overlap, union, w, h, a, b, eps):
    (aw, ah), (bw, bh) = sides(a), sides(b)
    shape = (aw - bw) ** 2 / (w**2 + eps) + (ah - bh) ** 2 / (h**2 + eps)
    return 1 - overlap + centre(a, b, w, h, eps) + shape


@reference
def alpha_iou(overlap, union, w, h, a, b, eps, alpha=3.0):
    return 1 - overlap**alpha


def case(name, function, settings=({},), rough=""):
    return Case(name, boxes(), function, settings, SIZES, ("truth",), condition=10, rough=rough)


CASES = [
    case("iou", iou, ({}, {"eps": 0.1})),
    Case("iou", boxes(apart=False), iou, ({"logarithm": True},), SIZES, ("truth",), condition=10),
    case("giou", giou, ({}, {"eps": 0.1})),
    case("diou", diou, ({}, {"eps": 0.1})),
    case("ciou", ciou, ({}, {"eps": 0.1}), rough=STOPPED),
    case("eiou", eiou, ({}, {"eps": 0.1})),
    case("alpha_iou", alpha_iou, ({}, {"alpha": 2.0, "eps": 0.1})),
]


@cases_of(CASES)
def test_agrees_with_the_formula(case, setting):
    check(case, setting)


@smooth_cases(CASES)
def test_derivatives(case):
    check_derivatives(case)


def test_identical_boxes_cost_nothing():
    from harness import loss

    truth = draw(5, 3)
    for name in ("iou", "giou", "diou", "ciou", "eiou", "alpha_iou"):
        value = loss(name)(prediction=truth.clone().requires_grad_(), truth=truth)
        assert value.abs().max() < 1e-6, name
