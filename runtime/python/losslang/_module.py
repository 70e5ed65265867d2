"""A compiled loss as a module of PyTorch."""

import torch
from torch import nn

from . import _library, _settings
from ._library import ops

#: What a keyword of Loss means; each is an attribute, too.
_OPTIONS = ("reduction", "weight", "ignore_index", "label_smoothing")


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

    Parameters of the loss are keyword arguments and attributes, and together in `params`: a number is a
    constant, an nn.Parameter or another tensor of one number is learnable. A number out of its range is
    an error when it is given, a tensor when the loss is called. Options of the program are attributes
    as well: to assign one compiles the program again. The rest is as in torch.nn.CrossEntropyLoss:

    reduction        "mean", "sum" or "none"
    weight           one factor a class; a buffer
    ignore_index     class indices that are left out; without a target over classes, labels
    label_smoothing  how much of the target is spread over all classes

    What is assigned holds from the next call on, also under torch.compile; what the loss has no use for
    is an error.

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
        ignore_index=None,
        label_smoothing=0.0,
        **params,
    ):
        super().__init__()
        description = compiled.description
        self._compiled = compiled
        self._name = description["name"]
        self._inputs = tuple(i["name"] for i in description["inputs"])
        self._aliases = self._standard_names(description["inputs"])
        names = [p["name"] for p in description["params"]]
        options = [o["name"] for o in description["options"]]
        self._check_names(names, options)
        # By name; None for a parameter that is a tensor, which is registered as such.
        self._numbers = dict.fromkeys(names)
        # The numbers once more: a graph of torch.compile takes tensors as inputs, where numbers would
        # be a part of it.
        self._traced_numbers = {}
        self._program_options = frozenset(options)
        self.register_buffer("weight", None)
        self.ignore_index = None
        self.label_smoothing = 0.0
        self.reduction = reduction
        #: The settings that are attributes: others have the name of something else.
        self._attributes = frozenset(
            name
            for name in (*names, *options)
            if not hasattr(type(self), name) and name not in self.__dict__
        )
        for described in description["params"]:
            self._numbers[described["name"]] = described["default"]
            self._trace_number(described["name"])
        self.weight = weight
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing
        for name, value in params.items():
            if name in self._program_options:
                self._set_program_option(name, value)
            elif name in self._numbers:
                self._set_param(name, value)
            else:
                raise TypeError(self._no_param(name))

    @staticmethod
    def _standard_names(inputs):
        targets = [i["name"] for i in inputs if i["kind"] == "target"]
        others = [i["name"] for i in inputs if i["kind"] != "target"]
        places = (("input", others[:1]), ("target", targets or others[1:2]))
        return {alias: names[0] for alias, names in places if names}

    def _check_names(self, params, options):
        taken = ("compiled", *_OPTIONS)
        for kind, names, taken in (
            ("parameter", params, taken),
            ("option", options, taken),
            ("input", self._inputs, ("sample_weight",)),
        ):
            for name in names:
                if name in taken:
                    raise ValueError(
                        f"loss '{self.name}': the {kind} '{name}' has the name of an argument of "
                        "losslang.Loss: rename it in the program"
                    )

    # Settings as attributes.

    def __setattr__(self, name, value):
        if name.startswith("_"):
            super().__setattr__(name, value)
        elif name in _OPTIONS:
            super().__setattr__(name, self._checked(name, value))
        elif name in self._attributes:
            if name in self._program_options:
                self._set_program_option(name, value)
            else:
                self._set_param(name, value)
        else:
            self._check_attribute(name, value)
            if name in self._numbers:
                # An attribute of every module, and not the parameter of that name, which may be registered.
                object.__setattr__(self, name, value)
            else:
                super().__setattr__(name, value)

    def __getattr__(self, name):
        # Where nn.Module finds nothing else.
        settings = self.__dict__
        if name in settings.get("_attributes", ()):
            if name in settings["_program_options"]:
                return self._program_option(name)
            value = settings["_numbers"][name]
            if value is not None:
                return value
        return super().__getattr__(name)

    def __delattr__(self, name):
        # A tensor may make room for a parametrization of it.
        if name in _OPTIONS or (name in self._attributes and name not in self._tensors()):
            raise AttributeError(f"loss '{self.name}': '{name}' cannot be removed")
        super().__delattr__(name)

    def __dir__(self):
        return sorted({*super().__dir__(), *self._attributes})

    def _check_attribute(self, name, value):
        """AttributeError for what looks like a setting and is none."""
        if name in self._buffers and name not in self._numbers:
            return
        if name in self._numbers and not isinstance(value, bool):
            raise AttributeError(
                f"loss '{self.name}': '{name}' is an attribute of every module; the parameter of that "
                f'name is params["{name}"]'
            )
        plain = isinstance(value, (bool, int, float, complex, str, torch.Tensor))
        if type(self) is Loss and plain and name != "training" and not isinstance(
            getattr(type(self), name, None), property
        ):
            known = [*self._numbers, *sorted(self._program_options), *_OPTIONS]
            raise AttributeError(
                f"loss '{self.name}' has no setting '{name}' (it has: {', '.join(known)})"
                f"{_settings.did_you_mean(name, known)}",
                name=name,
                obj=self,
            )

    def _checked(self, name, value):
        """A value of an option of this class, or the error for it."""
        what = f"loss '{self.name}': {name}"
        if name == "reduction":
            return _settings.reduction(value)
        if name == "weight":
            if value is not None and not isinstance(value, torch.Tensor):
                raise TypeError(f"{what}: expected a tensor, but found {type(value).__name__}")
            self._check_options(weight=value)
        elif name == "ignore_index":
            if value is None:
                # As in PyTorch; a number may be a label of -100.
                description = self._compiled.description
                return -100 if description["ignores"] and description["class_axis"] >= 0 else None
            value = _settings.index(value, what)
            self._check_options(ignore_index=value)
        else:
            value = _settings.number(value, what)
            self._check_options(label_smoothing=value)
        return value

    def _check_options(self, weight=None, ignore_index=None, label_smoothing=0.0):
        ops.check_options(self._compiled.key, weight, ignore_index, label_smoothing)

    # Parameters.

    def _no_param(self, name):
        known = [*self._numbers]
        return (
            f"loss '{self.name}' has no parameter '{name}' (it has: {', '.join(known) or 'none'})"
            f"{_settings.did_you_mean(str(name), known)}"
        )

    def _check_used(self, name, value):
        """ValueError for a value that would change nothing with the options as they are."""
        about = next(p for p in self._compiled.description["params"] if p["name"] == name)
        if about["used"] or (not isinstance(value, torch.Tensor) and value == about["default"]):
            return
        options = [f"{o['name']}={o['value']!r}" for o in self._compiled.description["options"]]
        raise ValueError(
            f"loss '{self.name}': the parameter '{name}' has no influence on the result"
            + (f" with {', '.join(options)}" if options else "")
        )

    def _set_param(self, name, value):
        if isinstance(value, torch.Tensor):
            _settings.check_parameter_tensor(value, self.name, name)
            self._check_used(name, value)
            self._forget_tensor(name)
            (self._parameters if isinstance(value, nn.Parameter) else self._buffers)[name] = value
            self._numbers[name] = None
            self._traced_numbers.pop(name, None)
        else:
            value = _settings.number(value, f"loss '{self.name}': the parameter '{name}'")
            ops.check_param(self._compiled.key, name, value)
            self._check_used(name, value)
            self._forget_tensor(name)
            self._numbers[name] = value
            self._trace_number(name)

    def _forget_tensor(self, name):
        self._parameters.pop(name, None)
        self._buffers.pop(name, None)

    def _trace_number(self, name):
        # A new tensor: an old one may be kept for a backward pass. Not a scalar: of those torch.compile
        # takes the number for a symbol, and traces again when nothing uses it.
        with torch.inference_mode(False):
            self._traced_numbers[name] = torch.tensor(
                [self._numbers[name]], dtype=torch.float64, device="cpu"
            )

    def _get_param(self, name):
        value = self._numbers[name]
        if value is not None:
            return value
        if name in self._attributes:
            # A parametrization of it, too.
            return getattr(self, name)
        found = self._parameters.get(name)
        return self._buffers[name] if found is None else found

    def _tensors(self):
        """The names of the parameters that are tensors."""
        return {n for n, v in self._numbers.items() if v is None}

    def __getstate__(self):
        state = {**self.__dict__}
        for name in ("_numbers", "_parameters", "_buffers"):
            state[name] = dict(state[name])
        del state["_traced_numbers"]
        return state

    def __setstate__(self, state):
        self.__dict__["_traced_numbers"] = {}
        super().__setstate__(state)
        for name, value in self._numbers.items():
            if value is not None:
                self._trace_number(name)

    def _replicate_for_data_parallel(self):
        replica = super()._replicate_for_data_parallel()
        # As the attributes of every replica, not the same as those of the module.
        replica._numbers = dict(self._numbers)
        replica._traced_numbers = dict(self._traced_numbers)
        return replica

    # Options of the program.

    def _program_option(self, name):
        return next(o["value"] for o in self._compiled.description["options"] if o["name"] == name)

    def _set_program_option(self, name, value):
        self._compiled = self._compiled.with_option(name, value)

    @property
    def compiled(self):
        """The program and its key."""
        return self._compiled

    @property
    def name(self):
        """The name of the loss."""
        return self._name

    @property
    def doc(self):
        """The documentation of the loss."""
        return self._compiled.description["doc"]

    @property
    def source(self):
        """The program, with the functions that it imports and the values of its options in it."""
        return self._compiled.description["source"]

    @property
    def params(self):
        """The parameters by name: a view, through which they can be assigned."""
        return _settings.Params(self)

    def forward(self, *inputs, sample_weight=None, **named):
        inputs = self._arrange(inputs, named)
        check_tensors(self._name, inputs, self._inputs)
        numbers, tensors, places = [], [], []
        as_tensors = self._traced_numbers if torch.compiler.is_compiling() else {}
        for place, name in enumerate(self._numbers):
            value = as_tensors[name] if name in as_tensors else self._get_param(name)
            if isinstance(value, torch.Tensor):
                tensors.append(value)
                places.append(place)
                value = 0.0
            numbers.append(value)
        return ops.loss(
            self._compiled.key,
            inputs,
            tensors,
            self.weight,
            sample_weight,
            numbers,
            places,
            self.ignore_index,
            self.label_smoothing,
            self.reduction,
            1,
            _library.program(self.compiled.key),
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
        parts = [f"{name}={_shown(value)}" for name, value in self.params.items()]
        parts += [f"{o['name']}={o['value']!r}" for o in self._compiled.description["options"]]
        parts.append(f"reduction={self.reduction!r}")
        if self.ignore_index not in (None, -100):
            parts.append(f"ignore_index={self.ignore_index}")
        if self.label_smoothing:
            parts.append(f"label_smoothing={self.label_smoothing}")
        return ", ".join(parts)

    def _get_name(self):
        return self.name


def _shown(value):
    """A parameter in a line of text: 2.0, or Parameter(2) where it is learned."""
    if not isinstance(value, torch.Tensor):
        return repr(value)
    kind = "Parameter" if isinstance(value, nn.Parameter) else "tensor"
    known = type(value) in (torch.Tensor, nn.Parameter) and not value.is_meta
    return f"{kind}({format(value.item(), '.6g') if known else '...'})"
