"""Runs the commands of lossc on every loss of a folder: library.py LOSSC STDLIB OUTPUT.

What costs most, code for every loss, is left to the tests that run it. A command must end with 0; `grad` may also
refuse a loss, because a derivative has no name (1) or several inputs have a gradient (2).
"""

import pathlib
import shutil
import subprocess
import sys

LOSSC, STDLIB, OUTPUT = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])

FOLDER = [["check"], ["fmt", "--check"], ["doc", "-o", str(OUTPUT / "pages")]]
FILE = [
    ([], ["--explain", "--order=2"], {0}),
    ([], ["--emit=latex", "-o", "-"], {0}),
    ([], ["--emit=header", "-o", "-"], {0}),
    (["grad"], [], {0, 1, 2}),
]


def run(command, allowed):
    done = subprocess.run([LOSSC, *map(str, command)], capture_output=True, text=True)
    if done.returncode in allowed:
        return None
    return f"exit {done.returncode}: lossc {' '.join(map(str, command))}\n{done.stderr[-2000:]}"


def main():
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir()
    losses = sorted(STDLIB.glob("*.loss"))
    assert len(losses) > 150, f"{STDLIB}: {len(losses)} losses"
    work = [([*words, STDLIB], {0}) for words in FOLDER]
    work += [([*before, loss, *after], allowed) for before, after, allowed in FILE for loss in losses]
    problems = [problem for problem in (run(*item) for item in work) if problem]
    print("\n".join(problems) or f"{len(work)} commands")
    return 1 if problems else 0


sys.exit(main())
