"""From keyword arguments to a module."""

from ._library import CompileError, LossWarning, OptionError, warn
from ._module import Loss

_MODULE_OPTIONS = ("reduction", "weight", "ignore_index", "label_smoothing")


def build(compile_with, options):
    """A module of the loss that `compile_with(defines)` compiles.

    What the loss has as a parameter goes to the module. Other names are options of the program, fixed
    when it is compiled; the compiler says which names it does not know.
    """
    compiled = compile_with(())
    params = {p["name"] for p in compiled.description["params"]}
    defines = tuple(
        (name, value)
        for name, value in options.items()
        if name not in params and name not in _MODULE_OPTIONS
    )
    if defines:
        try:
            compiled = compile_with(defines)
        except CompileError as error:
            raise OptionError(*error.__reduce__()[1]) from None
    for text in compiled.warnings:
        warn(text.rstrip(), LossWarning)
    chosen = {name for name, _ in defines}
    return Loss(compiled, **{n: v for n, v in options.items() if n not in chosen})
