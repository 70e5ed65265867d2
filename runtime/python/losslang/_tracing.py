"""How PyTorch traces and transforms the operators: shapes for torch.compile, rules for torch.vmap and autocast."""

import torch
from torch._subclasses.fake_tensor import unset_fake_temporarily
from torch.utils import _pytree as pytree

from ._library import describe, ops, warn

#: Each operator, with the number of arguments before the key.
_BEFORE = {
    "loss": 0,
    "loss_and_gradients": 0,
    "gradients": 1,
    "second_gradients": 2,
    "directional_derivative": 1,
}


def _like(tensor):
    """Room for a gradient: of the tensor's type and layout."""
    return torch.empty_like(tensor, requires_grad=False)


def _result(*call, wanted=()):
    """Room for the result of a call. Its sizes are made of the symbols of the inputs' own sizes; where
    the loss needs two of them to be equal, the program is traced under that condition."""

    def on_meta(tensor):
        return torch.empty(tensor.shape, dtype=tensor.dtype, device="meta")

    with unset_fake_temporarily():
        result, layout_of = ops.infer(*pytree.tree_map_only(torch.Tensor, on_meta, call), wanted)
    inputs = call[1]
    if layout_of >= 0:
        return torch.empty_like(inputs[layout_of], dtype=result.dtype, requires_grad=False)
    return torch.empty_strided(
        result.shape, result.stride(), dtype=result.dtype, device=inputs[0].device
    )


def _tensors(call):
    """Those of a call, in the order that `wanted` counts them."""
    _, inputs, params, weight, sample_weight, *_ = call
    return [*inputs, *params, *(t for t in (weight, sample_weight) if t is not None)]


def _gradients(call, wanted):
    tensors = _tensors(call)
    return [_like(tensors[place]) for place in wanted]


# What each operator returns, without memory behind it.


def _fake_loss_and_gradients(*args):
    *call, wanted = args
    return _result(*call, wanted=wanted), _gradients(call, wanted)


def _fake_gradients(upstream, *args):
    *call, wanted = args
    return _gradients(call, wanted)


def _fake_second_gradients(upstream, tangents, *args):
    *call, wanted, second_wanted = args
    return _result(*call), _gradients(call, second_wanted)


def _fake_directional_derivative(tangents, *args):
    *call, wanted = args
    return _result(*call)


class _Unfoldable(Exception):
    """Why the calls of a batch cannot be one call."""


def _lead(size, tensor, dim):
    """The batch as the first dimension."""
    return tensor.expand(size, *tensor.shape) if dim is None else tensor.movedim(dim, 0)


class _Fold:
    """A batch of calls as one call with more rows, reduced in groups."""

    def __init__(self, size, call, dims):
        self.size = size
        self.key, inputs, params, weight, sample_weight, *numbers, reduction, groups, program = call
        input_dims, param_dims, weight_dim, sample_weight_dim = dims[1:5]
        description = describe(self.key)
        if description["row_axis"] < 0:
            raise _Unfoldable("it has no row axis")
        if any(d is not None for d in param_dims):
            raise _Unfoldable("its parameters differ between the samples")
        if weight_dim is not None:
            raise _Unfoldable("its class weights differ between the samples")
        row_axis = description["axes"][description["row_axis"]]
        self.inputs = description["inputs"]
        self.has_rows = [row_axis in i["axes"] for i in self.inputs]
        self.row_places = {place for place, has in enumerate(self.has_rows) if has}
        for described, has_rows, d in zip(self.inputs, self.has_rows, input_dims):
            if not has_rows and d is not None:
                raise _Unfoldable(
                    f"its input '{described['name']}' lacks the axis '{row_axis}' "
                    "and differs between the samples"
                )
        inputs = [
            self._lead(t, d) if has_rows else t
            for t, d, has_rows in zip(inputs, input_dims, self.has_rows)
        ]
        # A sample may lack the row axis; then it is one row.
        scores = [
            (len(described["axes"]), t)
            for described, has_rows, t in zip(self.inputs, self.has_rows, inputs)
            if has_rows and described["kind"] != "target"
        ]
        if not scores:
            raise _Unfoldable(f"only its target has the axis '{row_axis}'")
        axes, first = max(scores, key=lambda pair: pair[0])
        self.by_rows = first.dim() - 1 >= axes
        self.rows = first.shape[1] if self.by_rows else 1
        if sample_weight is not None:
            sample_weight = self._lead(sample_weight, sample_weight_dim)
            if self.by_rows and sample_weight.dim() == 1:
                # One number for all rows of a sample.
                sample_weight = sample_weight[:, None].expand(size, self.rows)
            sample_weight = self._merge(sample_weight)
        self.reduced = reduction != "none"
        self.inner_groups = groups
        self.groups = size * groups if self.reduced else 1
        inputs = [self._merge(t) if has else t for t, has in zip(inputs, self.has_rows)]
        self.call = (
            self.key, inputs, params, weight, sample_weight, *numbers, reduction, self.groups,
            program,
        )  # fmt: skip

    def _lead(self, tensor, dim):
        return _lead(self.size, tensor, dim)

    def _merge(self, tensor):
        return tensor.flatten(0, 1) if self.by_rows else tensor

    def _split(self, tensor):
        if not self.by_rows:
            return tensor
        return tensor.unflatten(0, (self.size, self.rows))

    def like_input(self, tensor, dim):
        return self._merge(self._lead(tensor, dim))

    def like_result(self, tensor, dim):
        tensor = self._lead(tensor, dim)
        if self.reduced:
            return tensor.reshape((self.groups,) if self.groups > 1 else ())
        return self._merge(tensor)

    def split_result(self, tensor):
        if not self.reduced:
            return self._split(tensor)
        return tensor.reshape(
            (self.size, self.inner_groups) if self.inner_groups > 1 else (self.size,)
        )

    def split_gradients(self, tensors):
        return [self._split(t) for t in tensors]

    def check_tangents(self, places, dims):
        """A direction in what all samples share is shared as well."""
        for place, d in zip(places, dims):
            if d is not None and (place not in self.row_places):
                raise _Unfoldable(
                    "tangents of parameters or of inputs that lack the row axis differ between "
                    "the samples"
                )

    def check_gradients(self, places):
        """Of what all samples share the rows of a call are summed, and so would be the samples."""
        for place in places:
            if place >= len(self.inputs):
                raise _Unfoldable("gradients of its parameters are wanted for each sample")
            if not self.has_rows[place]:
                raise _Unfoldable(
                    f"gradients of its input '{self.inputs[place]['name']}', which lacks the row "
                    "axis, are wanted for each sample"
                )


_warned = set()


def _one_by_one(name, why, info, in_dims, args):
    """What vmap does without a rule, with a warning as PyTorch's own."""
    loss = describe(args[_BEFORE[name]])["name"]
    if (loss, why) not in _warned:
        _warned.add((loss, why))
        warn(
            f"There is a performance drop: vmap computes the loss '{loss}' for one sample after "
            f"another, because {why}.",
            UserWarning,
        )
    operator = getattr(ops, name)
    results = []
    for i in range(info.batch_size):
        sample = pytree.tree_map(
            lambda a, d: a if d is None else a.select(d, i),
            args,
            in_dims,
            is_leaf=lambda a: a is None,
        )
        results.append(operator(*sample))
    result = pytree.tree_map(lambda *parts: torch.stack(parts), *results)
    return result, pytree.tree_map(lambda _: 0, result)


def _register_vmap(name, folded):
    """`folded(size, in_dims, *args)`: the batch of calls as one, or _Unfoldable."""

    def rule(info, in_dims, *args):
        try:
            result = folded(info.batch_size, in_dims, *args)
        except _Unfoldable as why:
            return _one_by_one(name, str(why), info, in_dims, args)
        return result, pytree.tree_map(lambda _: 0, result)

    torch.library.register_vmap(f"losslang::{name}", rule)


def _fold_loss(size, dims, *call):
    fold = _Fold(size, call, dims)
    return fold.split_result(ops.loss(*fold.call))


def _fold_gradients(size, dims, upstream, *rest):
    *call, wanted = rest
    fold = _Fold(size, call, dims[1:])
    fold.check_gradients(wanted)
    upstream = fold.like_result(upstream, dims[0])
    return fold.split_gradients(ops.gradients(upstream, *fold.call, wanted))


def _fold_second_gradients(size, dims, upstream, tangents, *rest):
    *call, wanted, second_wanted = rest
    fold = _Fold(size, call, dims[2:])
    fold.check_gradients([*wanted, *second_wanted])
    upstream = fold.like_result(upstream, dims[0])
    tangents = [fold.like_input(t, d) for t, d in zip(tangents, dims[1])]
    for_upstream, found = ops.second_gradients(
        upstream, tangents, *fold.call, wanted, second_wanted
    )
    return fold.split_result(for_upstream), fold.split_gradients(found)


def _fold_directional_derivative(size, dims, tangents, *rest):
    *call, wanted = rest
    fold = _Fold(size, call, dims[1:])
    fold.check_tangents(wanted, dims[0])
    tangents = [
        fold.like_input(t, d) if place in fold.row_places else t
        for t, d, place in zip(tangents, dims[0], wanted)
    ]
    return fold.split_result(ops.directional_derivative(tangents, *fold.call, wanted))


for _name, _fake in {
    "loss": _result,
    "loss_and_gradients": _fake_loss_and_gradients,
    "gradients": _fake_gradients,
    "second_gradients": _fake_second_gradients,
    "directional_derivative": _fake_directional_derivative,
    # Without numbers there is nothing to check.
    "require": lambda *_: None,
}.items():
    torch.library.register_fake(f"losslang::{_name}", _fake)

def _require_all(info, in_dims, holds, values, *rest):
    """What holds for all samples holds for each."""
    ops.require(*(_lead(info.batch_size, t, d) for t, d in zip((holds, values), in_dims)), *rest)
    return None, None


torch.library.register_vmap("losslang::require", _require_all)
_register_vmap("loss", _fold_loss)
_register_vmap("gradients", _fold_gradients)
_register_vmap("second_gradients", _fold_second_gradients)
_register_vmap("directional_derivative", _fold_directional_derivative)
# As autocast does for PyTorch's own losses.
torch.library.register_autocast("losslang::loss", "cpu", torch.float32)
