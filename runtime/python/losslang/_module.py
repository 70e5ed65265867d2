"""A compiled loss as a module of PyTorch."""

import torch
from torch import nn

from . import _library
from ._library import ops

_REDUCTIONS = ("none", "mean", "sum")
_OPTIONS = ("compiled", "reduction", "weight", "ignore_index", "label_smoothing")


def check_tensors(loss, inputs, names=None):
    """TypeError for what is no tensor, as PyTorch's operators raise it for the first argument."""
    for i, value in enumerate(inputs):
        if not isinstance(value, torch.Tensor):
            name = f"the input '{names[i]}'" if names else f"input {i + 1}"
            raise TypeError(
                f"loss '{loss}': {name}: expected a tensor, but found {type(value).__name__}"
            )


class Loss(nn.Module):
    """A compiled loss that behaves like torch.nn.CrossEntropyLoss.

    Parameters of the loss are keyword arguments: a number is a constant, an nn.Parameter or another
    tensor of one number is learnable. A number out of its range is an error here, a tensor when the
    loss is called. The rest is as in torch.nn.CrossEntropyLoss:

    reduction        "mean", "sum" or "none"
    weight           one factor a class; a buffer
    ignore_index     class indices that are left out
    label_smoothing  how much of the target is spread over all classes

    `loss(*inputs, sample_weight=None, **inputs)`: the inputs in the order of the program or by name.
    `input` and `target` stand for the first input that is no target and for the target (of a loss
    without one: the second input) where the program has no such names.
    """

    def __init__(
        self,
        compiled,
        *,
        reduction="mean",
        weight=None,
        ignore_index=-100,
        label_smoothing=0.0,
        **params,
    ):
        super().__init__()
        if reduction not in _REDUCTIONS:
            raise ValueError(
                f"expected reduction to be 'none', 'mean' or 'sum', but found {reduction!r}"
            )
        self.compiled = compiled
        self.reduction = reduction
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index
        self.label_smoothing = float(label_smoothing)
        description = compiled.description
        self.name = description["name"]
        self._inputs = tuple(i["name"] for i in description["inputs"])
        self._params = tuple(p["name"] for p in description["params"])
        self._values = [float(p["default"]) for p in description["params"]]
        self._aliases = self._standard_names(description["inputs"])
        self._check_names()
        for name, value in params.items():
            self._set_param(name, value)

    @staticmethod
    def _standard_names(inputs):
        targets = [i["name"] for i in inputs if i["kind"] == "target"]
        others = [i["name"] for i in inputs if i["kind"] != "target"]
        places = (("input", others[:1]), ("target", targets or others[1:2]))
        return {alias: names[0] for alias, names in places if names}

    def _check_names(self):
        for kind, names, taken in (
            ("parameter", self._params, _OPTIONS),
            ("input", self._inputs, ("sample_weight",)),
        ):
            for name in names:
                if name in taken:
                    raise ValueError(
                        f"loss '{self.name}': the {kind} '{name}' has the name of an argument of "
                        "losslang.Loss: rename it in the program"
                    )

    def _set_param(self, name, value):
        if name not in self._params:
            known = ", ".join(self._params) or "none"
            raise TypeError(f"loss '{self.name}' has no parameter '{name}' (it has: {known})")
        if isinstance(value, torch.Tensor):
            if value.numel() != 1:
                raise ValueError(
                    f"loss '{self.name}': expected the parameter '{name}' to be one number, "
                    f"but found a tensor of shape {tuple(value.shape)}"
                )
            if hasattr(self, name):
                raise ValueError(
                    f"loss '{self.name}': the parameter '{name}' has the name of an attribute of "
                    "losslang.Loss, so it cannot be a tensor: rename it in the program"
                )
            if isinstance(value, nn.Parameter):
                self.register_parameter(name, value)
            else:
                self.register_buffer(name, value)
        else:
            ops.check_param(self.compiled.key, name, float(value))
            self._values[self._params.index(name)] = float(value)

    @property
    def doc(self):
        """The documentation of the loss."""
        return self.compiled.description["doc"]

    @property
    def source(self):
        """The program."""
        return self.compiled.description["source"]

    @property
    def params(self):
        """The values of the parameters by name; tensors where they are learnable."""
        tensors = self._tensor_params()
        return {
            name: tensors.get(i, self._values[i]) for i, name in enumerate(self._params)
        }

    def _tensor_params(self):
        found = {}
        for i, name in enumerate(self._params):
            value = self._parameters.get(name)
            if value is None:
                value = self._buffers.get(name)
            if value is not None:
                found[i] = value
        return found

    def forward(self, *inputs, sample_weight=None, **named):
        inputs = self._arrange(inputs, named)
        check_tensors(self.name, inputs, self._inputs)
        learnable = self._tensor_params()
        return ops.loss(
            self.compiled.key,
            inputs,
            list(learnable.values()),
            self.weight,
            sample_weight,
            self._values,
            list(learnable),
            self.ignore_index,
            self.label_smoothing,
            self.reduction,
            1,
        )

    def _arrange(self, inputs, named):
        if not named and len(inputs) == len(self._inputs):
            return list(inputs)
        if len(inputs) > len(self._inputs):
            raise TypeError(
                f"loss '{self.name}' takes {len(self._inputs)} inputs "
                f"({', '.join(self._inputs)}), but {len(inputs)} were given"
            )
        given = dict(zip(self._inputs, inputs))
        for name, value in named.items():
            if name not in self._inputs:
                name = self._aliases.get(name, name)
            if name not in self._inputs:
                raise TypeError(
                    f"loss '{self.name}' has no input '{name}' (it has: {', '.join(self._inputs)})"
                )
            if name in given:
                raise TypeError(f"loss '{self.name}': the input '{name}' was given twice")
            given[name] = value
        missing = [name for name in self._inputs if name not in given]
        if missing:
            raise TypeError(f"loss '{self.name}': missing input '{missing[0]}'")
        return [given[name] for name in self._inputs]

    def extra_repr(self):
        parts = [
            f"{n}={v!r}" for n, v in zip(self._params, self._values) if n not in self._tensors()
        ]
        parts.append(f"reduction={self.reduction!r}")
        if self.ignore_index != -100:
            parts.append(f"ignore_index={self.ignore_index}")
        if self.label_smoothing:
            parts.append(f"label_smoothing={self.label_smoothing}")
        return ", ".join(parts)

    def _tensors(self):
        return {self._params[i] for i in self._tensor_params()}

    def _get_name(self):
        return self.name
