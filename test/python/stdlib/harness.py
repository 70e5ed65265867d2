"""What the tests of the library's losses share: a loss against an independent formula.

A `Case` names a loss, makes inputs for it, and gives the formula in plain PyTorch operations, written
from the paper. `check` compares value and gradient in f64 and f32; `check_derivatives` runs gradcheck
and gradgradcheck, in reverse and in forward mode.
"""

import dataclasses
import functools
from collections.abc import Callable

import pytest
import torch

import losslang

F64 = torch.float64
#: Case.rough of a loss with stop_gradient, whose gradient is not that of the value.
STOPPED = "a factor is constant to the gradient by decree, not to a numeric derivative"
EPSILON = {torch.float64: 2.0**-53, torch.float32: 2.0**-24}


@dataclasses.dataclass
class Case:
    """A loss and its reference."""

    name: str
    #: inputs(size) yields (what they are, {name: tensor}); floating tensors in f64.
    inputs: Callable
    #: reference(**inputs, **settings): the result, not reduced.
    reference: Callable
    #: Parameters and options; the first, {}, are the defaults.
    settings: tuple = ({},)
    sizes: tuple = ((1, 2), (7, 3), (4, 10), (3, 37))
    #: Inputs without a gradient.
    fixed: tuple = ("y",)
    #: Why no two derivatives exist, or not the ones that the formula has, where the random inputs are.
    rough: str = ""
    #: The settings with which derivatives are checked.
    smooth_setting: dict = dataclasses.field(default_factory=dict)
    #: Condition of the formula beyond that of its inputs and result: factor of the error bound.
    condition: float = 1

    def __str__(self):
        return self.name


def cases_of(cases):
    """A parametrisation by loss and setting."""
    return pytest.mark.parametrize(
        "case, setting",
        [
            pytest.param(c, s, id=c.name + "".join(f"-{k}={v:.4g}" for k, v in s.items()))
            for c in cases
            for s in c.settings
        ],
    )


def smooth_cases(cases):
    """The first case of each loss that has second derivatives."""
    first = {}
    for case in cases:
        if not case.rough:
            first.setdefault(case.name, case)
    return pytest.mark.parametrize("case", first.values(), ids=str)


def loss(name, **settings):
    return _loss(name, tuple(settings.items()))


@functools.cache
def _loss(name, settings):
    return getattr(losslang.losses, name)(reduction="none", **dict(settings))


def representable(tensor):
    """The values that f32 holds exactly."""
    return tensor.float().to(F64) if tensor.is_floating_point() else tensor


def _largest(tensor):
    finite = tensor[torch.isfinite(tensor)]
    return finite.abs().max().item() if finite.numel() else 0.0


def _bound(epsilon, case, inputs, reference):
    """Rounding of a few dozen operations: relative to the result, and the exponent of a probability
    carries the absolute error of its logits."""
    scale = max((_largest(t) for t in inputs.values() if t.is_floating_point()), default=0.0)
    return 64 * epsilon * case.condition * (1 + scale) * (1 + _largest(reference))


def _compare(what, ours, expected, bound):
    expected = expected.detach()
    ours = ours.detach().to(F64)
    assert ours.shape == expected.shape, f"{what}: {tuple(ours.shape)} != {tuple(expected.shape)}"
    known = torch.isfinite(expected)
    assert torch.isfinite(ours).all(), f"{what} is not finite: {ours}"
    difference = torch.where(known, ours - expected, torch.zeros_like(ours)).abs()
    assert not difference.isnan().any(), f"{what}: {ours}, expected {expected}"
    worst = difference.max().item() if difference.numel() else 0.0
    assert worst <= bound, f"{what} differs by {worst:.3g} > {bound:.3g}: {ours}, expected {expected}"


def check(case, setting):
    """Value and gradient, in f64 and f32, for all inputs of the case."""
    module = loss(case.name, **setting)
    for size in case.sizes:
        torch.manual_seed(7)
        for kind, made in case.inputs(size):
            made = {name: representable(t) for name, t in made.items()}
            free = [n for n, t in made.items() if n not in case.fixed and t.is_floating_point()]
            expected_inputs = {
                n: t.clone().requires_grad_(n in free) for n, t in made.items()
            }
            expected = case.reference(**expected_inputs, **setting)
            upstream = representable(torch.randn(expected.shape, dtype=F64))
            gradients = torch.autograd.grad(
                (expected * upstream).sum(),
                [expected_inputs[n] for n in free],
                materialize_grads=True,
            )
            for dtype, epsilon in EPSILON.items():
                what = f"{case.name}{setting} {kind} {size} {dtype}"
                given = {
                    n: (t.to(dtype) if t.is_floating_point() else t).clone()
                    for n, t in made.items()
                }
                for n in free:
                    given[n].requires_grad_()
                value = module(**given)
                assert value.dtype == dtype
                bound = _bound(epsilon, case, made, expected)
                _compare(what, value, expected, bound)
                value.backward(upstream.to(dtype))
                for n, gradient in zip(free, gradients):
                    grad_bound = _bound(epsilon, case, made, gradient)
                    _compare(f"gradient by {n} of {what}", given[n].grad, gradient, grad_bound)
                with torch.no_grad():
                    alone = module(**given)
                    _compare(what, alone, value.detach().to(F64), bound)
                    _check_layouts(what, module, given, alone)


def _check_layouts(what, module, given, value):
    """The same for inputs with gaps between their elements, and the reductions of the result."""
    apart = {n: torch.stack([t, t], -1)[..., 0] for n, t in given.items()}
    assert torch.equal(module(**apart), value), f"strided {what}"
    epsilon = EPSILON[value.dtype] * 2 * max(value.numel(), 1)
    for reduction in ("mean", "sum"):
        module.reduction = reduction
        try:
            reduced = module(**apart).to(F64)
        finally:
            module.reduction = "none"
        expected = getattr(value.to(F64), reduction)()
        assert (reduced - expected).abs() <= epsilon * value.to(F64).abs().sum(), f"{reduction} {what}"


def _parameters(case):
    """Numbers for the parameters, off the ends of their ranges and off numbers that formulas single out."""
    found = {}
    for parameter in loss(case.name, **case.smooth_setting).compiled.description["params"]:
        name, value = parameter["name"], parameter["default"]
        if parameter["constraint"] == "integer" or not parameter["used"]:
            continue
        value = 1.07 * value if abs(value) >= 0.05 else 0.05
        if parameter["constraint"] == "unit":
            value = min(value, 0.95)
        found[name] = torch.tensor(value, dtype=F64)
    return found


def check_derivatives(case):
    """Numeric differentiation of the loss and of its gradient, by the inputs and the parameters; once
    more by the target too where that is a distribution."""
    torch.manual_seed(3)
    kinds = list(case.inputs(case.sizes[1]))
    chosen = [(kinds[0], case.fixed)]
    chosen += [(k, ()) for k in kinds if k[0] == "random dense" and k[1]["y"].is_floating_point()][:1]
    for (kind, made), fixed in chosen:
        inputs = [n for n, t in made.items() if n not in fixed and t.is_floating_point()]
        constant = {n: t for n, t in made.items() if n not in inputs}
        parameters = _parameters(case)
        make = getattr(losslang.losses, case.name)

        def function(*values):
            given = dict(zip([*inputs, *parameters], values))
            named = {n: given.pop(n) for n in inputs}
            module = make(reduction="none", **case.smooth_setting, **given)
            return module(**constant, **named)

        values = [t.clone().requires_grad_() for t in (*(made[n] for n in inputs), *parameters.values())]
        assert torch.autograd.gradcheck(function, values, check_forward_ad=True), (case.name, kind)
        assert torch.autograd.gradgradcheck(function, values, check_fwd_over_rev=True), (case.name, kind)


# Inputs.


def classification(size, extreme=True, dense=True, labels=None):
    """Logits of samples, and class indices or a distribution."""
    rows, classes = size

    def targets():
        index = torch.randint(classes, (rows,)) if labels is None else labels(rows, classes)
        yield "index", index
        if dense:
            yield "dense", torch.softmax(torch.randn(rows, classes, dtype=F64), 1)

    kinds = {"random": lambda: torch.randn(rows, classes, dtype=F64) * 3}
    if extreme:
        kinds["extreme"] = lambda: (torch.randint(0, 3, (rows, classes)) * 50.0 - 50).to(F64)
        kinds["equal"] = lambda: torch.full((rows, classes), 0.75, dtype=F64)
        kinds["far"] = lambda: torch.full((rows, classes), -100.0, dtype=F64)
    for kind, logits in kinds.items():
        for target, y in targets():
            yield f"{kind} {target}", {"logits": logits(), "y": y}


def renamed(maker, **names):
    """The inputs of a maker under other names."""

    def make(size):
        for kind, inputs in maker(size):
            yield kind, {names.get(n, n): t for n, t in inputs.items()}

    return make


def softplus(x):
    """log(1 + exp(x)); PyTorch's own is x from 20 on."""
    return torch.logaddexp(x, torch.zeros_like(x))


def one_hot(y, classes):
    """A distribution over the classes, which are the second axis."""
    if y.is_floating_point():
        return y
    return torch.movedim(torch.nn.functional.one_hot(y, classes), -1, 1).to(F64)
