"""torch.compile of programs whose sizes at the loss are expressions of those of their inputs: as eager, for any
sizes.

Random programs (programs.py), each compiled once and called with several sizes; then the shapes that users met.
LOSSLANG_STRESS=N runs N random programs a backend, of the seeds from LOSSLANG_STRESS_SEED on.
"""

import os
import random

import pytest
import torch
import torch._dynamo
import torch.nn.functional as F
from programs import Program

import losslang

STRESS = int(os.environ.get("LOSSLANG_STRESS", 0))
FIRST = int(os.environ.get("LOSSLANG_STRESS_SEED", 0))
#: How sizes become symbols: those that differ in the second call, all, those that are marked.
HOW = ("automatic", "dynamic", "marked")


def run(function, x, y):
    """The value and the gradient, or the error."""
    try:
        value = function(x, y)
        return value.detach(), *torch.autograd.grad(value, x)
    except Exception as error:  # noqa: BLE001
        return error


def sizes(choose, how):
    """Of four calls: the first is nothing special, then other sizes, and in the end few rows."""
    for call in range(4):
        rows = choose.choice([1, 2, 3]) if call == 3 and how != "marked" else choose.randint(4, 9)
        yield rows, choose.randint(3, 6), choose.randint(4, 9), choose.randint(4, 9)


def check(seed, backend):
    torch._dynamo.reset()
    choose = random.Random(f"sizes {seed}")
    program, how = Program(seed), choose.choice(HOW)
    compiled = torch.compile(
        program.__call__, fullgraph=True, backend=backend, dynamic=how == "dynamic" or None
    )
    shapes = []
    for shape in sizes(choose, how):
        x, y = program.inputs(shape)
        shapes.append(shape[: program.rank])
        if how == "marked":
            for t in (x, y):
                torch._dynamo.maybe_mark_dynamic(t, list(range(t.dim())))
        expected, found = run(program, x, y), run(compiled, x, y)
        text = f"{program}, {how}, {backend}: sizes {shapes}"
        if isinstance(expected, Exception):
            assert isinstance(found, Exception), f"{text}: expected {expected!r}, found {found}"
            continue
        if isinstance(found, Exception):
            raise AssertionError(text) from found
        for e, f in zip(expected, found):
            # The same kernels on the same numbers; the steps before them may be computed in another order.
            torch.testing.assert_close(f, e, rtol=1e-4, atol=1e-5, equal_nan=True, msg=lambda m: f"{text}: {m}")


@pytest.mark.parametrize("backend, count", [("eager", 4), ("aot_eager", 5), ("inductor", 1)])
def test_random_programs(backend, count):
    # Other programs for each backend.
    first = FIRST or {"eager": 100, "aot_eager": 200, "inductor": 300}[backend]
    for seed in range(first, first + (STRESS or count)):
        check(seed, backend)


def compare(function, inputs, backend="aot_eager", dynamic=None):
    """`function(*tensors)` compiled and as it is, for each tuple of tensors. Two sizes are enough to see that
    they are symbols (one where that is said): then nothing is traced again."""
    compiled = torch.compile(function, fullgraph=True, backend=backend, dynamic=dynamic)
    for call, tensors in enumerate(inputs):
        stance = "default" if call < (1 if dynamic else 2) else "fail_on_recompile"
        floats = [t.requires_grad_() for t in tensors if t.is_floating_point()]
        expected = function(*tensors)
        with torch.compiler.set_stance(stance):
            found = compiled(*tensors)
        torch.testing.assert_close(found, expected)
        upstream = torch.rand_like(expected)
        torch.testing.assert_close(
            torch.autograd.grad(found, floats, upstream, allow_unused=True),
            torch.autograd.grad(expected, floats, upstream, allow_unused=True),
        )


def labelled(*shapes, classes=3):
    """Scores (N, C, ...) and labels (N, ...)."""
    for shape in shapes:
        yield torch.randn(shape), torch.randint(0, classes, (shape[0], *shape[2:]))


IMAGES = [(4, 3, 8, 9), (5, 3, 11, 10), (6, 3, 6, 13), (3, 3, 16, 7)]


@pytest.mark.parametrize("backend, reduction", [("eager", "none"), ("aot_eager", "none"), ("aot_eager", "mean")])
def test_convolution_with_strides(backend, reduction):
    loss = losslang.losses.cross_entropy(reduction=reduction)

    def function(x, y):
        return loss(F.conv2d(x, torch.ones(3, 3, 3, 3), stride=2, padding=1), y[:, ::2, ::2])

    compare(function, labelled(*IMAGES), backend)


def test_inductor():
    loss = losslang.losses.cross_entropy(reduction="none")

    def function(x, y):
        return loss(F.conv2d(x, torch.ones(3, 3, 3, 3), stride=2, padding=1), y[:, ::2, ::2])

    compare(function, labelled(*IMAGES[:3]), "inductor")


def test_crop():
    loss = losslang.losses.focal(reduction="none")

    def function(x, y):
        return loss(x[:, :, 2:-2, 2:-2], y[:, 2:-2, 2:-2])

    compare(function, labelled(*IMAGES))


@pytest.mark.parametrize("dynamic, reduction", [(None, "mean"), (True, "none")])
def test_shifted_rows(dynamic, reduction):
    loss = losslang.losses.cross_entropy(reduction=reduction)
    compare(lambda x, y: loss(x[:-1], y[1:]), labelled((6, 3), (9, 3), (4, 3), (3, 3)), dynamic=dynamic)


@pytest.mark.parametrize("dynamic", [None, True])
def test_shifted_tokens(dynamic):
    """(batch, position, token): the next token of each position."""
    loss = losslang.losses.cross_entropy(ignore_index=0)

    def function(x, y):
        return loss(x[:, :-1].reshape(-1, x.shape[-1]), y[:, 1:].reshape(-1))

    def tokens(batch, positions):
        return torch.randn(batch, positions, 7), torch.randint(0, 7, (batch, positions))

    compare(function, [tokens(2, 5), tokens(3, 8), tokens(4, 3), tokens(5, 12)], dynamic=dynamic)


@pytest.mark.parametrize("place", [0, -1])
def test_chunks(place):
    loss = losslang.losses.cross_entropy(reduction="none")

    def function(x, y):
        return loss(x.chunk(2)[place], y.chunk(2)[place])

    compare(function, labelled((6, 3), (9, 3), (12, 3), (7, 3)))


def test_concatenation():
    loss = losslang.losses.focal(reduction="none")

    def function(x, y):
        return loss(torch.cat([x, x[1:], x[::2]]), torch.cat([y, y[1:], y[::2]]))

    compare(function, labelled((6, 3), (9, 3), (4, 3), (7, 3)))


def test_logits_and_labels_with_sizes_of_their_own():
    """Two symbols for one size: with a guard, and an error where they differ, as eager."""
    loss = losslang.losses.cross_entropy(reduction="none")

    def function(x, y):
        return loss(x[1:], y[:-2])

    def inputs(rows):
        return torch.randn(rows, 3), torch.randint(0, 3, (rows + 1,))

    compare(function, [inputs(n) for n in (5, 8, 3, 11)], dynamic=True)
    compiled = torch.compile(function, fullgraph=True, backend="aot_eager", dynamic=True)
    x, y = inputs(6)
    compiled(x, y)
    with pytest.raises(Exception, match="expected class indices of shape"):
        compiled(x[1:], y)


def test_rows_of_a_mask():
    """Sizes that are known only when the program runs."""
    loss = losslang.losses.cross_entropy(reduction="none")

    def function(x, y):
        kept = y != 0
        return loss(x[kept], y[kept]).sum()

    with torch._dynamo.config.patch(capture_dynamic_output_shape_ops=True):
        compare(function, labelled((6, 3), (9, 3), (4, 3), (7, 3)), dynamic=True)


def test_rows_of_two_masks():
    """Two sizes that are known only when the program runs, and are equal then."""
    loss = losslang.losses.mse(reduction="none")

    def function(x, y):
        return loss(x[x > 0], (y + x)[x > 0])

    with torch._dynamo.config.patch(capture_dynamic_output_shape_ops=True):
        compare(function, [(torch.randn(n), torch.randn(n)) for n in (6, 9, 4)], dynamic=True)


def test_weights_of_classes():
    """The weights have a fixed number of classes, or one that is an expression."""
    for classes in (3, 5):
        loss = losslang.losses.cross_entropy(weight=torch.rand(classes), reduction="mean")
        shapes = [(n, 2 * classes) for n in (4, 7, 9)]
        compare(lambda x, y: loss(x[:, ::2], y), labelled(*shapes), dynamic=True)

    def function(x, y, w):
        return losslang.functional.cross_entropy(x.chunk(2, 1)[0], y, w.detach()[::2] + w.detach()[1::2])

    inputs = [(*labelled((n, 2 * c)), torch.rand(2 * c)) for n, c in ((4, 3), (7, 5), (5, 4))]
    compare(function, [(*xy, w) for xy, w in inputs], dynamic=True)


@pytest.mark.parametrize("layout", ["channels last", "transposed", "strided", "expanded"])
def test_layouts(layout):
    """The strides of results and gradients are promised, and kept."""
    loss = losslang.losses.huber(reduction="none")
    lay = {
        "channels last": lambda t: t.contiguous(memory_format=torch.channels_last),
        "transposed": lambda t: t.transpose(1, 3),
        "strided": lambda t: t[:, ::2].transpose(0, 2),
        "expanded": lambda t: t[:, :1].expand(-1, 4, -1, -1),
    }[layout]

    def function(x, y):
        return loss(lay(x), lay(y)).permute(1, 0, 3, 2)[:, 1:]

    def inputs(*shape):
        return torch.randn(shape), torch.randn(shape)

    shapes = [(4, 5, 6, 7), (3, 6, 5, 8), (5, 4, 7, 3)]
    compare(function, [inputs(*s) for s in shapes], dynamic=True)


def test_losses_with_other_axes():
    """Pairs of a batch (no row axis), positions (two axes that are no classes)."""
    clip, dice = losslang.losses.clip(), losslang.losses.dice()

    def pairs(x, y):
        return clip(F.normalize(x[1:]), F.normalize(y[:-1]))

    def positions(x, y):
        return dice(x.flatten(2)[..., 1:], y.flatten(1)[:, 1:])

    compare(pairs, [(torch.randn(n, d), torch.randn(n, d)) for n, d in ((6, 4), (9, 5), (4, 3))])
    compare(positions, labelled(*IMAGES))


def test_second_derivatives():
    """torch.func inside the program that is compiled."""
    loss = losslang.losses.cross_entropy()

    def function(x, y):
        return torch.func.grad(lambda x: torch.func.grad(loss)(x[:-1], y[1:]).square().sum())(x)

    compiled = torch.compile(function, fullgraph=True, backend="aot_eager", dynamic=True)
    for x, y in labelled((6, 3), (9, 3), (4, 3)):
        torch.testing.assert_close(compiled(x, y), function(x, y))


def test_vmap_of_any_number_of_samples():
    loss = losslang.losses.focal()

    def function(x, y):
        return torch.func.vmap(torch.func.grad(loss))(x[:, 1:], y[:, :-1])

    compiled = torch.compile(function, fullgraph=True, backend="aot_eager", dynamic=True)
    for call, (samples, rows) in enumerate(((4, 6), (3, 9), (5, 4))):
        x, y = torch.randn(samples, rows, 7), torch.randint(0, 7, (samples, rows))
        with torch.compiler.set_stance("fail_on_recompile" if call else "default"):
            found = compiled(x, y)
        torch.testing.assert_close(found, function(x, y))


def test_autocast():
    loss = losslang.losses.cross_entropy(reduction="none")

    def function(x, y):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return loss(x[:-1] @ torch.eye(3), y[1:])

    compare(function, labelled((6, 3), (9, 3), (4, 3)), dynamic=True)
