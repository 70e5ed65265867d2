"""The settings of a loss: what they may be, and its parameters as a mapping."""

import difflib
from collections.abc import MutableMapping

import torch

REDUCTIONS = ("none", "mean", "sum")


def number(value, what):
    """A real number as a float; TypeError for what is none, a text that spells one too."""
    if isinstance(value, (str, bytes, torch.Tensor)) or not (
        hasattr(value, "__float__") or hasattr(value, "__index__")
    ):
        raise TypeError(f"{what}: expected a number, but found {type(value).__name__}")
    return float(value)


def index(value, what):
    """A whole number as an int; TypeError for what is none."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{what}: expected a whole number, but found {type(value).__name__}")
    return value.__index__()


def reduction(value):
    """One of REDUCTIONS, or a ValueError."""
    if not isinstance(value, str) or value not in REDUCTIONS:
        raise ValueError(f"expected reduction to be 'none', 'mean' or 'sum', but found {value!r}")
    return value


def check_parameter_tensor(value, loss, name):
    """Of one real number; its range is checked when the loss is called, since it may be learned."""
    expected = f"loss '{loss}': expected the parameter '{name}' to be one"
    if value.numel() != 1:
        raise ValueError(f"{expected} number, but found a tensor of shape {tuple(value.shape)}")
    if value.is_complex() or value.dtype == torch.bool:
        raise TypeError(f"{expected} real number, but found {value.dtype}")


def did_you_mean(name, known):
    """"; did you mean 'gamma'?", or nothing."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean '{close[0]}'?" if close else ""


class Params(MutableMapping):
    """The parameters of a loss by name, as they are at any time.

    To assign one is to assign the attribute of that name. Parameters cannot be removed. It also reaches
    those that have the name of an attribute of `torch.nn.Module`.
    """

    def __init__(self, loss):
        self._loss = loss

    def __getitem__(self, name):
        return self._loss._get_param(self._known(name))

    def __setitem__(self, name, value):
        self._loss._set_param(self._known(name), value)

    def __delitem__(self, name):
        raise TypeError(f"{self._known(name)!r}: the parameters of a loss cannot be removed")

    def __iter__(self):
        return iter(self._loss._numbers)

    def __len__(self):
        return len(self._loss._numbers)

    def __repr__(self):
        return repr(dict(self))

    def _known(self, name):
        if name not in self._loss._numbers:
            raise KeyError(self._loss._no_param(name))
        return name
