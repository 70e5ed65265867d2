"""The losses of segmentation, of images of any shape, against formulas written from their papers."""

import math

import pytest
import torch
import torch.nn.functional as F
from harness import F64, Case, cases_of, check, check_derivatives, loss, one_hot, smooth_cases

#: Samples, classes and the shape of an image.
SIZES = ((1, 2, 5), (2, 3, 7), (3, 4, 5, 3), (1, 1, 4))


def images(dense=True, extreme=True, **more):
    def inputs(size):
        samples, classes, *shape = size
        for kind in ("random", "extreme") if extreme else ("random",):
            logits = torch.randn(size, dtype=F64) * 2
            if kind == "extreme":
                logits = (torch.randint(0, 3, size) * 40.0 - 40).to(F64)
            extra = {name: make(size) for name, make in more.items()}
            index = torch.randint(classes, (samples, *shape))
            yield f"{kind} index", {"logits": logits, "y": index, **extra}
            if dense:
                y = torch.softmax(torch.randn(size, dtype=F64), 1)
                yield f"{kind} dense", {"logits": logits.clone(), "y": y, **extra}
        # The last class is absent.
        index = torch.randint(max(classes - 1, 1), (samples, *shape))
        yield "absent", {"logits": torch.randn(size, dtype=F64), "y": index, **extra}

    return inputs


def flat(function):
    """Calls function(p, y, log p, ...) with the positions as one axis."""

    def reference(logits, y, **rest):
        y = one_hot(y, logits.shape[1]).flatten(2)
        logits = logits.flatten(2)
        return function(torch.softmax(logits, 1), y, torch.log_softmax(logits, 1), **rest)

    return reference


def dice_score(p, y, smooth):
    return (2 * (p * y).sum(2) + smooth) / (p.sum(2) + y.sum(2) + smooth)


@flat
def dice(p, y, _, smooth=1.0, squared=False):
    if squared:
        return 1 - (2 * (p * y).sum(2) + smooth) / ((p**2).sum(2) + (y**2).sum(2) + smooth)
    return 1 - dice_score(p, y, smooth)


@flat
def dice_cross_entropy(p, y, logs, dice_weight=1.0, smooth=1.0):
    cross_entropy = -(y * logs).sum(1).mean(1)
    return dice_weight * (1 - dice_score(p, y, smooth)).mean(1) + cross_entropy


@flat
def generalized_dice(p, y, _):
    rows = []
    for pi, yi in zip(p, y):
        volume = yi.sum(1)
        weights = 1 / volume**2
        weights[volume == 0] = weights[volume > 0].max()
        rows.append(1 - 2 * (weights @ (pi * yi).sum(1)) / (weights @ (pi + yi).sum(1)))
    return torch.stack(rows)


@flat
def jaccard(p, y, _, smooth=1.0):
    both = (p * y).sum(2)
    return 1 - (both + smooth) / (p.sum(2) + y.sum(2) - both + smooth)


def tversky_index(p, y, false_positives, false_negatives, smooth):
    tp = (p * y).sum(2)
    below = tp + false_positives * (p * (1 - y)).sum(2) + false_negatives * ((1 - p) * y).sum(2)
    return (tp + smooth) / (below + smooth)


@flat
def tversky(p, y, _, alpha=0.3, beta=0.7, smooth=1.0):
    return 1 - tversky_index(p, y, alpha, beta, smooth)


@flat
def focal_tversky(p, y, _, alpha=0.7, beta=0.3, gamma=4 / 3, smooth=1.0):
    return (1 - tversky_index(p, y, beta, alpha, smooth)) ** (1 / gamma)


@flat
def log_cosh_dice(p, y, _, smooth=1.0):
    d = 1 - dice_score(p, y, smooth)
    return torch.log((torch.exp(d) + torch.exp(-d)) / 2)


@flat
def combo(p, y, _, alpha=0.5, beta=0.5, smooth=1.0):
    entropy = beta * y * p.log() + (1 - beta) * (1 - y) * (1 - p).log()
    return -alpha * entropy.mean((1, 2)) - (1 - alpha) * dice_score(p, y, smooth).sum(1)


@flat
def exponential_logarithmic(p, y, logs, frequency, w_dice=0.8, w_cross=0.2, g_dice=0.3, g_cross=0.3):
    w = (frequency.sum() / frequency) ** 0.5
    of_dice = ((-dice_score(p, y, 1.0).log()) ** g_dice).mean(1)
    of_cross = (w[:, None] * (-logs) ** g_cross * y).sum(1).mean(1)
    return w_dice * of_dice + w_cross * of_cross


@flat
def noise_robust_dice(p, y, _, gamma=1.5, epsilon=1e-5):
    below = (p**2).sum(2) + (y**2).sum(2) + epsilon
    return ((p - y).abs() ** gamma).sum(2) / below


@flat
def sensitivity_specificity(p, y, _, r=0.05, epsilon=1e-5):
    square, other = (y - p) ** 2, 1 - y
    return r * (square * y).sum(2) / (y.sum(2) + epsilon) + (1 - r) * (square * other).sum(2) / (
        other.sum(2) + epsilon
    )


def boundary(logits, distance):
    return (torch.softmax(logits, 1) * distance).flatten(1).mean(1)


def distances(size):
    yield "random", {
        "logits": torch.randn(size, dtype=F64),
        "distance": torch.randn(size, dtype=F64) * 5,
    }


def lovasz_gradient(labels):
    """The growth of the Jaccard loss along labels in descending order of the errors."""
    growth, last, missed, found = [], 0.0, 0.0, 0.0
    total = labels.sum().item()
    for label in labels.tolist():
        missed, found = missed + label, found + 1 - label
        loss = 1 - (total - missed) / (total + found)
        growth.append(loss - last)
        last = loss
    return torch.tensor(growth, dtype=F64)


@flat
def lovasz_softmax(p, y, _):
    rows = []
    for pi, yi in zip(p, y):
        classes = []
        for k in range(len(pi)):
            if yi[k].sum() == 0:
                continue
            errors, order = torch.sort((yi[k] - pi[k]).abs(), descending=True, stable=True)
            classes.append(errors @ lovasz_gradient(yi[k][order]))
        rows.append(torch.stack(classes).mean())
    return torch.stack(rows)


def lovasz_hinge(logits, y):
    rows = []
    for x, t in zip(logits, y):
        errors, order = torch.sort(1 - (2 * t - 1) * x, descending=True, stable=True)
        rows.append(torch.relu(errors) @ lovasz_gradient(t[order]))
    return torch.stack(rows)


def binary_images(size):
    for kind in ("random", "all", "none"):
        y = torch.randint(0, 2, size).to(F64)
        y = {"random": y, "all": 0 * y + 1, "none": 0 * y}[kind]
        yield kind, {"logits": torch.randn(size, dtype=F64) * 2, "y": y}


@flat
def ohem_cross_entropy(p, y, logs, keep=0.25):
    values = -(y * logs).sum(1)
    return values.topk(math.ceil(keep * values.shape[1]), 1).values.mean(1)


def frequency(size):
    return torch.rand(size[1], dtype=F64) + 0.1


CASES = [
    Case("dice", images(), dice, ({}, {"squared": True}, {"smooth": 1e-3}), SIZES),
    Case("dice_cross_entropy", images(), dice_cross_entropy,
         ({}, {"dice_weight": 3.0, "smooth": 0.1}), SIZES),
    Case("generalized_dice", images(), generalized_dice, sizes=SIZES, condition=10),
    Case("jaccard", images(), jaccard, ({}, {"smooth": 0.1}), SIZES),
    Case("tversky", images(), tversky, ({}, {"alpha": 0.5, "beta": 0.5, "smooth": 0.1}), SIZES),
    # The slope of the root is great where the loss is small.
    Case("focal_tversky", images(extreme=False), focal_tversky, ({}, {"gamma": 2.0, "alpha": 0.4}),
         SIZES[:3], condition=10),
    Case("log_cosh_dice", images(), log_cosh_dice, ({}, {"smooth": 0.1}), SIZES),
    Case("combo", images(extreme=False), combo, ({}, {"alpha": 0.2, "beta": 0.7, "smooth": 0.1}),
         SIZES[:3]),
    Case("exponential_logarithmic", images(extreme=False, frequency=frequency),
         exponential_logarithmic,
         ({}, {"w_dice": 0.5, "w_cross": 1.0, "g_dice": 1.0, "g_cross": 2.0}), SIZES[:3],
         ("y", "frequency"), condition=10),
    Case("noise_robust_dice", images(extreme=False), noise_robust_dice, ({}, {"gamma": 2.0}),
         SIZES[:3]),
    Case("sensitivity_specificity", images(), sensitivity_specificity, ({}, {"r": 0.5}), SIZES[:3],
         condition=10),
    Case("boundary", distances, boundary, sizes=SIZES, fixed=("distance",)),
    Case("lovasz_softmax", images(dense=False, extreme=False), lovasz_softmax, sizes=SIZES[:3],
         condition=4),
    Case("lovasz_hinge", binary_images, lovasz_hinge, sizes=((1, 5), (3, 17)), condition=4),
    Case("ohem_cross_entropy", images(extreme=False), ohem_cross_entropy, ({}, {"keep": 0.7},
         {"keep": 1.0}), SIZES[:3]),
]


@cases_of(CASES)
def test_agrees_with_the_formula(case, setting):
    check(case, setting)


@smooth_cases(CASES)
def test_derivatives(case):
    check_derivatives(case)


@pytest.mark.parametrize("gap", [16.0, 20.0, 120.0])
@pytest.mark.parametrize("name", ["exponential_logarithmic", "focal_tversky"])
def test_a_perfect_prediction(name, gap):
    """Its loss is (nearly) 0, where a root has no slope."""
    rest = {"frequency": torch.ones(2)} if name == "exponential_logarithmic" else {}
    y = torch.tensor([[0, 1, 1]])
    logits = (gap * F.one_hot(y, 2).float().movedim(-1, 1)).requires_grad_()
    value = loss(name)(logits=logits, y=y, **rest)
    (gradient,) = torch.autograd.grad(value.sum(), logits)
    assert (0 <= value).all() and (value < 0.03).all()
    assert gradient.isfinite().all()
    # A NaN is not taken for a perfect prediction.
    assert loss(name)(logits=logits * torch.nan, y=y, **rest).isnan().all()
