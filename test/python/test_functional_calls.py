"""Every call of a functional loss: value, error and warnings are those of torch.nn.functional.

Each function is called with every shape, type and option beside its usual ones, one or two at a time. What
PyTorch takes, ours takes, with the same result; what it refuses, ours refuses; and where it warns, ours warns,
in the same category and of the line of the caller. Ours takes more types (docs/drop-in.md).
"""

import itertools
import warnings

import pytest
import torch
import torch.nn.functional as F
from comparison import is_same_error
from functional_inputs import FUNCTIONS, numbers

from losslang import functional as L

SHAPES = [(), (1,), (3,), (4,), (4, 1), (1, 3), (4, 3), (2, 4, 3), (2, 3, 4), (0,), (0, 3), (1, 4, 3)]
TYPES = [
    torch.float64, torch.float32, torch.bfloat16, torch.float16, torch.int64, torch.int32, torch.uint8,
    torch.bool,
]  # fmt: skip
REDUCTIONS = ["none", "mean", "sum", "batchmean", "elementwise_mean", "average"]
DEPRECATED = [{"size_average": a, "reduce": r} for a in (None, True, False) for r in (None, True, False)]


def arguments(name, **changed):
    """The usual inputs, where `changed` names a shape or a type by input."""
    inputs, _ = FUNCTIONS[name]
    made = {}
    for input, (kind, shape) in inputs.items():
        dtype = torch.int64 if kind in ("index", "listed") else torch.float32
        shape = changed.get(f"{input}.shape", shape)
        made[input] = numbers(shape, kind, changed.get(f"{input}.dtype", dtype))
    return made


def calls(name):
    """Keyword arguments of all calls that are compared."""
    inputs, options = FUNCTIONS[name]
    for shapes in itertools.product(*[SHAPES] * len(inputs)):
        if len(inputs) == 3 and len(set(shapes)) == 3:
            continue
        for reduction in ("none", "mean"):
            yield {
                **arguments(name, **{f"{i}.shape": s for i, s in zip(inputs, shapes)}),
                "reduction": reduction,
            }
    for types in itertools.product(*[TYPES] * len(inputs)):
        if len(inputs) == 3 and len(set(types)) == 3:
            continue
        kinds = [kind for kind, _ in inputs.values()]
        if not any(t.is_floating_point for t in types) or any(
            t == torch.uint8 and kind != "index" for t, kind in zip(types, kinds)
        ):
            # PyTorch computes some of these in integers, modulo 256.
            continue
        made = arguments(name, **{f"{i}.dtype": t for i, t in zip(inputs, types)})
        if not isinstance(outcome(getattr(F, name), made)[0], Exception):
            yield made
    for reduction in REDUCTIONS:
        for broadcast in (False, True):
            # Warnings of two causes.
            first = {f"{next(iter(inputs))}.shape": (1, 3)} if broadcast else {}
            yield {**arguments(name, **first), "reduction": reduction}
            if "weight" in options:
                shape = next(iter(options["weight"]))
                yield {**arguments(name, **first), "reduction": reduction, "weight": numbers(shape)}
    if name not in ("huber_loss", "gaussian_nll_loss"):
        for deprecated in DEPRECATED:
            yield {**arguments(name), **deprecated}
            yield {**arguments(name), **deprecated, "reduction": "sum"}
    for option, values in options.items():
        for value in values:
            for reduction in ("none", "mean", "sum"):
                made = numbers(value, "positive") if isinstance(value, tuple) else value
                yield {**arguments(name), option: made, "reduction": reduction}
    for input in inputs:
        for wrong in (None, [1.0, 2.0]):
            yield {**arguments(name), input: wrong}


def outcome(function, options):
    """The result or the error, and the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = function(**options)
        except Exception as error:  # noqa: BLE001
            result = error
    return result, caught


def shown(value):
    return f"{value.dtype}{list(value.shape)}" if isinstance(value, torch.Tensor) else repr(value)


def difference(name, options):
    """What differs between PyTorch's function and ours, or None."""
    expected, their_warnings = outcome(getattr(F, name), options)
    found, our_warnings = outcome(getattr(L, name), options)
    tensors = [t for t in options.values() if isinstance(t, torch.Tensor)]
    errors = sum(isinstance(each, Exception) for each in (expected, found))
    if any(t.numel() == 0 for t in tensors) and (errors or options["reduction"] == "mean"):
        # Of nothing: PyTorch's means are NaN, 0 or what lay in memory, its errors those of some place.
        return None
    if isinstance(expected, Exception):
        if not is_same_error(expected, found):
            return f"expected {expected!r}, but found {found!r}"
    elif isinstance(found, Exception):
        return f"expected {shown(expected)}, but found {found!r}"
    else:
        mixed = len({t.dtype for t in tensors}) > 1
        if found.shape != expected.shape or (found.dtype != expected.dtype and not mixed):
            return f"expected {shown(expected)}, but found {shown(found)}"
        # Of the types that are mixed PyTorch takes any, to compute in and for the result.
        types = {t.dtype if t.is_floating_point() else torch.float32 for t in tensors} if mixed else set()
        eps = max(torch.finfo(t).eps for t in (found.dtype, *types))
        try:
            torch.testing.assert_close(
                found.to(expected.dtype), expected, rtol=32 * eps, atol=32 * eps, equal_nan=True
            )
        except AssertionError as error:
            return f"{error}; expected {expected}, but found {found}"
        categories = [sorted(w.category.__name__ for w in ws) for ws in (their_warnings, our_warnings)]
        if categories[0] != categories[1]:
            texts = [str(w.message) for w in (*their_warnings, *our_warnings)]
            return f"expected the warnings {categories[0]}, but found {categories[1]}: {texts}"
    lines = {w.filename for w in our_warnings}
    return f"warns of the lines of {lines}" if lines - {__file__} else None


@pytest.mark.parametrize("name", FUNCTIONS)
def test_calls(name):
    different = []
    for options in calls(name):
        why = difference(name, options)
        if why is not None:
            different.append(f"{name}({', '.join(f'{n}={shown(v)}' for n, v in options.items())}): {why}")
    assert not different, f"{len(different)} calls:\n" + "\n".join(different)
