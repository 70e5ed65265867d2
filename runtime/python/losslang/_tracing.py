"""How PyTorch traces and transforms the operators: shapes for torch.compile, rules for torch.vmap and autocast."""

import torch
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


class _Sizes:
    """Stands numbers in for the symbols of dynamic shapes, and finds the sizes behind the numbers again."""

    def __init__(self, tensors):
        used = {n for t in tensors for n in (*t.shape, *t.stride()) if isinstance(n, int)}
        symbols = set()
        for tensor in tensors:
            for size in (*tensor.shape, *tensor.stride()):
                if isinstance(size, torch.SymInt):
                    symbols |= size.node.expr.free_symbols
        # Numbers that are no size of another dimension, so that the way back is clear.
        free = (n for n in range(2, 1 << 30) if n not in used)
        self.numbers = {symbol: next(free) for symbol in sorted(symbols, key=str)}
        self.sizes = {}
        for tensor in tensors:
            for size in tensor.shape:
                self.sizes.setdefault(self.number(size), size)

    def number(self, size):
        if isinstance(size, int):
            return size
        return int(size.node.expr.subs(self.numbers))

    def meta(self, tensor):
        return torch.empty_strided(
            [self.number(n) for n in tensor.shape],
            [self.number(n) for n in tensor.stride()],
            dtype=tensor.dtype,
            device="meta",
        )

    def fake(self, tensor, device):
        shape = [self.sizes.get(n, n) for n in tensor.shape]
        # Dense in the order of the strides.
        strides, step = [0] * len(shape), 1
        for d in sorted(range(len(shape)), key=lambda d: (tensor.stride(d), -d)):
            strides[d] = step
            step = step * shape[d]
        return torch.empty_strided(shape, strides, dtype=tensor.dtype, device=device)


def _unify(tensors):
    """Takes sizes that are equal now for one size, with a guard: logits and labels have as many rows,
    and as many classes as there are weights."""
    sizes = [size for tensor in tensors for size in tensor.shape]
    seen = {size: size for size in sizes if isinstance(size, int)}
    for size in sizes:
        if isinstance(size, torch.SymInt) and size.node.has_hint():
            other = seen.setdefault(size.node.hint, size)
            if not other == size:
                raise AssertionError(f"{other} and {size} differ")


def _register_fake(name):
    infer = getattr(ops, f"infer_{name}")

    def fake(*args):
        tensors = [a for a in pytree.tree_leaves(args) if isinstance(a, torch.Tensor)]

        def attempt():
            sizes = _Sizes(tensors)
            with torch._subclasses.fake_tensor.unset_fake_temporarily():
                return sizes, infer(*pytree.tree_map_only(torch.Tensor, sizes.meta, args))

        try:
            sizes, result = attempt()
        except ValueError:
            # Two symbols for what the loss wants to be one size.
            _unify(tensors)
            sizes, result = attempt()
        device = tensors[0].device
        return pytree.tree_map_only(torch.Tensor, lambda t: sizes.fake(t, device), result)

    torch.library.register_fake(f"losslang::{name}", fake)


class _Unfoldable(Exception):
    """Why the calls of a batch cannot be one call."""


class _Fold:
    """A batch of calls as one call with more rows, reduced in groups."""

    def __init__(self, size, call, dims):
        self.size = size
        self.key, inputs, params, weight, sample_weight, *numbers, reduction, groups = call
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
        if sample_weight is not None:
            sample_weight = self._lead(sample_weight, sample_weight_dim)
            if self.by_rows and sample_weight.dim() == 1:
                # One number for all rows of a sample.
                sample_weight = sample_weight[:, None].expand(size, first.shape[1])
            sample_weight = self._merge(sample_weight)
        self.reduced = reduction != "none"
        self.inner_groups = groups
        self.groups = size * groups if self.reduced else 1
        inputs = [self._merge(t) if has else t for t, has in zip(inputs, self.has_rows)]
        self.call = (
            self.key, inputs, params, weight, sample_weight, *numbers, reduction, self.groups,
        )  # fmt: skip

    def _lead(self, tensor, dim):
        """The batch as the first dimension."""
        if dim is None:
            return tensor.expand(self.size, *tensor.shape)
        return tensor.movedim(dim, 0)

    def _merge(self, tensor):
        return tensor.flatten(0, 1) if self.by_rows else tensor

    def _split(self, tensor):
        if not self.by_rows:
            return tensor
        return tensor.unflatten(0, (self.size, tensor.shape[0] // self.size))

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


for _name in _BEFORE:
    _register_fake(_name)
_register_vmap("loss", _fold_loss)
_register_vmap("gradients", _fold_gradients)
_register_vmap("second_gradients", _fold_second_gradients)
_register_vmap("directional_derivative", _fold_directional_derivative)
# As autocast does for PyTorch's own losses.
torch.library.register_autocast("losslang::loss", "cpu", torch.float32)
