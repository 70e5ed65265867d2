"""python -m losslang: the library of losses, and diagnostics of programs."""

import argparse
import os
import pathlib
import re
import sys

from . import _library, losses


def _summary(name):
    """The first sentence of a loss's documentation."""
    paragraph = " ".join(getattr(losses, name).__doc__.split("\n\n")[0].split())
    return re.split(r"(?<=\.) (?=[A-Z])", paragraph)[0]


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
        print(f"losslang: error: {_library.no_loss(arguments.loss)}", file=sys.stderr)
        return 3
    return 0


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m losslang", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("list", help="the losses of the library, a line each")
    command.set_defaults(run=_list)
    command = commands.add_parser("show", help="the program of a loss of the library")
    command.add_argument("loss")
    command.set_defaults(run=_show)
    commands.add_parser("check", help="errors and warnings in programs: `lossc check`")
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["check"]:
        return _library.ops.lossc(argv)
    arguments = parser.parse_args(argv)
    try:
        code = arguments.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # Who reads has seen enough (`| head`); Python would complain again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    return code


if __name__ == "__main__":
    sys.exit(main())
