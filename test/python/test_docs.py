"""The examples of docs/python.md, one after another in one namespace."""

import json
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]


def test_page():
    text = (ROOT / "docs" / "python.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
    assert len(blocks) >= 5
    names = {}
    for block in blocks:
        exec(compile(block, "docs/python.md", "exec"), names)


@pytest.mark.parametrize("options", [[], ["--compile"]])
def test_training_script(options):
    script = ROOT / "docs" / "examples" / "python" / "train_ngl.py"
    done = subprocess.run(
        [sys.executable, script, *options], capture_output=True, text=True, check=True
    )
    last = done.stdout.splitlines()[-1]
    assert last.startswith("step 300: ngl = ")
    assert float(last.split()[-1].rstrip("%")) > 95


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "losslang", *arguments], capture_output=True, text=True
    )


def test_list():
    done = run("list")
    assert done.returncode == 0
    assert re.search(r"^focal +Focal loss: ", done.stdout, re.M)
    # A sentence each.
    assert max(map(len, done.stdout.splitlines())) < 200
    closed = subprocess.run(
        f"'{sys.executable}' -m losslang list | head -1",
        shell=True, capture_output=True, text=True,
    )  # fmt: skip
    assert closed.stderr == ""


def test_show():
    assert "loss ngl(" in run("show", "ngl").stdout
    done = run("show", "nothing")
    assert done.returncode == 3
    assert "the library has no loss 'nothing'" in done.stderr


def test_check(tmp_path):
    bad = tmp_path / "bad.loss"
    bad.write_text("loss f(x: [a, b]) { return y }")
    done = run("check", str(bad))
    assert done.returncode == 1
    assert f"{bad}:1:28: error:" in done.stderr
    assert run("check", str(tmp_path / "none.loss")).returncode == 3
    assert json.loads(run("check", "--format=json", str(bad)).stdout)["errors"] == 1
    good = tmp_path / "good"
    good.mkdir()
    (good / "a.loss").write_text("loss f(x: [a, b]) { return sum(x over b) }")
    assert run("check", str(good)).returncode == 0
    # The same as lossc's, warnings too.
    (good / "b.loss").write_text("loss f(x: [a, b], z: [a]) { return sum(x over b) }")
    done = run("check", str(good))
    theirs = subprocess.run(["lossc", "check", str(good)], capture_output=True, text=True)
    assert "[unused-input]" in done.stderr
    assert (done.stdout, done.stderr, done.returncode) == (
        theirs.stdout, theirs.stderr, theirs.returncode,
    )  # fmt: skip
