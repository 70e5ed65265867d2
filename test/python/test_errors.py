"""Errors of programs: in which file and where, in lossc's words and in the attributes of a SyntaxError."""

import copy
import pickle
import subprocess
import sys
import traceback

import pytest

import losslang


def write(folder, **files):
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + ".loss")
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)
    return folder / "top.loss"


def error_of(path):
    with pytest.raises(losslang.CompileError) as caught:
        losslang.compile(path)
    return caught.value


IMPORTING = 'import "sub/h.loss"\nloss f(x: [b, c]) { return sum(h1(x) over c) }\n'

#: Files of programs with an error, and the first error: file, line, column, the line's text.
WRONG = {
    "in an imported file": (
        {"top": IMPORTING, "sub__h": "\n\n\nfn h1(x) = srt(x)\n"},
        ("sub/h.loss", 4, 12, "fn h1(x) = srt(x)"),
    ),
    "in an imported file behind umlauts": (
        {"top": IMPORTING, "sub__h": "/// Größe\r\nfn h1(x) = /* äöü */ srt(x)\r\n"},
        None,
    ),
    "a function twice": (
        {
            "top": 'import "a/h.loss"\nimport "b/h.loss"\n' + IMPORTING.split("\n")[1],
            "a__h": "// one\nfn h1(x) = x\n",
            "b__h": "fn h1(x) = 2 * x\n",
        },
        ("b/h.loss", 1, 4, "fn h1(x) = 2 * x"),
    ),
    "a cycle": (
        {
            "top": 'import "p.loss"\nloss f(x: [b]) { return p(x) }\n',
            "p": '// p\nimport "q.loss"\nfn p(x) = x\n',
            "q": '// q\n// q\nimport "r.loss"\nfn q(x) = x\n',
            "r": '\n\n\nimport "p.loss"\nfn r(x) = x\n',
        },
        None,
    ),
    "in the program itself": (
        {"top": "loss f(x: [b, c]) {\n  let ä = 1\n  return sum(srt(x) over c)\n}\n"},
        None,
    ),
    "two errors": (
        {"top": "loss f(x: [b, c]) {\n  return sum(srt(x) + exq(x) over c)\n}\n"},
        ("top.loss", 2, 14, "  return sum(srt(x) + exq(x) over c)"),
    ),
    "a missing file": (
        {"top": 'import "none.loss"\nloss f(x: [b]) { return x }\n'},
        None,
    ),
    "at the end": ({"top": "loss f(x: [b]) { return x"}, None),
}


@pytest.mark.parametrize("case", WRONG)
def test_as_lossc_prints_it(tmp_path, case):
    files, place = WRONG[case]
    path = write(tmp_path, **files)
    error = error_of(path)
    printed = subprocess.run([sys.executable, "-m", "losslang", "check", path], capture_output=True, text=True)
    assert str(error) == printed.stderr and error.diagnostics == printed.stderr
    assert str(error).startswith(f"{error.filename}:{error.lineno}:{error.offset}: error: ")
    with open(error.filename, newline="") as file:
        lines = file.read().split("\n")
    if error.text.strip():
        assert error.text == lines[error.lineno - 1].rstrip("\r") + "\n"
    if place:
        found = (error.filename, error.lineno, error.offset, error.text)
        assert found == (str(tmp_path / place[0]), *place[1:3], place[3] + "\n")


def test_the_files_of_notes(tmp_path):
    path = write(tmp_path, **WRONG["a function twice"][0])
    assert f"{tmp_path}/a/h.loss:2:4: note: the previous definition is here\n  fn h1(x) = x\n" in str(
        error_of(path)
    )
    text = str(error_of(write(tmp_path, **WRONG["a cycle"][0])))
    assert {name for name in "pqr" if f"{tmp_path}/{name}.loss:" in text} == set("pqr")


def test_a_traceback_shows_the_place_once(tmp_path):
    error = error_of(write(tmp_path, **WRONG["in an imported file"][0]))
    assert error.msg.startswith("unknown function 'srt'") and "hint: " in error.msg
    shown = "".join(traceback.format_exception_only(type(error), error))
    assert f'File "{tmp_path}/sub/h.loss", line 4' in shown and "^^^" in shown
    assert shown.count("fn h1(x) = srt(x)") == 1 and "hint: " in shown
    # The second error, with its own place.
    error = error_of(write(tmp_path, **WRONG["two errors"][0]))
    shown = "".join(traceback.format_exception_only(type(error), error))
    assert "'srt'" in shown and "top.loss:2:23: error: unknown function 'exq'" in shown


def test_what_has_no_file():
    with pytest.raises(losslang.CompileError) as caught:
        losslang.compile("loss f(x: [b]) { return srt(x) }")
    error = caught.value
    assert (error.filename, error.lineno, error.offset) == ("<string>", 1, 25)
    assert (error.end_lineno, error.end_offset) == (1, 28)


def test_options():
    with pytest.raises(losslang.OptionError) as caught:
        losslang.losses.multi_margin(p=3)
    assert caught.value.filename.endswith("multi_margin.loss") and caught.value.lineno > 1
    loss = losslang.losses.multi_margin()
    with pytest.raises(losslang.OptionError) as caught:
        loss.p = 3
    assert caught.value.lineno > 1


def test_copies(tmp_path):
    error = error_of(write(tmp_path, **WRONG["in an imported file"][0]))
    for again in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(again) is losslang.CompileError
        for name in ("filename", "lineno", "offset", "text", "msg", "diagnostics", "end_offset"):
            assert getattr(again, name) == getattr(error, name)
        assert str(again) == str(error)
    assert losslang.CompileError("text").lineno is None and str(losslang.CompileError("text")) == "text"
