"""The losses of torch.nn.functional under their names and with their arguments, on library losses."""

import math
import sys

import torch
from torch.nn._reduction import legacy_get_string

from . import _library
from ._library import ops, warn


@torch.compiler.assume_constant_result
def _compiled(name, defines):
    """Key, names of the parameters and their defaults."""
    compiled = _library.compile_file(_library.STDLIB / f"{name}.loss", defines)
    params = compiled.description["params"]
    return compiled.key, [p["name"] for p in params], [p["default"] for p in params]


_known = {}
_REDUCTIONS = ("none", "mean", "sum")
#: What 0 is for a parameter that has to be greater; 0 itself once it is f32.
_TINY = sys.float_info.min


def _loss(name, *inputs, reduction, defines=(), weight=None, sample_weight=None,
          ignore_index=None, label_smoothing=0.0, **params):
    if torch.compiler.is_compiling():
        key, names, values = _compiled(name, defines)
    else:
        if (name, defines) not in _known:
            _known[name, defines] = _compiled(name, defines)
        key, names, values = _known[name, defines]
    _check_reduction(reduction)
    tensors, places = [], []
    values = list(values)
    for param, value in params.items():
        place = names.index(param)
        if isinstance(value, torch.Tensor):
            tensors.append(value)
            places.append(place)
        else:
            values[place] = float(value)
    return ops.loss(key, list(inputs), tensors, weight, sample_weight, values, places,
                    ignore_index, float(label_smoothing), reduction, 1,
                    _library.program(key))  # fmt: skip


def _weighted(name, *inputs, reduction, count, **options):
    """Like _loss, where the mean divides by `count` and not by the sum of the weights."""
    weights = options.get("weight"), options.get("sample_weight")
    if reduction != "mean" or weights == (None, None):
        return _loss(name, *inputs, reduction=reduction, **options)
    if inputs[0].dtype == torch.float16:
        # The sum may be more than the type holds.
        return _loss(name, *inputs, reduction="none", **options).mean()
    return _loss(name, *inputs, reduction="sum", **options) / count


def _numbers(*tensors, target=True):
    """Integers beside floating-point numbers become such, as everywhere in PyTorch. The last tensor may hold
    them where it is the target."""
    floats = [t for t in tensors if t.is_floating_point()]
    if not floats or all(t.is_floating_point() for t in tensors[: len(tensors) - target]):
        return tensors
    return [t if t.is_floating_point() else t.to(floats[0].dtype) for t in tensors]


def _broadcast(*tensors):
    return torch.broadcast_tensors(*_numbers(*tensors))


def _flag(name, value):
    """What is true or false, and not a number by mistake."""
    if not isinstance(value, bool):
        raise TypeError(f"expected {name} to be True or False, but found {value!r}")
    return value


# A program that is traced warns when it is traced.
@torch.compiler.assume_constant_result
def _warn(text):
    warn(text, UserWarning)


def _check_tensors(**inputs):
    for name, value in inputs.items():
        if not isinstance(value, torch.Tensor):
            raise TypeError(f"expected a tensor as {name}, but found {type(value).__name__}")


def _check_reduction(reduction):
    if reduction not in _REDUCTIONS:
        raise ValueError(
            f"expected reduction to be 'none', 'mean' or 'sum', but found {reduction!r}"
        )


def _reduction(size_average, reduce, reduction, names=_REDUCTIONS, old=True):
    """The reduction that is meant. Deprecated are the first two arguments and, where the function knows
    them (`old`), names of other times."""
    if size_average is not None or reduce is not None:
        reduction = legacy_get_string(size_average, reduce, emit_warning=False)
        _warn(f"size_average and reduce are deprecated: write reduction={reduction!r} instead")
    elif reduction == "elementwise_mean" and old:
        _warn("reduction='elementwise_mean' is deprecated: write reduction='mean' instead")
        return "mean"
    elif reduction not in names:
        _check_reduction(reduction)
    return reduction


def _warn_of_shapes(input, target):
    """Of tensors that fit only because they are broadcast."""
    if input.shape == target.shape:
        return
    if torch.compiler.is_compiling():
        # The sizes may be symbols.
        what = "the shapes of input and target differ"
    else:
        what = f"the input has the shape {tuple(input.shape)}, the target {tuple(target.shape)}"
    _warn(f"{what}: both are broadcast, and each number may meet many others. Give them one shape")


def _require(holds, values, message, category=RuntimeError):
    """An error unless all are true; the message may name {place} and {value} of the first that is not. A
    program that is traced has no numbers yet, and PyTorch's does not look at them either."""
    if not torch.compiler.is_compiling():
        ops.require(holds, values.detach(), message, category.__name__)


def _same_shape(input, target):
    if input.shape != target.shape:
        raise ValueError(
            f"expected a target of the input's shape {tuple(input.shape)}, but found "
            f"{tuple(target.shape)}"
        )


def _check_indices(input, target):
    if target.is_floating_point():
        raise RuntimeError(f"expected class indices of an integer type, but found {target.dtype}")
    if target.dim() != max(input.dim() - 1, 0):
        raise ValueError(
            f"expected class indices in one dimension less than the input of shape "
            f"{tuple(input.shape)}, but found the shape {tuple(target.shape)}"
        )


def _one_row(input, target):
    """The class index of a single row may be a list of one."""
    return target.reshape(()) if input.dim() == 1 and target.shape == (1,) else target


def _check_probabilities(input, target):
    if not target.is_floating_point() and target.shape == input.shape:
        raise RuntimeError(
            f"expected probabilities of a floating-point type, but found {target.dtype}"
        )


def cross_entropy(input, target, weight=None, size_average=None, ignore_index=-100, reduce=None,
                  reduction="mean", label_smoothing=0.0):  # fmt: skip
    """torch.nn.functional.cross_entropy."""
    _check_tensors(input=input, target=target)
    reduction = _reduction(size_average, reduce, reduction)
    _check_probabilities(input, target)
    if not target.is_floating_point():
        target = _one_row(input, target)
    return _loss("cross_entropy", input, target, reduction=reduction, weight=weight,
                 ignore_index=ignore_index, label_smoothing=label_smoothing)  # fmt: skip


def nll_loss(input, target, weight=None, size_average=None, ignore_index=-100, reduce=None,
             reduction="mean"):  # fmt: skip
    """torch.nn.functional.nll_loss."""
    _check_tensors(input=input, target=target)
    reduction = _reduction(size_average, reduce, reduction)
    target = _one_row(input, target)
    _check_indices(input, target)
    return _loss("nll", input, target, reduction=reduction, weight=weight,
                 ignore_index=ignore_index)  # fmt: skip


def binary_cross_entropy(input, target, weight=None, size_average=None, reduce=None,
                         reduction="mean"):  # fmt: skip
    """torch.nn.functional.binary_cross_entropy."""
    _check_tensors(input=input, target=target)
    reduction = _reduction(size_average, reduce, reduction)
    _same_shape(input, target)
    _require((input >= 0) & (input <= 1), input,
             "expected probabilities from 0 to 1 as the input, but found {value} at {place}")  # fmt: skip
    if weight is not None:
        weight = weight.expand(input.shape)
    return _weighted("bce", input, target, reduction=reduction, sample_weight=weight,
                     count=input.numel())  # fmt: skip


def binary_cross_entropy_with_logits(input, target, weight=None, size_average=None, reduce=None,
                                     reduction="mean", pos_weight=None):  # fmt: skip
    """torch.nn.functional.binary_cross_entropy_with_logits."""
    _check_tensors(input=input, target=target)
    reduction = _reduction(size_average, reduce, reduction)
    _same_shape(input, target)
    if weight is not None:
        weight = weight.expand(input.shape)
    options = {"reduction": reduction, "count": input.numel()}
    if pos_weight is None:
        return _weighted("bce_with_logits", input, target, sample_weight=weight, **options)
    # One weight an element covers every way to broadcast.
    flat = [t.reshape(1, -1) for t in (input, target)]
    if weight is not None:
        weight = weight.reshape(1, -1)
    pos_weight = pos_weight.expand(input.shape).reshape(-1)
    result = _weighted("bce_with_logits_pos_weight", *flat, pos_weight, sample_weight=weight,
                       **options)  # fmt: skip
    return result.reshape(input.shape) if reduction == "none" else result


def kl_div(input, target, size_average=None, reduce=None, reduction="mean", log_target=False):  # fmt: skip
    """torch.nn.functional.kl_div."""
    _check_tensors(input=input, target=target)
    if (size_average, reduce, reduction) == (None, None, "mean"):
        _warn("reduction='mean' divides by the number of elements: the divergence of distributions is "
              "reduction='batchmean'")  # fmt: skip
    reduction = _reduction(size_average, reduce, reduction, names=(*_REDUCTIONS, "batchmean"))
    first = input.size(0) if input.dim() else 1
    input, target = _broadcast(input, target)
    options = {"defines": (("log_target", _flag("log_target", log_target)),)}
    if reduction == "batchmean":
        return _loss("kl_div", input, target, reduction="sum", **options) / first
    return _loss("kl_div", input, target, reduction=reduction, **options)


def l1_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):  # fmt: skip
    """torch.nn.functional.l1_loss."""
    _check_tensors(input=input, target=target)
    _warn_of_shapes(input, target)
    reduction = _reduction(size_average, reduce, reduction, old=weight is None)
    return _regression("l1", input, target, reduction, weight)


def mse_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):  # fmt: skip
    """torch.nn.functional.mse_loss."""
    _check_tensors(input=input, target=target)
    _warn_of_shapes(input, target)
    reduction = _reduction(size_average, reduce, reduction, old=weight is None)
    return _regression("mse", input, target, reduction, weight)


def smooth_l1_loss(input, target, size_average=None, reduce=None, reduction="mean", beta=1.0):  # fmt: skip
    """torch.nn.functional.smooth_l1_loss."""
    _check_tensors(input=input, target=target)
    _warn_of_shapes(input, target)
    reduction = _reduction(size_average, reduce, reduction)
    return _regression("smooth_l1", input, target, reduction, beta=beta)


def huber_loss(input, target, reduction="mean", delta=1.0, weight=None):
    """torch.nn.functional.huber_loss."""
    _check_tensors(input=input, target=target)
    _warn_of_shapes(input, target)
    reduction = _reduction(None, None, reduction, old=weight is None)
    # PyTorch's mean divides by the number of elements here, and not by the sum of the weights.
    count = torch.broadcast_shapes(input.shape, target.shape).numel()
    return _regression("huber", input, target, reduction, weight, count, delta=delta)


def _regression(name, input, target, reduction, weight=None, count=None, **params):
    if weight is not None and weight.size() != input.size():
        raise ValueError("Weights and input must have the same size.")
    input, target = _broadcast(input, target)
    if weight is not None:
        weight = weight.expand(input.shape)
    options = {"reduction": reduction, "sample_weight": weight, **params}
    if count is None:
        return _loss(name, input, target, **options)
    return _weighted(name, input, target, count=count, **options)


def poisson_nll_loss(input, target, log_input=True, full=False, size_average=None, eps=1e-8,
                     reduce=None, reduction="mean"):  # fmt: skip
    """torch.nn.functional.poisson_nll_loss."""
    _check_tensors(input=input, target=target)
    reduction = _reduction(size_average, reduce, reduction, old=False)
    input, target = _broadcast(input, target)
    defines = (("log_input", _flag("log_input", log_input)), ("full", _flag("full", full)))
    # Only a rate needs it.
    params = {} if log_input else {"eps": eps or _TINY}
    return _loss("poisson_nll", input, target, reduction=reduction, defines=defines, **params)


def gaussian_nll_loss(input, target, var, full=False, eps=1e-6, reduction="mean"):
    """torch.nn.functional.gaussian_nll_loss."""
    _check_tensors(input=input, target=target, **({} if isinstance(var, float) else {"var": var}))
    _check_reduction(reduction)
    if isinstance(var, float):
        if var < 0:
            raise ValueError(f"expected a variance from 0, but found {var}")
        var = var * torch.ones_like(input)
    elif var.size() != input.size():
        if input.size()[:-1] == var.size():
            var = var.unsqueeze(-1)
        elif input.dim() != var.dim() or sum(v for i, v in zip(input.size(), var.size()) if i != v) != 1:
            raise ValueError(
                f"expected a variance of the input's shape {tuple(input.shape)}, or with one dimension of "
                f"it missing or of size 1, but found the shape {tuple(var.shape)}"
            )
    _require(~(var < 0), var, "expected variances from 0, but found {value} at {place}", ValueError)
    input, target, var = _broadcast(input, target, var)
    return _loss("gaussian_nll", input, target, var, reduction=reduction,
                 defines=(("full", bool(full)),), eps=max(eps, _TINY))  # fmt: skip


def multi_margin_loss(input, target, p=1, margin=1.0, weight=None, size_average=None, reduce=None,
                      reduction="mean"):  # fmt: skip
    """torch.nn.functional.multi_margin_loss."""
    _check_tensors(input=input, target=target)
    reduction = _reduction(size_average, reduce, reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    rows = input.reshape(1, -1) if input.dim() < 2 else input
    if input.dim() > 2 or target.dim() > 1 or target.numel() != rows.shape[0]:
        raise ValueError(
            f"expected scores of shape (N, C) or (C) and a class index for each row, but found the shapes "
            f"{tuple(input.shape)} and {tuple(target.shape)}"
        )
    if weight is not None and weight.dim() != 1:
        raise ValueError(f"expected a weight a class, but found the shape {tuple(weight.shape)}")
    classes = rows.shape[1]
    _require((target >= 0) & (target < classes), target,
             f"expected class indices from 0 to {classes - 1}, but found {{value}} at {{place}}")  # fmt: skip
    # No class index is special here.
    result = _weighted("multi_margin", rows, target.reshape(-1), reduction=reduction, weight=weight,
                       ignore_index=-(2**63), defines=(("p", int(p)),), margin=margin,
                       count=max(target.numel(), 1))  # fmt: skip
    return result.reshape(target.shape) if reduction == "none" else result


def multilabel_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):  # fmt: skip
    """torch.nn.functional.multilabel_margin_loss."""
    _check_tensors(input=input, target=target)
    reduction = _reduction(size_average, reduce, reduction)
    rows, listed = (t.reshape(1) if t.dim() == 0 else t for t in (input, target))
    if rows.shape != listed.shape or rows.dim() > 2:
        raise ValueError(
            "expected scores of shape (N, C) or (C) and as many labels, but found the shapes "
            f"{tuple(input.shape)} and {tuple(target.shape)}"
        )
    # Labels are listed in rows that end with -1; the loss itself would pass over a wrong one.
    classes = input.shape[-1] if input.dim() else 1
    _require((target >= -1) & (target < classes), target,
             "the loss 'multilabel_margin': the target at {place} is {value}, but expected -1 to "
             f"{classes - 1} ({classes} classes)")  # fmt: skip
    return _loss("multilabel_margin", rows, listed, reduction=reduction)


def multilabel_soft_margin_loss(input, target, weight=None, size_average=None, reduce=None,
                                reduction="mean"):  # fmt: skip
    """torch.nn.functional.multilabel_soft_margin_loss."""
    _check_tensors(input=input, target=target)
    reduction = _reduction(size_average, reduce, reduction, old=False)
    if input.dim() == 0:
        raise IndexError("expected classes in the last dimension of the input, but found a scalar")
    if weight is None and input.shape == target.shape:
        # The last dimension is that of the classes, whatever lies before it.
        shape = input.shape[:-1]
        if len(shape) > 1:
            input, target = input.flatten(0, -2), target.flatten(0, -2)
        result = _loss("multilabel_soft_margin", input, target, reduction=reduction)
        return result.reshape(shape) if reduction == "none" else result
    classes, axis = input.shape[-1], input.dim() - 1
    each = _loss("bce_with_logits", *_broadcast(input, target), reduction="none")
    each = (each if weight is None else each * weight).sum(axis) / classes
    return each if reduction == "none" else getattr(each, reduction)()


def soft_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):  # fmt: skip
    """torch.nn.functional.soft_margin_loss."""
    _check_tensors(input=input, target=target)
    reduction = _reduction(size_average, reduce, reduction)
    shape = input.shape
    input, target = _broadcast(input, target)
    if input.shape != shape:
        raise ValueError(
            f"expected a target that is broadcast to the input's shape {tuple(shape)}, but found "
            f"{tuple(target.shape)}"
        )
    return _loss("soft_margin", input, target, reduction=reduction)


def hinge_embedding_loss(input, target, margin=1.0, size_average=None, reduce=None,
                         reduction="mean"):  # fmt: skip
    """torch.nn.functional.hinge_embedding_loss."""
    _check_tensors(input=input, target=target)
    reduction = _reduction(size_average, reduce, reduction)
    return _loss("hinge_embedding", *_broadcast(input, target), reduction=reduction, margin=margin)


def cosine_embedding_loss(input1, input2, target, margin=0, size_average=None, reduce=None,
                          reduction="mean"):  # fmt: skip
    """torch.nn.functional.cosine_embedding_loss."""
    _check_tensors(input1=input1, input2=input2, target=target)
    reduction = _reduction(size_average, reduce, reduction)
    if input1.dim() != input2.dim() or input1.dim() != target.dim() + 1 or target.dim() > 1:
        raise RuntimeError(
            "expected two inputs of one or two dimensions and a target of one less, but found the "
            f"shapes {tuple(input1.shape)}, {tuple(input2.shape)} and {tuple(target.shape)}"
        )
    if target.dim() == 1 and input1.shape[1] == input2.shape[1]:
        rows = torch.broadcast_shapes(input1.shape[:1], input2.shape[:1], target.shape)
        input1, input2 = (t.expand(*rows, t.shape[1]) for t in (input1, input2))
        target = target.expand(rows)
    input1, input2, target = _numbers(input1, input2, target)
    return _loss("cosine_embedding", input1, input2, target, reduction=reduction, margin=margin)


def margin_ranking_loss(input1, input2, target, margin=0, size_average=None, reduce=None,
                        reduction="mean"):  # fmt: skip
    """torch.nn.functional.margin_ranking_loss."""
    _check_tensors(input1=input1, input2=input2, target=target)
    reduction = _reduction(size_average, reduce, reduction)
    if not input1.dim() == input2.dim() == target.dim():
        raise ValueError(
            "expected inputs and a target of equally many dimensions, but found the shapes "
            f"{tuple(input1.shape)}, {tuple(input2.shape)} and {tuple(target.shape)}"
        )
    return _loss("margin_ranking", *_broadcast(input1, input2, target), reduction=reduction,
                 margin=margin)  # fmt: skip


def triplet_margin_loss(anchor, positive, negative, margin=1.0, p=2, eps=1e-6, swap=False,
                        size_average=None, reduce=None, reduction="mean"):  # fmt: skip
    """torch.nn.functional.triplet_margin_loss."""
    _check_tensors(anchor=anchor, positive=positive, negative=negative)
    reduction = _reduction(size_average, reduce, reduction)
    if not margin > 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    if not anchor.dim() == positive.dim() == negative.dim():
        raise ValueError(
            "expected inputs of equally many dimensions, but found the shapes "
            f"{tuple(anchor.shape)}, {tuple(positive.shape)} and {tuple(negative.shape)}"
        )
    swap, p = _flag("swap", swap), float(p)
    options = {"reduction": reduction, "margin": margin}
    inputs = _numbers(anchor, positive, negative, target=False)
    anchor, positive, negative = (t.unsqueeze(-1) if t.dim() == 0 else t for t in inputs)
    pairs = [(anchor, positive), (anchor, negative)] + [(positive, negative)] * swap
    lengths = {torch.broadcast_shapes(*(t.shape[-1:] for t in pair)) for pair in pairs}
    if len(lengths) > 1 or not 0 < p < math.inf:
        # Distances that are no sum over one axis: what they are ranked by is the same.
        near, far, *swapped = (torch.pairwise_distance(*pair, p, eps) for pair in pairs)
        far = torch.minimum(far, *swapped) if swapped else far
        near, far = torch.broadcast_tensors(near, far)
        return _loss("margin_ranking", far, near, torch.ones_like(near), **options)
    # The last dimension is that of the embeddings, whatever lies before it.
    inputs = torch.broadcast_tensors(anchor, positive, negative)
    shape = inputs[0].shape[:-1]
    if len(shape) > 1:
        inputs = [t.flatten(0, -2) for t in inputs]
    defines = (("p", int(p) if p == int(p) else p), ("swap", swap))
    result = _loss("triplet_margin", *inputs, defines=defines, eps=eps, **options)
    return result.reshape(shape) if reduction == "none" else result
