"""A loss is the program that was compiled, with the functions of the files that it imported then."""

import copy
import hashlib
import os
import pickle
import shutil
import subprocess
import sys
import warnings

import pytest
import torch

import losslang

TOP = """
import "mine.loss"

/// A test.
loss top(x: [batch, class], y: target [batch, class], param a = 1, option twice = false) {
  return a * (if twice then 2 else 1) * sum(y * shape(x) over class)
}
"""


def write(folder, power, top=TOP):
    folder.mkdir(exist_ok=True, parents=True)
    (folder / "top.loss").write_text(top)
    (folder / "mine.loss").write_text(f"/// Of this file.\nfn shape(t) = t^{power}\n")
    return folder / "top.loss"


def example(dtype=torch.float32):
    torch.manual_seed(3)
    return torch.rand(4, 3, dtype=dtype) + 0.5, torch.tensor([0, 1, 2, 0])


def expected(power, x, y):
    return (x[range(len(y)), y] ** power).mean()


def check(loss, power):
    """All kinds of kernels, most of which are compiled now."""
    for dtype in (torch.float32, torch.float64):
        x, y = example(dtype)
        x.requires_grad_()
        for given, arguments in ((y, {}), (torch.eye(3, dtype=dtype)[y], {}),
                                 (y, {"sample_weight": torch.full((4,), 2.0)})):  # fmt: skip
            value = loss(x, given, **arguments)
            torch.testing.assert_close(value, expected(power, x, y))
            (first,) = torch.autograd.grad(value, x, create_graph=True)
            (reference,) = torch.autograd.grad(expected(power, x, y), x, create_graph=True)
            torch.testing.assert_close(first, reference)
            torch.testing.assert_close(
                torch.autograd.grad((first**2).sum(), x), torch.autograd.grad((reference**2).sum(), x)
            )
        with torch.no_grad():
            torch.testing.assert_close(loss(x, y), expected(power, x, y))
    smooth = copy.deepcopy(loss)
    smooth.label_smoothing = 1.0
    x, y = example(torch.float64)
    torch.testing.assert_close(smooth(x, y), (x**power).mean())


def test_an_edit_is_for_the_next_compilation(tmp_path):
    path = write(tmp_path, 2)
    old = losslang.compile(path)
    x, y = example()
    torch.testing.assert_close(old(x, y), expected(2, x, y))
    write(tmp_path, 3)
    new = losslang.compile(path)
    check(new, 3)
    check(old, 2)
    assert old.compiled.key != new.compiled.key
    write(tmp_path, 2)
    assert losslang.compile(path).compiled.key == old.compiled.key
    for name in ("top.loss", "mine.loss"):
        (tmp_path / name).unlink()
    check(old, 2)
    check(copy.deepcopy(new), 3)
    check(pickle.loads(pickle.dumps(new)), 3)
    new.twice = True
    torch.testing.assert_close(new(x, y), 2 * expected(3, x, y))


def test_the_source_is_the_whole_program(tmp_path):
    loss = losslang.compile(write(tmp_path, 2), twice=True)
    assert "import" not in loss.source and "fn shape(t) = t^2" in loss.source
    assert "/// Of this file." in loss.source and "option twice = true" in loss.source
    assert loss.doc == "A test."
    again = losslang.compile(loss.source)
    assert again.source == loss.source and again.compiled.key == loss.compiled.key
    assert again.twice is True
    x, y = example()
    assert torch.equal(again(x, y), loss(x, y))


def run(code, data, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code], input=data, capture_output=True,
        env={**os.environ, **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    return pickle.loads(done.stdout)


ELSEWHERE = """
import pickle, sys, torch
loss, x, y = pickle.loads(sys.stdin.buffer.read())
results = [loss(x, y), loss(x.double(), y)]
pickle.dump([*results, loss.source, loss.compiled.key], sys.stdout.buffer)
"""


@pytest.mark.parametrize("there", ["gone", "another"])
def test_a_pickle_elsewhere(tmp_path, there):
    loss = losslang.compile(write(tmp_path, 2), a=3, twice=True)
    x, y = example()
    data = pickle.dumps((loss, x, y))
    # Nothing of this machine.
    assert str(tmp_path).encode() not in data
    if there == "gone":
        shutil.rmtree(tmp_path)
    else:
        write(tmp_path, 5)
    single, double, source, key = run(ELSEWHERE, data)
    torch.testing.assert_close(single, 6 * expected(2, x, y))
    torch.testing.assert_close(double, 6 * expected(2, x.double(), y))
    assert (source, key) == (loss.source, loss.compiled.key)


def test_a_pickle_beside_another_library(tmp_path):
    """Of the library's functions it has those that it was compiled with."""
    loss = losslang.losses.clip()
    torch.manual_seed(2)
    x, y = torch.randn(4, 3), torch.randn(4, 3)
    data = pickle.dumps((loss, x, y))
    assert str(losslang._library.STDLIB.resolve()).encode() not in data
    (tmp_path / "functions").mkdir()
    (tmp_path / "functions" / "similarity.loss").write_text("fn nothing(t) = t\n")
    single, double, *_ = run(ELSEWHERE, data, LOSSLANG_STDLIB=str(tmp_path))
    torch.testing.assert_close(single, loss(x, y))
    torch.testing.assert_close(double, loss(x.double(), y.double()))


def test_imports_of_imports_in_other_folders(tmp_path):
    top = tmp_path / "a" / "top.loss"
    (tmp_path / "a" / "deep").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    top.write_text(
        'import "deep/one.loss"\nimport "../b/two.loss"\n'
        "loss f(x: [a]) { return one(x) + two(x) }"
    )

    def rest(k):
        (tmp_path / "a" / "deep" / "one.loss").write_text('import "base.loss"\nfn one(t) = base(t)')
        (tmp_path / "a" / "deep" / "base.loss").write_text(f"fn base(t) = {k} * t\nfn spare(t) = t")
        (tmp_path / "b" / "two.loss").write_text(
            f'import "../a/deep/base.loss"\nfn two(t) = {k} * base(t)'
        )

    rest(2)
    x = torch.ones(3)
    old = losslang.compile(top, reduction="sum")
    rest(3)
    new = losslang.compile(str(top), reduction="sum")
    for loss, k in ((old, 2), (new, 3)):
        for dtype in (torch.float32, torch.float64):
            assert loss(x.to(dtype)) == 3 * (k + k * k)
        assert "spare" not in loss.source
    shutil.rmtree(tmp_path / "b")
    for loss, k in ((old, 2), (new, 3)):
        assert pickle.loads(pickle.dumps(loss))(x) == 3 * (k + k * k)
    with pytest.raises(losslang.CompileError, match="cannot read the file '../b/two.loss'"):
        losslang.compile(top)


def test_functions_of_one_name_in_two_programs(tmp_path):
    """The same text, and different files beside it."""
    x, y = example()
    losses = [losslang.compile(write(tmp_path / str(power), power)) for power in (2, 3)]
    for loss, power in zip(losses, (2, 3)):
        check(loss, power)
    same = losslang.compile(write(tmp_path / "other", 2))
    assert same.compiled.key == losses[0].compiled.key
    (tmp_path / "2" / "more.loss").write_text("fn shape(t) = t")
    (tmp_path / "2" / "top.loss").write_text('import "more.loss"' + TOP)
    with pytest.raises(losslang.CompileError, match="function 'shape' is already defined"):
        losslang.compile(tmp_path / "2" / "top.loss")


def test_a_text_imports_from_here(tmp_path, monkeypatch):
    write(tmp_path, 2)
    monkeypatch.chdir(tmp_path)
    old = losslang.compile(TOP)
    write(tmp_path, 3)
    new = losslang.compile(TOP)
    monkeypatch.chdir("/")
    check(old, 2)
    check(new, 3)


@pytest.mark.parametrize("backend", ["eager", "aot_eager", "inductor"])
def test_graphs_and_their_caches(tmp_path, backend):
    x, y = example()
    path = write(tmp_path, 2)
    old = losslang.compile(path)
    torch._dynamo.reset()
    graph = torch.compile(old, fullgraph=True, backend=backend)
    torch.testing.assert_close(graph(x, y), expected(2, x, y))
    write(tmp_path, 3)
    torch._dynamo.reset()
    for loss, power in ((losslang.compile(path), 3), (old, 2)):
        graph = torch.compile(loss, fullgraph=True, backend=backend)
        torch.testing.assert_close(graph(x, y), expected(power, x, y))
        torch.testing.assert_close(graph(x.double(), y), expected(power, x.double(), y))


def test_warnings_and_errors_name_the_file(tmp_path):
    top = 'import "mine.loss"\nloss top(x: [a], param b = 1) { return shape(x) }'
    path = write(tmp_path, 2, top)
    for _ in range(2):
        with pytest.warns(losslang.LossWarning, match=rf"{path}:2:24: warning: .*'b'"):
            loss = losslang.compile(path)
    other = write(tmp_path / "other", 2, top)
    with pytest.warns(losslang.LossWarning, match=rf"{other}:2:24: warning"):
        losslang.compile(other)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pickle.loads(pickle.dumps(loss))
        loss(torch.ones(3, dtype=torch.float64))
    (tmp_path / "mine.loss").write_text("fn shape(t) = tt")
    with pytest.raises(losslang.CompileError, match=r"mine.loss:1:15: error: unknown name 'tt'"):
        losslang.compile(path)
    assert loss(torch.ones(3)) == 1


@pytest.mark.parametrize("define", [(), ("-D", "twice=true", "-D", "a=3")])
def test_shared_library(tmp_path, define):
    path = write(tmp_path, 2)
    library = tmp_path / "top.so"
    subprocess.run(["lossc", path, "-o", library, *define], check=True)
    write(tmp_path, 5)
    loss = losslang.load(library)
    x, y = example()
    factor = 6 if define else 1
    torch.testing.assert_close(loss(x, y), factor * expected(2, x, y))
    assert loss.twice is bool(define) and loss.a == (3 if define else 1)
    hashed = loss.compiled.description["source_hash"]
    assert hashed == hashlib.sha256(loss.source.encode()).hexdigest()
    again = losslang.compile(loss.source)
    torch.testing.assert_close(again(x, y), loss(x, y))
    assert again.source == loss.source
    data = pickle.dumps((loss, x, y))
    assert str(tmp_path).encode() not in data
    shutil.rmtree(tmp_path)
    single, double, *_ = run(ELSEWHERE, data)
    torch.testing.assert_close(single, factor * expected(2, x, y))
