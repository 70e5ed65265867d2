"""LossLang: loss functions written as formulas, compiled into fast kernels.

>>> import losslang
>>> criterion = losslang.losses.focal(gamma=2)
>>> criterion = losslang.compile("my.loss")
>>> criterion = losslang.load("ngl.so")
"""

import os
import pathlib

from . import _library, _tracing, functional, losses
from ._build import build as _build
from ._library import CompileError, LoadError, LossWarning, OptionError
from ._module import Loss

__all__ = [
    "CompileError",
    "LoadError",
    "Loss",
    "LossWarning",
    "OptionError",
    "compile",
    "functional",
    "load",
    "losses",
]

# Tracebacks and pickles show the public names.
for _class in (CompileError, LoadError, Loss, LossWarning, OptionError):
    _class.__module__ = __name__


def compile(text_or_path, **options):
    """A module from a program, or from the path of a .loss file.

    A text with a line break or a brace in it is a program. Options: parameters and compile-time options
    of the loss, and those of `losslang.Loss`. Raises CompileError, a SyntaxError, where the
    options are wrong an OptionError, a ValueError as well; what the compiler warns of is a LossWarning
    each.
    """
    text = text_or_path
    if isinstance(text, os.PathLike) or not ("\n" in text or "{" in text):
        path = pathlib.Path(text)
        return _build(lambda defines: _library.compile_file(path, defines), options)
    return _build(lambda defines: _library.compile_text(text, "<string>", defines), options)


def load(path, **options):
    """A module from a shared library that `lossc` wrote. Options as in compile(). Raises LoadError."""
    return Loss(_library.load_library(path), **options)
