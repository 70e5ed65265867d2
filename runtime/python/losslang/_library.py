"""The operators of the compiled library, and the losses by their keys."""

import difflib
import json
import pathlib
import sys
import warnings
from dataclasses import dataclass, field

import torch
from torch.utils._python_dispatch import _disable_current_modes

_FOLDER = pathlib.Path(__file__).parent
#: The folder of the library losses.
STDLIB = _FOLDER / "stdlib"

torch.ops.load_library(str(_FOLDER / "_losslang.so"))
ops = torch.ops.losslang


def _untraced(operator, *arguments):
    """Calls an operator on text: whoever traces the program has nothing to see."""
    with _disable_current_modes():
        return operator(*arguments)


class CompileError(SyntaxError):
    """A loss does not compile. The text is lossc's own: file, line, source line, caret, notes.

    The attributes of SyntaxError (`filename`, `lineno`, `offset`, `text`) are those of the first error, None
    where it has no place; `msg` is what the text says beside them.
    """

    def __init__(self, diagnostics, place=None):
        super().__init__(_message(diagnostics, place), *([place] if place else []))
        self.diagnostics = diagnostics
        self._place = place

    def __str__(self):
        return self.diagnostics

    def __reduce__(self):
        return type(self), (self.diagnostics, self._place)


def _message(diagnostics, place):
    """The text without file, line and excerpt of the first error, which Python's tracebacks show."""
    start = f"{place[0]}:{place[1]}:{place[2]}: error: " if place else ""
    if not place or not diagnostics.startswith(start):
        return diagnostics
    message, *rest = diagnostics[len(start) :].splitlines()
    has_excerpt = len(rest) > 1 and rest[1].strip(" .~") == "^"
    return "\n".join([message, *rest[2 if has_excerpt else 0 :]])


def _place(file_name, text, numbers):
    """Details of a SyntaxError, or None."""
    if not numbers or not numbers[0]:
        return None
    line, column, end_line, end_column = numbers
    return (file_name, line, column, text + "\n", end_line or line, end_column or column)


class OptionError(CompileError, ValueError):
    """A loss compiles, but not with the options that were given."""


class LossWarning(UserWarning):
    """The compiler warns of a loss. The text is lossc's own; its first line ends with [NAME]."""


class LoadError(OSError):
    """A file is no compiled loss that this version can use."""


@dataclass(frozen=True)
class Compiled:
    """A compiled loss: its key in the operators, where it came from, and the contents of a library."""

    key: str
    file_name: str
    library: bytes | None = field(default=None, repr=False)
    warnings: tuple = field(default=(), repr=False, compare=False)

    def __reduce__(self):
        name = pathlib.Path(self.file_name).name
        if self.library is not None:
            return _load_bytes, (self.library, name)
        # With all that it imports, as it was when it was compiled.
        return compile_text, (self.description["source"], name)

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def with_option(self, name, value):
        """The same program, with another value of an option."""
        now = next(o["value"] for o in self.description["options"] if o["name"] == name)
        if value == now and isinstance(value, bool) == isinstance(now, bool):
            return self
        if self.library is not None:
            raise AttributeError(
                f"loss '{self.description['name']}': the option '{name}' is fixed in the library "
                f"{self.file_name}: compile the program again, `lossc -D {name}={_spell(value)}`, or "
                f"losslang.compile(loss.source, {name}={value!r})"
            )
        try:
            return compile_text(self.description["source"], self.file_name, ((name, value),))
        except CompileError as error:
            raise OptionError(*error.__reduce__()[1]) from None

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
    """What a loss says of itself: name, doc, source, axes, inputs, params, options, result."""
    if key not in _descriptions:
        found = json.loads(_untraced(ops.describe, key))
        for option in found["options"]:
            if isinstance(option["value"], float) and option["value"].is_integer():
                option["value"] = int(option["value"])
        _descriptions[key] = found
    return _descriptions[key]


@torch.compiler.assume_constant_result
def _source(key):
    return describe(key)["source"]


def program(key):
    """What a call holds of its loss, so that another process can compile it: the text in programs that are
    exported, otherwise nothing."""
    return _source(key) if torch.compiler.is_exporting() else ""


def compile_text(text, file_name, defines=()):
    """Compiles a program in this process. `defines`: pairs of a name and a number or truth value."""
    key, errors, warned, *place = _untraced(
        ops.compile, text, file_name, [f"{n}={_spell(v)}" for n, v in defines]
    )
    if not key:
        raise CompileError(errors, _place(*place))
    return Compiled(key, file_name, warnings=tuple(warned))


def compile_file(path, defines=()):
    """Compiles a .loss file."""
    return compile_text(pathlib.Path(path).read_text(encoding="utf-8"), str(path), defines)


def load_library(path):
    """Loads a shared library that lossc wrote."""
    return _load_bytes(pathlib.Path(path).read_bytes(), str(path))


def _load_bytes(contents, origin):
    data = torch.frombuffer(bytearray(contents), dtype=torch.uint8) if contents else torch.empty(0)
    key, message = _untraced(ops.load, data, origin)
    if not key:
        raise LoadError(message)
    return Compiled(key, origin, contents)


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
