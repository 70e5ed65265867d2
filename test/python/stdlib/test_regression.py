"""The losses of regression against formulas written from their papers."""

import math

import torch
import torch.nn.functional as F
from harness import F64, STOPPED, Case, cases_of, check, check_derivatives, smooth_cases

ELEMENTS = ((1,), (7,), (130,), (3, 4))
PAIRS = ((1, 1), (7, 3), (4, 10), (3, 37))


def elements(scale=3.0, positive=False, edges=True):
    """Predictions and true values of any shape."""

    def draw(size):
        x = torch.randn(size, dtype=F64)
        return torch.exp(x) if positive else x * scale

    def inputs(size):
        yield "random", {"prediction": draw(size), "y": draw(size)}
        if edges:
            x = draw(size)
            yield "equal", {"prediction": x, "y": x.clone()}
            # Differences of 0, 1/2, 1, ...: the corners of most losses.
            ticks = (torch.randint(0 if positive else -4, 5, size) / 2.0).to(F64)
            others = (torch.randint(0 if positive else -4, 5, size) / 2.0).to(F64)
            yield "ticks", {"prediction": ticks, "y": others}
            yield "great", {"prediction": draw(size) * 1e4, "y": draw(size)}

    return inputs


def difference(function):
    """A loss of the difference of prediction and truth."""
    return lambda prediction, y, **settings: function(prediction - y, **settings)


def named(function):
    """PyTorch's own function, not reduced."""
    return lambda prediction, y, **settings: function(prediction, y, reduction="none", **settings)


@difference
def log_cosh(d):
    # The series where cosh overflows or loses d.
    return torch.where(d.abs() > 20, d.abs() - math.log(2), torch.log(torch.cosh(d.clamp(-30, 30))))


@difference
def quantile(d, q=0.5):
    over = d > 0
    return torch.where(over, (1 - q) * d, -q * d) + 0 * d


@difference
def expectile(d, tau=0.5):
    return torch.where(d > 0, 1 - tau + 0 * d, tau + 0 * d) * d**2


def quantile_huber(prediction, y, kappa=1.0):
    rows = []
    for x, t in zip(prediction, y):
        total = 0
        for i in range(len(x)):
            tau = (2 * i + 1) / (2 * len(x))
            u = t - x[i]
            huber = F.huber_loss(x[i].expand_as(t), t, reduction="none", delta=kappa)
            total = total + ((tau - (u < 0).to(F64)).abs() * huber / kappa).mean()
        rows.append(total)
    return torch.stack(rows)


def quantiles(size):
    samples, levels = size
    for count in (1, 5):
        yield f"{count} samples", {
            "prediction": torch.randn(samples, levels, dtype=F64),
            "y": torch.randn(samples, count, dtype=F64),
        }


@difference
def tukey_biweight(d, c=4.685):
    inside = c**2 / 6 * (1 - (1 - (d / c) ** 2) ** 3)
    return torch.where(d.abs() <= c, inside, torch.full_like(d, c**2 / 6))


@difference
def barron(d, alpha=1.0, c=1.0):
    square = (d / c) ** 2
    if alpha == 2:
        return 0.5 * square
    if alpha == 0:
        return torch.log(0.5 * square + 1)
    b = abs(alpha - 2)
    return b / alpha * ((square / b + 1) ** (alpha / 2) - 1)


@difference
def wing(d, w=10.0, epsilon=2.0):
    d = d.abs()
    c = w - w * math.log(1 + w / epsilon)
    return torch.where(d < w, w * torch.log(1 + d / epsilon), d - c)


def adaptive_wing(prediction, y, omega=14.0, theta=0.5, epsilon=1.0, alpha=2.1):
    d = (y - prediction).abs()
    power = alpha - y
    a = (
        omega
        * (1 / (1 + (theta / epsilon) ** power))
        * power
        * ((theta / epsilon) ** (power - 1))
        * (1 / epsilon)
    )
    c = theta * a - omega * torch.log(1 + (theta / epsilon) ** power)
    return torch.where(d < theta, omega * torch.log(1 + (d / epsilon) ** power), a * d - c)


def heat_maps(size):
    # Off 0, where a power of an absolute value has no second derivative.
    y = torch.rand(size, dtype=F64)
    yield "random", {"prediction": torch.randn(size, dtype=F64), "y": y}
    yield "near", {"prediction": y + torch.rand(size, dtype=F64) * 0.2 + 0.1, "y": y}
    yield "equal", {"prediction": y.clone(), "y": y}


def berhu(prediction, y, fraction=0.2):
    d = (prediction - y).abs()
    c = fraction * d.max().item()
    return torch.where(d <= c, d, (d**2 + c**2) / (2 * c) if c else d)


def scale_invariant_log(prediction, y, invariance=0.5):
    n = prediction.shape[1]
    d = prediction.log() - y.log()
    return (d**2).sum(1) / n - invariance / n**2 * d.sum(1) ** 2


def concordance(prediction, y):
    sx, sy = prediction.std(unbiased=False), y.std(unbiased=False)
    rho = ((prediction - prediction.mean()) * (y - y.mean())).mean() / (sx * sy)
    return 1 - 2 * rho * sx * sy / (sx**2 + sy**2 + (prediction.mean() - y.mean()) ** 2)


CASES = [
    Case("mse", elements(), named(F.mse_loss), sizes=ELEMENTS),
    Case("l1", elements(), named(F.l1_loss), sizes=ELEMENTS),
    Case("smooth_l1", elements(), named(F.smooth_l1_loss), ({}, {"beta": 0.5}, {"beta": 0.0}),
         ELEMENTS,
         condition=2),
    Case("huber", elements(), named(F.huber_loss), ({}, {"delta": 0.5}, {"delta": 3.0}), ELEMENTS),
    Case("log_cosh", elements(), log_cosh, sizes=ELEMENTS),
    Case("charbonnier", elements(), difference(lambda d, epsilon=1e-3: (d**2 + epsilon**2).sqrt()),
         ({}, {"epsilon": 1.0}), ELEMENTS, condition=1e3),
    Case("quantile", elements(edges=False), quantile, ({}, {"q": 0.9}, {"q": 0.05}), ELEMENTS),
    Case("expectile", elements(), expectile, ({}, {"tau": 0.9}), ELEMENTS),
    Case("quantile_huber", quantiles, quantile_huber, ({}, {"kappa": 0.3}), PAIRS),
    Case("epsilon_insensitive", elements(),
         difference(lambda d, epsilon=0.1: (d.abs() - epsilon).clamp(min=0)), ({}, {"epsilon": 0.7}),
         ELEMENTS),
    Case("cauchy", elements(), difference(lambda d, c=1.0: c**2 / 2 * torch.log(1 + (d / c) ** 2)),
         ({}, {"c": 2.5}), ELEMENTS),
    Case("welsch", elements(),
         difference(lambda d, c=1.0: c**2 / 2 * (1 - torch.exp(-((d / c) ** 2)))), ({}, {"c": 2.5}),
         ELEMENTS, condition=4),
    Case("geman_mcclure", elements(), difference(lambda d, c=1.0: (d / c) ** 2 / (1 + (d / c) ** 2)),
         ({}, {"c": 2.5}), ELEMENTS),
    Case("tukey_biweight", elements(), tukey_biweight, ({}, {"c": 1.3}), ELEMENTS),
    Case("barron", elements(), barron,
         ({}, {"c": 0.3}) + tuple({"alpha": a} for a in (2.0, 0.0, -2.0, 1.5, -8.0)), ELEMENTS,
         condition=10),
    Case("wing", elements(), wing, ({}, {"w": 1.25, "epsilon": 0.5}), ELEMENTS),
    Case("adaptive_wing", heat_maps, adaptive_wing,
         ({}, {"omega": 5.0, "theta": 0.3, "epsilon": 0.7, "alpha": 2.5}), ELEMENTS, condition=20),
    Case("berhu", elements(), berhu, ({}, {"fraction": 0.5}), ELEMENTS, rough=STOPPED, condition=10),
    Case("msle", elements(positive=True),
         lambda prediction, y: F.mse_loss(torch.log(prediction + 1), torch.log(y + 1), reduction="none"),
         sizes=ELEMENTS),
    Case("mape", elements(positive=True),
         lambda prediction, y, epsilon=1e-7: ((prediction - y) / y.abs().clamp(min=epsilon)).abs(),
         ({}, {"epsilon": 0.5}), ELEMENTS, condition=1e3),
    Case("smape", elements(edges=False),
         lambda prediction, y, epsilon=1e-7: (prediction - y).abs()
         / ((prediction.abs() + y.abs()) / 2), sizes=ELEMENTS, condition=1e2),
    Case("scale_invariant_log", elements(positive=True, edges=False), scale_invariant_log,
         ({}, {"invariance": 1.0}), PAIRS, condition=30),
    Case("concordance", elements(edges=False), concordance, sizes=((2,), (7,), (130,)),
         condition=10),
]


@cases_of(CASES)
def test_agrees_with_the_formula(case, setting):
    check(case, setting)


@smooth_cases(CASES)
def test_derivatives(case):
    check_derivatives(case)
