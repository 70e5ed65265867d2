"""How PyTorch traces and transforms the operators: shapes for torch.compile, rules for torch.vmap and autocast."""

import torch
from torch.utils import _pytree as pytree

from ._library import ops

_OPERATORS = ("loss", "loss_and_gradients", "gradients", "second_gradients")
#: Arguments of each operator before the key.
_BEFORE = {"loss": 0, "loss_and_gradients": 0, "gradients": 1, "second_gradients": 2}


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
    """Takes sizes that are equal now for one size, with a guard: logits and labels have as many rows."""
    seen = {}
    for tensor in tensors:
        for size in tensor.shape:
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


def _register_vmap(name):
    operator = getattr(ops, name)

    def one_by_one(info, in_dims, *args):
        results = []
        for i in range(info.batch_size):
            results.append(
                operator(
                    *pytree.tree_map(
                        lambda a, d: a if d is None else a.select(d, i),
                        args,
                        in_dims,
                        is_leaf=lambda a: a is None,
                    )
                )
            )
        result = pytree.tree_map(lambda *parts: torch.stack(parts), *results)
        return result, pytree.tree_map(lambda _: 0, result)

    torch.library.register_vmap(f"losslang::{name}", one_by_one)


for _name in _OPERATORS:
    _register_fake(_name)
    _register_vmap(_name)
# As autocast does for PyTorch's own losses.
torch.library.register_autocast("losslang::loss", "cpu", torch.float32)
