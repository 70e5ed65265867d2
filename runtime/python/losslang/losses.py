"""The losses of the library: `losslang.losses.focal(gamma=2)`.

Each is a function of the loss's parameters and the options of `losslang.Loss`, and returns a module.
"""

from . import _library
from ._build import build


def __dir__():
    return _library.names()


def __getattr__(name):
    path = _library.STDLIB / f"{name}.loss"
    if name.startswith("_") or not path.is_file():
        raise AttributeError(_library.no_loss(name), name=name)

    def make(**options):
        return build(lambda defines: _library.compile_file(path, defines), options)

    make.__name__ = make.__qualname__ = name
    make.__module__ = __name__
    make.__doc__ = _doc(path)
    globals()[name] = make
    return make


def _doc(path):
    """The doc comment in front of the loss."""
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("///"):
            lines.append(line[3:].removeprefix(" "))
        elif line.startswith("loss "):
            break
        else:
            lines.clear()
    return "\n".join(lines)
