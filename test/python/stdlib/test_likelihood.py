"""The likelihoods against the distributions of PyTorch, and formulas written from their papers."""

import math

import torch
import torch.nn.functional as F
from harness import F64, STOPPED, Case, cases_of, check, check_derivatives, loss, smooth_cases

D = torch.distributions
ELEMENTS = ((1,), (7,), (130,), (3, 4))


def values(**positive):
    """True values and the inputs of a likelihood; those named are above the bound given."""

    def inputs(size):
        for scale in (1.0, 10.0):
            given = {"x": torch.randn(size, dtype=F64) * scale, "y": torch.randn(size, dtype=F64) * scale}
            for name, least in positive.items():
                given[name] = least + torch.exp(torch.randn(size, dtype=F64))
            yield f"scale {scale}", given

    return inputs


def counts(size):
    for scale in (0.5, 2.0):
        y = torch.floor(torch.exp(torch.randn(size, dtype=F64) * scale))
        y.view(-1)[0] = 0
        yield f"scale {scale}", {"x": torch.randn(size, dtype=F64) * scale, "y": y}


def rates(size):
    for kind, given in counts(size):
        yield kind, {"x": torch.exp(given["x"]), "y": given["y"]}


def both(size):
    """Rates above 0 are logarithms of rates too."""
    yield from rates(size)


def small_variance(size):
    given = dict(values(variance=0.0)(size))["scale 1.0"]
    yield "random", given
    # Half of the variances below eps.
    variance = torch.where(torch.rand(size) < 0.5, 0.0, given["variance"])
    yield "zero variance", {**given, "variance": variance}


def poisson_nll(x, y, log_input=True, full=False, eps=1e-8):
    return F.poisson_nll_loss(x, y, log_input=log_input, full=full, eps=eps, reduction="none")


def gaussian_nll(x, y, variance, full=False, eps=1e-6):
    return F.gaussian_nll_loss(x, y, variance, full=full, eps=eps, reduction="none")


def beta_nll(x, y, variance, beta=0.5):
    nll = -D.Normal(x, variance.sqrt()).log_prob(y) - 0.5 * math.log(2 * math.pi)
    return variance.detach() ** beta * nll


def amounts(size):
    for kind, given in counts(size):
        yield kind, {"x": given["x"], "y": torch.exp(torch.randn(size, dtype=F64))}


def gamma_nll(x, y, shape=1.0):
    return -D.Gamma(torch.tensor(shape, dtype=F64), shape * torch.exp(-x)).log_prob(y)


def tweedie(x, y, p=1.5):
    """Half of the unit deviance, without what does not depend on the mean."""
    mean = torch.exp(x)
    if p in (1, 2):
        return mean - y * x if p == 1 else x + y / mean
    return mean ** (2 - p) / (2 - p) - y * mean ** (1 - p) / (1 - p)


def negative_binomial_nll(x, y, dispersion=1.0):
    r = torch.tensor(1 / dispersion, dtype=F64)
    return -D.NegativeBinomial(r, logits=x - r.log()).log_prob(y)


def von_mises_nll(x, y, kappa=1.0):
    normaliser = torch.log(2 * math.pi * torch.special.i0(torch.tensor(kappa, dtype=F64)))
    return normaliser - kappa * torch.cos(y - x)


def gaussian_crps(x, y, deviation):
    """The integral of the squared difference of the distribution functions, in closed form."""
    normal = D.Normal(torch.tensor(0.0, dtype=F64), 1.0)
    z = (y - x) / deviation
    density = torch.exp(normal.log_prob(z))
    return deviation * (z * (2 * normal.cdf(z) - 1) + 2 * density - 1 / math.sqrt(math.pi))


def evidence(size):
    for kind, given in values(nu=0.0, alpha=1.0, beta=0.0)(size):
        given["gamma"] = given.pop("x")
        yield kind, given


def evidential_regression(gamma, y, nu, alpha, beta, penalty=0.01):
    """The marginal likelihood is Student's t."""
    scale = torch.sqrt(beta * (1 + nu) / (nu * alpha))
    nll = -D.StudentT(2 * alpha, gamma, scale).log_prob(y)
    return nll + penalty * (y - gamma).abs() * (2 * nu + alpha)


def mixture(size):
    batch, components = size
    for scale in (1.0, 5.0):
        yield f"scale {scale}", {
            "logits": torch.randn(size, dtype=F64),
            "x": torch.randn(size, dtype=F64) * scale,
            "deviation": 0.3 + torch.rand(size, dtype=F64),
            "y": torch.randn(batch, dtype=F64) * scale,
        }


def mixture_density(logits, x, deviation, y):
    weights = D.Categorical(logits=logits)
    return -D.MixtureSameFamily(weights, D.Normal(x, deviation)).log_prob(y)


def survival(size):
    for kind in ("random", "ties", "no event"):
        time = torch.rand(size, dtype=F64)
        if kind == "ties":
            time = torch.ceil(time * 3)
        event = torch.randint(0, 2, size).to(F64) * (kind != "no event")
        yield kind, {"x": torch.randn(size, dtype=F64) * 2, "time": time, "event": event}


def cox(x, time, event):
    total, events = 0 * x.sum(), event.sum().item()
    for i in range(len(x)):
        if event[i] == 1:
            total = total + x[i] - torch.logsumexp(x[time >= time[i]], 0)
    return -total / max(events, 1)


CASES = [
    Case("poisson_nll", both, poisson_nll,
         ({}, {"full": True}, {"log_input": False}, {"log_input": False, "full": True},
          {"log_input": False, "eps": 0.1}), ELEMENTS, condition=4),
    Case("gaussian_nll", small_variance, gaussian_nll,
         ({}, {"full": True}, {"eps": 0.3}, {"full": True, "eps": 0.01}), ELEMENTS, condition=10),
    Case("beta_nll", values(variance=0.1), beta_nll, ({}, {"beta": 0.0}, {"beta": 1.0}), ELEMENTS,
         rough=STOPPED, condition=30),
    Case("heteroscedastic", lambda size: [(k, {"x": g["x"], "y": g["y"],
                                               "log_variance": torch.randn(size, dtype=F64)})
                                          for k, g in values()(size)],
         lambda x, y, log_variance: -D.Normal(x, torch.exp(log_variance / 2)).log_prob(y)
         - 0.5 * math.log(2 * math.pi), sizes=ELEMENTS, condition=4),
    Case("laplace_nll", values(scale=0.1),
         lambda x, y, scale: -D.Laplace(x, scale).log_prob(y), sizes=ELEMENTS, condition=30),
    Case("student_t_nll", values(scale=0.1),
         lambda x, y, scale, nu=4.0: -D.StudentT(torch.tensor(nu, dtype=F64), x, scale).log_prob(y),
         ({}, {"nu": 1.0}, {"nu": 30.0}), ELEMENTS, condition=30),
    Case("gamma_nll", amounts, gamma_nll, ({}, {"shape": 2.5}, {"shape": 0.3}), ELEMENTS,
         condition=10),
    Case("tweedie", counts, tweedie, ({}, {"p": 1.1}, {"p": 1.9}, {"p": 1.0}, {"p": 2.0}), ELEMENTS, condition=20),
    Case("negative_binomial_nll", counts, negative_binomial_nll,
         ({}, {"dispersion": 0.2}, {"dispersion": 5.0}), ELEMENTS, condition=10),
    Case("von_mises_nll", values(), von_mises_nll, ({}, {"kappa": 8.0}, {"kappa": 0.0}), ELEMENTS,
         condition=4),
    Case("gaussian_crps", values(deviation=0.1), gaussian_crps, sizes=ELEMENTS, condition=30),
    Case("evidential_regression", evidence, evidential_regression, ({}, {"penalty": 1.0}),
         ELEMENTS, condition=100),
    Case("mixture_density", mixture, mixture_density, sizes=((1, 1), (7, 3), (4, 10)),
         condition=30),
    Case("cox", survival, cox, sizes=((1,), (7,), (61,)), fixed=("time", "event"),
         condition=4),
]


@cases_of(CASES)
def test_agrees_with_the_formula(case, setting):
    check(case, setting)


@smooth_cases(CASES)
def test_derivatives(case):
    check_derivatives(case)


def test_cox_with_ties_is_independent_of_the_order():
    x, time, event = (torch.tensor(v, dtype=F64) for v in
                      ([0.1, 0.5, -0.3, 0.2], [3, 3, 1, 3], [1, 1, 1, 0]))  # fmt: skip
    module = loss("cox")
    expected = cox(x, time, event)
    assert abs(expected.item() - 1.337) < 0.0005
    for _ in range(5):
        torch.testing.assert_close(module(x, time, event), expected)
        order = torch.randperm(4)
        x, time, event = x[order], time[order], event[order]


def test_cox_keeps_small_hazards():
    """The hazard that remains at the end is far below the greatest, which exp would make 0."""
    x = torch.tensor([500.0, 0.0, 1.0])
    time, event = torch.arange(3.0), torch.ones(3)
    torch.testing.assert_close(loss("cox")(x, time, event), cox(x, time, event))
