"""python -m losslang: the library of losses, and diagnostics of programs."""

import argparse
import pathlib
import sys

from . import _library, losses
from ._library import CompileError


def _summary(name):
    """The first sentence of a loss's documentation."""
    return " ".join(getattr(losses, name).__doc__.split("\n\n")[0].split())


def _list(arguments):
    names = losses.__dir__()
    width = max(map(len, names))
    for name in names:
        print(f"{name:{width}}  {_summary(name)}")
    return 0


def _show(arguments):
    path = _library.STDLIB / f"{arguments.loss}.loss"
    if not path.is_file():
        path = pathlib.Path(arguments.loss)
    try:
        sys.stdout.write(path.read_text(encoding="utf-8"))
    except OSError:
        print(f"losslang: error: the library has no loss '{arguments.loss}'", file=sys.stderr)
        return 3
    return 0


def _check(arguments):
    files = []
    for given in map(pathlib.Path, arguments.files):
        files += sorted(given.glob("*.loss")) if given.is_dir() else [given]
    code = 0
    for file in files:
        try:
            _library.compile_file(file)
        except CompileError as error:
            sys.stderr.write(str(error))
            code = max(code, 1)
        except OSError as error:
            print(f"losslang: error: cannot read '{file}': {error.strerror}", file=sys.stderr)
            code = 3
    return code


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m losslang", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("list", help="the losses of the library, a line each")
    command.set_defaults(run=_list)
    command = commands.add_parser("show", help="the program of a loss of the library")
    command.add_argument("loss")
    command.set_defaults(run=_show)
    command = commands.add_parser(
        "check", help="compile programs and print what is wrong; exit code 1 if something is"
    )
    command.add_argument("files", nargs="+", help=".loss files, or folders of them")
    command.set_defaults(run=_check)
    arguments = parser.parse_args(argv)
    return arguments.run(arguments)


if __name__ == "__main__":
    sys.exit(main())
