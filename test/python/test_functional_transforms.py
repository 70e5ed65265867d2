"""torch.func of functional losses: each transform of each function gives what that of PyTorch's own gives.

Where PyTorch's function cannot be transformed (it looks at numbers), the samples are taken one by one.
"""

import warnings

import pytest
import torch
import torch.nn.functional as F
from functional_inputs import FUNCTIONS, numbers
from torch.func import grad, hessian, jacfwd, jacrev, jvp, vjp, vmap

from losslang import functional as L

#: Without a second derivative at every point, or with one that PyTorch does not offer.
SMOOTH = {
    "cross_entropy", "binary_cross_entropy", "binary_cross_entropy_with_logits", "mse_loss", "huber_loss",
    "smooth_l1_loss", "poisson_nll_loss", "gaussian_nll_loss", "soft_margin_loss",
    "multilabel_soft_margin_loss", "kl_div", "nll_loss",
}  # fmt: skip
REDUCTIONS = ("mean", "sum", "none")


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="reduction")
        # PyTorch's own functions without a rule for vmap.
        warnings.filterwarnings("ignore", message="There is a performance drop because we have not")
        yield


def samples(name, *batch):
    """The inputs of a function, with dimensions of a batch in front."""
    inputs, _ = FUNCTIONS[name]
    return [
        numbers(batch + shape, kind, torch.int64 if kind in ("index", "listed") else torch.float64)
        for kind, shape in inputs.values()
    ]


def learned(name):
    """The places of the inputs that are differentiated by."""
    return [i for i, (kind, _) in enumerate(FUNCTIONS[name][0].values()) if kind in ("real", "unit", "positive")]


def of(module, name, reduction):
    function = getattr(module, name)
    return lambda *inputs: function(*inputs, reduction=reduction)


def scalar(function):
    """With a result of one number: another factor for each element."""

    def total(*inputs):
        value = function(*inputs)
        return (value * torch.arange(1, value.numel() + 1).reshape(value.shape)).sum()

    return total


def check(name, reduction, transform, inputs, in_dims=None):
    """`transform(function)(*inputs)` of ours and PyTorch's. Where PyTorch has no derivative of this kind, there
    is another way to the same numbers."""
    found = transform(of(L, name, reduction))(*inputs)
    theirs = of(F, name, reduction)
    try:
        expected = transform(theirs)(*inputs)
    except NotImplementedError:
        expected = transform.otherwise(theirs)(*inputs)
    except RuntimeError as error:
        if "data-dependent" not in str(error) or in_dims is None:
            raise
        expected = loop(transform.inner(theirs), inputs, in_dims)
    torch.testing.assert_close(found, expected)


def loop(function, inputs, in_dims):
    size = next(t.shape[d] for t, d in zip(inputs, in_dims) if d is not None)
    each = [
        function(*(t if d is None else t.select(d, i) for t, d in zip(inputs, in_dims)))
        for i in range(size)
    ]
    if isinstance(each[0], tuple):
        return tuple(torch.stack(parts) for parts in zip(*each))
    return torch.stack(each)


class Plain:
    """A transform without a batch."""

    def __init__(self, transform, otherwise=None):
        self.transform, self.otherwise = transform, otherwise

    def __call__(self, function):
        return self.transform(function)


class Batched:
    """vmap of a transform."""

    def __init__(self, inner, in_dims, otherwise=None):
        self.inner, self.in_dims = inner, tuple(in_dims)
        self.otherwise = otherwise and (lambda f: vmap(otherwise(f), in_dims=self.in_dims))

    def __call__(self, function):
        return vmap(self.inner(function), in_dims=self.in_dims)


def plain(function):
    return function


def gradient(places):
    return lambda function: grad(scalar(function), argnums=tuple(places))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_vmap(name, reduction):
    for inner in (plain, gradient(learned(name)[:1])):
        inputs = samples(name, 3)
        dims = [0] * len(inputs)
        check(name, reduction, Batched(inner, dims), inputs, dims)
        # The batch as the last dimension of the first input.
        moved = [inputs[0].movedim(0, -1), *inputs[1:]]
        check(name, reduction, Batched(inner, [-1, *dims[1:]]), moved, [inputs[0].dim() - 1, *dims[1:]])
        # All samples share one input.
        for place in range(len(inputs)):
            shared = [t[0] if i == place else t for i, t in enumerate(inputs)]
            own = [None if i == place else 0 for i in range(len(inputs))]
            check(name, reduction, Batched(inner, own), shared, own)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_vmap_of_vmap(name, reduction):
    function, inputs = of(L, name, reduction), samples(name, 2, 3)
    flat = [t.flatten(0, 1) for t in inputs]
    for inner in (plain, gradient(learned(name)[:1])):
        found = vmap(vmap(inner(function)))(*inputs)
        expected = loop(inner(of(F, name, reduction)), flat, [0] * len(flat))
        if isinstance(found, tuple):
            (found,), (expected,) = found, expected
        torch.testing.assert_close(found.flatten(0, 1), expected)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives(name, reduction):
    inputs, places = samples(name), tuple(learned(name)[:1])
    directions = tuple(torch.randn_like(inputs[p]) for p in places)

    def along(function):
        def by(*values):
            given = list(inputs)
            for place, value in zip(places, values):
                given[place] = value
            return function(*given)

        return by

    values = tuple(inputs[p] for p in places)
    def by_reverse(function):
        jacobian = jacrev(along(function))(*values)
        dims = directions[0].dim()
        return along(function)(*values), (jacobian * directions[0]).flatten(-dims).sum(-1)

    for transform, otherwise in (
        (gradient(places), None),
        (lambda f: jacrev(f, argnums=places), None),
        (lambda f: jacfwd(f, argnums=places), lambda f: jacrev(f, argnums=places)),
        (lambda f: lambda *_: jvp(along(f), values, directions), lambda f: lambda *_: by_reverse(f)),
        (lambda f: lambda *_: vjp(along(f), *values)[0], None),
    ):
        check(name, reduction, Plain(transform, otherwise), inputs)


@pytest.mark.parametrize("name", sorted(SMOOTH))
def test_hessian(name):
    inputs, place = samples(name), learned(name)[0]

    def forward(f):
        return hessian(f, argnums=place)

    def reverse(f):
        return jacrev(jacrev(f, argnums=place), argnums=place)

    check(name, "mean", Plain(forward, reverse), inputs)
    batch, dims = samples(name, 2), [0] * len(inputs)
    check(name, "mean", Batched(forward, dims, reverse), batch, dims)


def test_values_are_checked_in_each_sample():
    """As outside of vmap."""
    x = torch.rand(3, 2, 4)
    x[1, 0, 2] = 1.5
    for transform in (
        lambda f: f, vmap, lambda f: vmap(grad(f)), lambda f: vmap(vmap(f)),
        lambda f: grad(lambda *xy: vmap(f)(*xy).sum()),
    ):  # fmt: skip
        with pytest.raises(RuntimeError, match=r"from 0 to 1 as the input, but found 1\.5 at \[1, 0, 2\]"):
            transform(L.binary_cross_entropy)(x, torch.ones_like(x))
    with pytest.raises(ValueError, match="variances"):
        vmap(L.gaussian_nll_loss)(x, x, -x)
    with pytest.raises(RuntimeError, match="but expected -1 to 3"):
        vmap(L.multilabel_margin_loss)(x[:, 0], torch.full((3, 4), 4))
