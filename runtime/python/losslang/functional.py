"""The losses of torch.nn.functional under their names and with their arguments, on library losses."""

import math

import torch
from torch.nn._reduction import legacy_get_string

from . import _library
from ._library import ops
from ._module import check_tensors


@torch.compiler.assume_constant_result
def _compiled(name, defines):
    """Key, names of the parameters and their defaults."""
    compiled = _library.compile_file(_library.STDLIB / f"{name}.loss", defines)
    params = compiled.description["params"]
    return compiled.key, [p["name"] for p in params], [p["default"] for p in params]


_known = {}


def _loss(name, *inputs, reduction, defines=(), weight=None, sample_weight=None,
          ignore_index=None, label_smoothing=0.0, **params):
    if torch.compiler.is_compiling():
        key, names, values = _compiled(name, defines)
    else:
        if (name, defines) not in _known:
            _known[name, defines] = _compiled(name, defines)
        key, names, values = _known[name, defines]
    _check_reduction(reduction)
    check_tensors(name, inputs)
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
                    ignore_index, float(label_smoothing), reduction, 1)  # fmt: skip


def _weighted(name, *inputs, reduction, count, **options):
    """Like _loss, where the mean divides by `count` and not by the sum of the weights."""
    weights = options.get("weight"), options.get("sample_weight")
    if reduction != "mean" or weights == (None, None):
        return _loss(name, *inputs, reduction=reduction, **options)
    if inputs[0].dtype == torch.float16:
        # The sum may be more than the type holds.
        return _loss(name, *inputs, reduction="none", **options).mean()
    return _loss(name, *inputs, reduction="sum", **options) / count


def _broadcast(*tensors):
    return torch.broadcast_tensors(*tensors)


def _check_reduction(reduction):
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction")


def _reduction(size_average, reduce, reduction):
    """What PyTorch's deprecated arguments mean."""
    if size_average is None and reduce is None:
        return reduction
    return legacy_get_string(size_average, reduce)


def _check_indices(target):
    if isinstance(target, torch.Tensor) and target.is_floating_point():
        raise RuntimeError(f"expected class indices of an integer type, but found {target.dtype}")


def _check_probabilities(input, target):
    if not isinstance(target, torch.Tensor) or target.is_floating_point():
        return
    if target.shape == input.shape:
        raise RuntimeError(
            f"expected probabilities of a floating-point type, but found {target.dtype}"
        )


def cross_entropy(input, target, weight=None, size_average=None, ignore_index=-100, reduce=None,
                  reduction="mean", label_smoothing=0.0):  # fmt: skip
    """torch.nn.functional.cross_entropy."""
    reduction = _reduction(size_average, reduce, reduction)
    _check_probabilities(input, target)
    return _loss("cross_entropy", input, target, reduction=reduction, weight=weight,
                 ignore_index=ignore_index, label_smoothing=label_smoothing)  # fmt: skip


def nll_loss(input, target, weight=None, size_average=None, ignore_index=-100, reduce=None,
             reduction="mean"):  # fmt: skip
    """torch.nn.functional.nll_loss."""
    reduction = _reduction(size_average, reduce, reduction)
    _check_indices(target)
    return _loss("nll", input, target, reduction=reduction, weight=weight,
                 ignore_index=ignore_index)  # fmt: skip


def binary_cross_entropy(input, target, weight=None, size_average=None, reduce=None,
                         reduction="mean"):  # fmt: skip
    """torch.nn.functional.binary_cross_entropy."""
    reduction = _reduction(size_average, reduce, reduction)
    _same_shape(input, target)
    if not torch.compiler.is_compiling() and not torch.all((input >= 0) & (input <= 1)):
        raise RuntimeError("all elements of input should be between 0 and 1")
    if weight is not None:
        weight = weight.expand(input.shape)
    return _weighted("bce", input, target, reduction=reduction, sample_weight=weight,
                     count=input.numel())  # fmt: skip


def binary_cross_entropy_with_logits(input, target, weight=None, size_average=None, reduce=None,
                                     reduction="mean", pos_weight=None):  # fmt: skip
    """torch.nn.functional.binary_cross_entropy_with_logits."""
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
    reduction = _reduction(size_average, reduce, reduction)
    first = input.size(0) if input.dim() else 1
    input, target = _broadcast(input, target)
    options = {"defines": (("log_target", bool(log_target)),)}
    if reduction == "batchmean":
        return _loss("kl_div", input, target, reduction="sum", **options) / first
    return _loss("kl_div", input, target, reduction=reduction, **options)


def l1_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):  # fmt: skip
    """torch.nn.functional.l1_loss."""
    reduction = _reduction(size_average, reduce, reduction)
    return _regression("l1", input, target, reduction, weight)


def mse_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):  # fmt: skip
    """torch.nn.functional.mse_loss."""
    reduction = _reduction(size_average, reduce, reduction)
    return _regression("mse", input, target, reduction, weight)


def smooth_l1_loss(input, target, size_average=None, reduce=None, reduction="mean", beta=1.0):  # fmt: skip
    """torch.nn.functional.smooth_l1_loss."""
    reduction = _reduction(size_average, reduce, reduction)
    return _regression("smooth_l1", input, target, reduction, beta=beta)


def huber_loss(input, target, reduction="mean", delta=1.0, weight=None):
    """torch.nn.functional.huber_loss."""
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
    reduction = _reduction(size_average, reduce, reduction)
    input, target = _broadcast(input, target)
    defines = (("log_input", bool(log_input)), ("full", bool(full)))
    return _loss("poisson_nll", input, target, reduction=reduction, defines=defines, eps=eps)


def gaussian_nll_loss(input, target, var, full=False, eps=1e-6, reduction="mean"):
    """torch.nn.functional.gaussian_nll_loss."""
    _check_reduction(reduction)
    if isinstance(var, float):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = var * torch.ones_like(input)
    elif var.size() != input.size():
        if input.size()[:-1] == var.size():
            var = var.unsqueeze(-1)
        elif not (input.size()[:-1] == var.size()[:-1] and var.size(-1) == 1):
            raise ValueError("var is of incorrect size")
    if not torch.compiler.is_compiling() and torch.any(var < 0):
        raise ValueError("var has negative entry/entries")
    input, target, var = _broadcast(input, target, var)
    return _loss("gaussian_nll", input, target, var, reduction=reduction,
                 defines=(("full", bool(full)),), eps=eps)  # fmt: skip


def multi_margin_loss(input, target, p=1, margin=1.0, weight=None, size_average=None, reduce=None,
                      reduction="mean"):  # fmt: skip
    """torch.nn.functional.multi_margin_loss."""
    reduction = _reduction(size_average, reduce, reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if input.dim() == 1 and target.shape == (1,):
        # One row may have its index in a list.
        input = input.reshape(1, -1)
    # No class index is special here.
    return _weighted("multi_margin", input, target, reduction=reduction, weight=weight,
                     ignore_index=-(2**63), defines=(("p", int(p)),), margin=margin,
                     count=max(target.numel(), 1))  # fmt: skip


def multilabel_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):  # fmt: skip
    """torch.nn.functional.multilabel_margin_loss."""
    reduction = _reduction(size_average, reduce, reduction)
    if not torch.compiler.is_compiling():
        _check_listed(target, input.shape[-1] if input.dim() else 1)
    return _loss("multilabel_margin", input, target, reduction=reduction)


def multilabel_soft_margin_loss(input, target, weight=None, size_average=None, reduce=None,
                                reduction="mean"):  # fmt: skip
    """torch.nn.functional.multilabel_soft_margin_loss."""
    reduction = _reduction(size_average, reduce, reduction)
    _same_shape(input, target)
    if weight is None:
        # The last dimension is that of the classes, whatever lies before it.
        shape = input.shape[:-1]
        if len(shape) > 1:
            input, target = input.flatten(0, -2), target.flatten(0, -2)
        result = _loss("multilabel_soft_margin", input, target, reduction=reduction)
        return result.reshape(shape) if reduction == "none" else result
    _check_reduction(reduction)
    each = _loss("bce_with_logits", input, target, reduction="none",
                 sample_weight=weight.expand(input.shape)).mean(-1)  # fmt: skip
    return each if reduction == "none" else getattr(each, reduction)()


def soft_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):  # fmt: skip
    """torch.nn.functional.soft_margin_loss."""
    reduction = _reduction(size_average, reduce, reduction)
    return _loss("soft_margin", *_broadcast(input, target), reduction=reduction)


def hinge_embedding_loss(input, target, margin=1.0, size_average=None, reduce=None,
                         reduction="mean"):  # fmt: skip
    """torch.nn.functional.hinge_embedding_loss."""
    reduction = _reduction(size_average, reduce, reduction)
    return _loss("hinge_embedding", *_broadcast(input, target), reduction=reduction, margin=margin)


def cosine_embedding_loss(input1, input2, target, margin=0, size_average=None, reduce=None,
                          reduction="mean"):  # fmt: skip
    """torch.nn.functional.cosine_embedding_loss."""
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
    return _loss("cosine_embedding", input1, input2, target, reduction=reduction, margin=margin)


def margin_ranking_loss(input1, input2, target, margin=0, size_average=None, reduce=None,
                        reduction="mean"):  # fmt: skip
    """torch.nn.functional.margin_ranking_loss."""
    reduction = _reduction(size_average, reduce, reduction)
    return _loss("margin_ranking", *_broadcast(input1, input2, target), reduction=reduction,
                 margin=margin)  # fmt: skip


def triplet_margin_loss(anchor, positive, negative, margin=1.0, p=2, eps=1e-6, swap=False,
                        size_average=None, reduce=None, reduction="mean"):  # fmt: skip
    """torch.nn.functional.triplet_margin_loss."""
    reduction = _reduction(size_average, reduce, reduction)
    if not margin > 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    p = float(p)
    if not p > 0:
        raise ValueError(f"p must be greater than 0, got {p}")
    defines = (("p", int(p) if math.isfinite(p) and p == int(p) else p), ("swap", bool(swap)))
    pairs = [(anchor, positive), (anchor, negative)] + [(positive, negative)] * bool(swap)
    if len({torch.broadcast_shapes(*(t.shape[-1:] for t in pair)) for pair in pairs}) > 1:
        raise ValueError("expected pairs of inputs that agree in the last dimension, but found "
                         f"{', '.join(str(tuple(t.shape)) for t in (anchor, positive, negative))}")
    inputs = _broadcast(anchor, positive, negative)
    # The last dimension is that of the embeddings, whatever lies before it.
    shape = inputs[0].shape[:-1]
    if len(shape) > 1:
        inputs = [t.flatten(0, -2) for t in inputs]
    result = _loss("triplet_margin", *inputs, reduction=reduction, defines=defines, margin=margin,
                   eps=eps)  # fmt: skip
    return result.reshape(shape) if reduction == "none" else result


def _check_listed(target, classes):
    """Labels listed in rows that end with -1: the loss itself would pass over a wrong one."""
    wrong = ((target < -1) | (target >= classes)).nonzero()
    if len(wrong):
        place = wrong[0].tolist()
        raise RuntimeError(f"the loss 'multilabel_margin': the target at {place} is "
                           f"{target[tuple(place)].item()}, but expected -1 to {classes - 1} "
                           f"({classes} classes)")


def _same_shape(input, target):
    if input.shape != target.shape:
        raise ValueError(
            f"Target size ({target.shape}) must be the same as input size ({input.shape})"
        )
