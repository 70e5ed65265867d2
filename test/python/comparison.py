"""Compares a function with PyTorch's over the cross product of options.

Value and gradients are held against PyTorch's in f64 on the same numbers. Both sides then differ by what
rounding to the types of the call and of the arithmetic allows. Dtype and shape are those of PyTorch's own call.
"""

import itertools
from collections import Counter

import torch

#: Combinations that ran, by function.
COUNTS = Counter()

DTYPES = (torch.float64, torch.float32, torch.bfloat16, torch.float16)


def arithmetic(dtype):
    """The type that is computed in."""
    return torch.float64 if dtype == torch.float64 else torch.float32


def product(**axes):
    """Dictionaries of the cross product."""
    for values in itertools.product(*axes.values()):
        yield dict(zip(axes, values))


def _run(function, inputs, learn, upstream):
    """The result and the gradients for the inputs named in `learn`, or the error."""
    leaves = {
        n: t.detach().clone().requires_grad_() if n in learn else t for n, t in inputs.items()
    }
    result = function(**leaves)
    gradients = torch.autograd.grad(
        result, [leaves[n] for n in learn], upstream(result), allow_unused=True
    )
    return result.detach(), dict(zip(learn, gradients))


def _bound(expected, dtype, scale, terms, summed=0):
    """Absolute error that rounding explains.

    In the arithmetic: every one of the `terms` numbers that are summed carries an error of a few units in
    the last place of the greatest intermediate number, `scale` (8: two vector functions of 2 units each,
    and the operations around them). Then one rounding to the type of the result, also of each of the
    `summed` numbers that autograd adds up in that type, for an input that was broadcast.
    """
    own = torch.finfo(arithmetic(dtype)).eps
    # Products of small numbers may be denormal in the result's type.
    tiny = torch.finfo(dtype).smallest_normal * torch.finfo(dtype).eps
    result = torch.finfo(dtype).eps * (expected.abs() + summed * scale)
    return 8 * own * terms * scale + result + tiny


def compare(name, theirs, ours, inputs, learn, dtype, scale=None, terms=None):
    """One combination. `inputs`: by name, floats of any type."""
    floats = [n for n, t in inputs.items() if isinstance(t, torch.Tensor) and t.is_floating_point()]
    wide = {n: t.double() if n in floats else t for n, t in inputs.items()}
    generator = torch.Generator().manual_seed(3)

    def upstream(result):
        """Neither 1 nor equal for all elements."""
        made = torch.rand(result.shape, generator=generator.manual_seed(3)) + 0.5
        return made.to(result.dtype)

    # The same upstream gradient for all three, after rounding to the result's type.
    own_result, own = _run(ours, inputs, learn, upstream)
    try:
        native, native_gradients = _run(theirs, inputs, learn, upstream)
        assert own_result.dtype == native.dtype, (own_result.dtype, native.dtype)
        assert own_result.shape == native.shape, (own_result.shape, native.shape)
        for n in learn:
            assert native_gradients[n] is None or own[n].dtype == native_gradients[n].dtype, n
    except (NotImplementedError, RuntimeError) as error:
        if "not implemented for" not in str(error):
            raise
    expected, gradients = _run(
        theirs, wide, learn, lambda r: upstream(own_result).double().reshape(r.shape)
    )

    terms = terms or max([1, *(inputs[n].numel() for n in learn)])
    magnitude = scale or max([1.0, *(float(wide[n].abs().max()) for n in floats if wide[n].numel())])
    _check(f"{name}: value", own_result, expected, dtype, magnitude, terms)
    for n in learn:
        reference = gradients[n]
        if reference is None:
            reference = torch.zeros_like(wide[n])
        copies = terms // max(inputs[n].numel(), 1)
        summed = copies if copies > 1 else 0
        _check(
            f"{name}: gradient of {n}", own[n], reference, inputs[n].dtype, magnitude, terms, summed
        )
    COUNTS[name] += 1


def _check(what, found, expected, dtype, scale, terms, summed=0):
    found = found.double()
    finite = expected.isfinite()
    # Beyond what the type holds, both are infinite.
    if dtype == torch.float16:
        finite &= expected.abs() < torch.finfo(dtype).max
    same = torch.where(
        finite,
        (found - expected).abs() <= _bound(expected, dtype, scale, terms, summed),
        (found.isnan() & expected.isnan()) | found.isinf() & (found.sign() == expected.sign()),
    )
    if not same.all():
        at = (~same).nonzero()[0].tolist()
        raise AssertionError(
            f"{what} at {at}: found {found[tuple(at)].item()!r}, "
            f"expected {expected[tuple(at)].item()!r}\nfound {found}\nexpected {expected}"
        )


def is_same_error(expected, found):
    """Whoever catches the error of PyTorch catches ours; but where PyTorch raises a plain RuntimeError, or one
    of its own way (an attribute that is missing, a type that it lacks, the place of a dimension), ours may be a ValueError or a TypeError."""
    plain = type(expected) in (RuntimeError, NotImplementedError, AttributeError)
    plain |= "Dimension" in str(expected)
    return isinstance(found, (type(expected), ValueError, TypeError) if plain else type(expected))


def same_error(name, theirs, ours, *arguments, **options):
    """Both raise, and the errors are the same."""
    caught = []
    for function in (theirs, ours):
        try:
            function(*arguments, **options)
        except Exception as error:  # noqa: BLE001
            caught.append(error)
        else:
            caught.append(None)
    expected, found = caught
    assert expected is not None, f"{name}: PyTorch takes this"
    assert found is not None, f"{name}: expected {expected!r}, but there was no error"
    assert is_same_error(expected, found), f"{name}: expected {expected!r}, but found {found!r}"
    COUNTS[name] += 1
