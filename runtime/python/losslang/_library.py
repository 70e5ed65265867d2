"""The operators of the compiled library, and the losses by their keys."""

import difflib
import json
import pathlib
import sys
import warnings
from dataclasses import dataclass, field

import torch

_FOLDER = pathlib.Path(__file__).parent
#: The folder of the library losses.
STDLIB = _FOLDER / "stdlib"

torch.ops.load_library(str(_FOLDER / "_losslang.so"))
ops = torch.ops.losslang


class CompileError(SyntaxError):
    """A loss does not compile. The text is lossc's own: file, line, source line, caret, notes."""

    def __init__(self, diagnostics):
        super().__init__(diagnostics)
        self.diagnostics = diagnostics

    def __str__(self):
        return self.diagnostics

    def __reduce__(self):
        return type(self), (self.diagnostics,)


class OptionError(CompileError, ValueError):
    """A loss compiles, but not with the options that were given."""


class LossWarning(UserWarning):
    """The compiler warns of a loss. The text is lossc's own; its first line ends with [NAME]."""


class LoadError(OSError):
    """A file is no compiled loss that this version can use."""


@dataclass(frozen=True)
class Compiled:
    """A compiled loss: its key in the operators, what it is, and all that is needed to make it again."""

    key: str
    text: str | None
    file_name: str
    defines: tuple = ()
    library: bytes | None = field(default=None, repr=False)
    warnings: tuple = field(default=(), repr=False, compare=False)

    def __reduce__(self):
        if self.library is not None:
            return _load_bytes, (self.library, self.file_name)
        return compile_text, (self.text, self.file_name, self.defines)

    @property
    def description(self):
        """As in describe()."""
        return describe(self.key)


_descriptions = {}


def names():
    """The losses of the library, sorted."""
    return sorted(path.stem for path in STDLIB.glob("*.loss"))


def no_loss(name):
    """What to say of a name that no loss of the library has."""
    close = difflib.get_close_matches(name, names(), n=1)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    return f"the library has no loss '{name}'{hint}"


def describe(key):
    """What a loss says of itself: name, doc, source, axes, inputs, params, result."""
    if key not in _descriptions:
        _descriptions[key] = json.loads(ops.describe(key))
    return _descriptions[key]


def compile_text(text, file_name, defines=()):
    """Compiles a program in this process. `defines`: pairs of a name and a number or truth value."""
    key, errors, warned = ops.compile(text, file_name, [f"{n}={_spell(v)}" for n, v in defines])
    if not key:
        raise CompileError(errors)
    return Compiled(key, text, file_name, tuple(defines), warnings=tuple(warned))


def compile_file(path, defines=()):
    """Compiles a .loss file."""
    return compile_text(pathlib.Path(path).read_text(encoding="utf-8"), str(path), defines)


def load_library(path):
    """Loads a shared library that lossc wrote."""
    return _load_bytes(pathlib.Path(path).read_bytes(), str(path))


def _load_bytes(contents, origin):
    data = torch.frombuffer(bytearray(contents), dtype=torch.uint8) if contents else torch.empty(0)
    key, message = ops.load(data, origin)
    if not key:
        raise LoadError(message)
    return Compiled(key, None, origin, (), contents)


def warn(text, category):
    """Warns of the line outside of this package and PyTorch that led here."""
    level, frame = 1, sys._getframe()
    packages = (__package__, "torch")
    while frame.f_back and frame.f_globals.get("__name__", "").split(".")[0] in packages:
        level, frame = level + 1, frame.f_back
    warnings.warn(text, category, stacklevel=level)


def _spell(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(float(value)) if isinstance(value, float) else str(value)
