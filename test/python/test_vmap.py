"""torch.func.vmap of a loss: a batch of calls is one call of the kernel, with the samples as rows."""

import warnings
from collections import Counter

import pytest
import torch
from torch.func import grad, jacrev, vmap
from torch.utils._python_dispatch import TorchDispatchMode

import losslang
from losslang import _tracing

REDUCTIONS = ("none", "mean", "sum")


@pytest.fixture(autouse=True)
def _quiet_means_fast():
    """A loop over the samples warns, and a warning is an error where no test expects it."""
    _tracing._warned.clear()
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="There is a performance drop")
        yield


class Calls(TorchDispatchMode):
    """Counts the operators of the package."""

    def __init__(self):
        super().__init__()
        self.count = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func.namespace == "losslang":
            self.count[func._opname] += 1
        return func(*args, **(kwargs or {}))


def calls(function, *inputs):
    with Calls() as mode:
        function(*inputs)
    return mode.count


def example(samples=3, rows=6, classes=5, dtype=torch.float64):
    x = torch.randn(samples, rows, classes, dtype=dtype)
    return x, torch.randint(0, classes, (samples, rows))


def one_by_one(function, *inputs):
    return torch.stack([function(*each) for each in zip(*inputs)])


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"weight": torch.tensor([0.5, 1.0, 2.0, 0.25, 3.0])},
        {"ignore_index": 2},
        {"label_smoothing": 0.1, "ignore_index": 2, "weight": torch.arange(1.0, 6)},
    ],
)
def test_values_and_gradients(reduction, options):
    loss = losslang.losses.cross_entropy(reduction=reduction, **options)
    x, y = example()
    y[1] = 2  # a sample of which all rows are ignored
    torch.testing.assert_close(vmap(loss)(x, y), one_by_one(loss, x, y), equal_nan=True)
    total = grad(lambda x, y: loss(x, y).sum())
    torch.testing.assert_close(vmap(total)(x, y), one_by_one(total, x, y), equal_nan=True)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_one_call(reduction):
    loss = losslang.losses.focal(reduction=reduction)
    x, y = example()
    assert calls(vmap(loss), x, y) == {"loss": 1}
    total = grad(lambda x, y: loss(x, y).sum())
    assert calls(vmap(total), x, y) == {"loss": 1, "gradients": 1}


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_samples_without_rows(reduction):
    """Gradients of each sample: (C) with one label."""
    loss = losslang.losses.focal(reduction=reduction)
    x, y = torch.randn(6, 5), torch.randint(0, 5, (6,))
    assert calls(vmap(grad(loss)), x, y) == {"loss": 1, "gradients": 1}
    each = vmap(grad(loss))(x, y)
    expected = grad(losslang.losses.focal(reduction="sum"))(x, y)
    torch.testing.assert_close(each, expected)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_dimensions_of_the_batch(reduction):
    loss = losslang.losses.focal(reduction=reduction)
    x, y = example()
    expected = one_by_one(loss, x, y)
    torch.testing.assert_close(vmap(loss, in_dims=(2, 1))(x.movedim(0, 2), y.T), expected)
    torch.testing.assert_close(vmap(loss, in_dims=(1, -1))(x.movedim(0, 1), y.T), expected)
    shared = vmap(loss, in_dims=(0, None))(x, y[0])
    torch.testing.assert_close(shared, one_by_one(lambda x: loss(x, y[0]), x))
    shared = vmap(loss, in_dims=(None, 0))(x[0], y)
    torch.testing.assert_close(shared, one_by_one(lambda y: loss(x[0], y), y))
    torch.testing.assert_close(vmap(loss)(x[:1], y[:1]), expected[:1])


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weights", [(3, 6), (6,), (3,), ()])
def test_sample_weights(reduction, weights):
    loss = losslang.losses.focal(reduction=reduction)
    x, y = example()
    w = torch.rand(weights, dtype=x.dtype)
    dim = 0 if weights[:1] == (3,) else None
    weighted = lambda x, y, w: loss(x, y, sample_weight=w)  # noqa: E731
    found = vmap(weighted, in_dims=(0, 0, dim))(x, y, w)
    each = w if dim == 0 else w.expand(3, *weights)
    torch.testing.assert_close(found, one_by_one(weighted, x, y, each))


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_images(reduction):
    loss = losslang.losses.cross_entropy(reduction=reduction, ignore_index=0)
    x, y = torch.randn(3, 2, 5, 4, 3), torch.randint(0, 5, (3, 2, 4, 3))
    torch.testing.assert_close(vmap(loss)(x, y), one_by_one(loss, x, y))
    total = grad(lambda x, y: loss(x, y).sum())
    torch.testing.assert_close(vmap(total)(x, y), one_by_one(total, x, y))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(4,), (4, 2), (4, 2, 3)])
def test_elements(reduction, shape):
    """Losses whose only axis takes all dimensions; a sample may be a scalar."""
    loss = losslang.losses.huber(reduction=reduction)
    x, y = torch.randn(shape), torch.randn(shape)
    torch.testing.assert_close(vmap(loss)(x, y), one_by_one(loss, x, y))
    total = grad(lambda x, y: loss(x, y).sum())
    assert calls(vmap(total), x, y) == {"loss": 1, "gradients": 1}
    torch.testing.assert_close(vmap(total)(x, y), one_by_one(total, x, y))


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_positions(reduction):
    """Dice: the positions stay with their row."""
    loss = losslang.losses.dice(reduction=reduction)
    for shape in [(3, 2, 5, 7), (3, 5, 7)]:
        x = torch.randn(shape)
        y = torch.randint(0, 5, shape[:-2] + shape[-1:])
        torch.testing.assert_close(vmap(loss)(x, y), one_by_one(loss, x, y))
        total = grad(lambda x, y: loss(x, y).sum())
        torch.testing.assert_close(vmap(total)(x, y), one_by_one(total, x, y))


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_nested(reduction):
    loss = losslang.losses.cross_entropy(reduction=reduction, ignore_index=1)
    x, y = torch.randn(2, 3, 4, 5), torch.randint(0, 5, (2, 3, 4))
    both = vmap(vmap(loss))
    assert calls(both, x, y) == {"loss": 1}
    expected = torch.stack([one_by_one(loss, *each) for each in zip(x, y)])
    torch.testing.assert_close(both(x, y), expected)
    torch.testing.assert_close(
        vmap(vmap(loss, in_dims=(0, None)), in_dims=(1, 0), out_dims=1)(x, y[0]),
        torch.stack([torch.stack([loss(x[i, j], y[0, j]) for j in range(3)]) for i in range(2)]),
    )
    total = vmap(grad(lambda x, y: vmap(loss)(x, y).sum()))
    assert calls(total, x, y) == {"loss": 1, "gradients": 1}
    expected = one_by_one(grad(lambda x, y: one_by_one(loss, x, y).sum()), x, y)
    torch.testing.assert_close(total(x, y), expected)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_backward_through_vmap(reduction):
    """Autograd's own backward pass; each sample has an incoming gradient of its own."""
    loss = losslang.losses.focal(reduction=reduction)
    x, y = example()
    x.requires_grad_()
    upstream = torch.rand(3, dtype=x.dtype)
    (found,) = torch.autograd.grad(vmap(loss)(x, y), x, upstream)
    (expected,) = torch.autograd.grad(one_by_one(loss, x, y), x, upstream)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_shared_parameter(reduction):
    """The gradient of what all samples share, through a batch of calls."""
    x, y = example()
    gamma = torch.tensor(1.5, dtype=x.dtype, requires_grad=True)
    loss = losslang.losses.focal(gamma=gamma, reduction=reduction)
    upstream = torch.rand(3, dtype=x.dtype)
    (found,) = torch.autograd.grad(vmap(loss)(x, y), gamma, upstream)
    (expected,) = torch.autograd.grad(one_by_one(loss, x, y), gamma, upstream)
    torch.testing.assert_close(found, expected)


def test_second_derivatives():
    loss = losslang.losses.cross_entropy()
    x, y = example(rows=2, classes=3)
    second = jacrev(jacrev(loss))
    torch.testing.assert_close(vmap(second)(x, y), one_by_one(second, x, y))
    assert calls(vmap(second), x, y)["second_gradients"] == 1


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision(dtype):
    loss = losslang.losses.cross_entropy()
    x, y = example(rows=64, dtype=dtype)
    found = vmap(loss)(x, y)
    assert found.dtype == dtype
    # Summed in f32 and rounded once, as each alone.
    assert torch.equal(found, one_by_one(loss, x, y))


def test_under_compile():
    loss = losslang.losses.focal()
    x, y = example()
    each = vmap(grad(loss))
    compiled = torch.compile(each, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x, y), each(x, y))


CENTERS = """
loss centers(x: [batch, dim], c: [dim], param a = 1) {
  return a * sum((x - c)^2 over dim)
}
"""


def looping(why):
    return pytest.warns(UserWarning, match=f"performance drop: .* because {why}")


def test_shared_input():
    loss = losslang.compile(CENTERS)
    x, c = torch.randn(3, 4, 2), torch.randn(2)
    found = vmap(loss, in_dims=(0, None))(x, c)
    torch.testing.assert_close(found, one_by_one(lambda x: loss(x, c), x))
    with looping("its input 'c' lacks the axis 'batch' and differs"):
        different = vmap(loss)(x, c.expand(3, 2))
    torch.testing.assert_close(different, found)
    gradient = grad(loss, argnums=1)
    with looping("gradients of its input 'c', which lacks the row axis"):
        found = vmap(gradient, in_dims=(0, None))(x, c)
    torch.testing.assert_close(found, one_by_one(lambda x: gradient(x, c), x))


def test_loss_of_the_whole_batch():
    loss = losslang.losses.clip()
    a, b = (torch.nn.functional.normalize(torch.randn(3, 4, 8), dim=-1) for _ in range(2))
    with looping("it has no row axis"):
        found = vmap(loss)(a, b)
    torch.testing.assert_close(found, one_by_one(loss, a, b))
    # Once is enough.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        vmap(loss)(a, b)


def test_what_differs_between_samples():
    x, y = example()
    key = losslang.losses.focal().compiled.key

    def call(x, y, gamma, weight):
        return torch.ops.losslang.loss(
            key, [x, y], [gamma], weight, None, [2.0], [0], -100, 0.0, "mean", 1, ""
        )

    gamma, weight = torch.rand(3, dtype=x.dtype), torch.rand(3, 5, dtype=x.dtype)
    expected = one_by_one(lambda x, y, g: call(x, y, g, None), x, y, gamma)
    with looping("its parameters differ"):
        found = vmap(call, in_dims=(0, 0, 0, None))(x, y, gamma, None)
    torch.testing.assert_close(found, expected)
    expected = one_by_one(lambda x, y, w: call(x, y, gamma[0], w), x, y, weight)
    with looping("its class weights differ"):
        found = vmap(call, in_dims=(0, 0, None, 0))(x, y, gamma[0], weight)
    torch.testing.assert_close(found, expected)
    with looping("gradients of its parameters are wanted"):
        found = vmap(grad(call, argnums=2), in_dims=(0, 0, None, None))(x, y, gamma[0], None)
    assert found.shape == (3,)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_gradients_from_above_in_batches(reduction):
    """torch.autograd has a vmap of its own."""
    x, y = (t[0] for t in example())
    x.requires_grad_()
    ours = losslang.losses.cross_entropy(reduction=reduction)
    theirs = torch.nn.CrossEntropyLoss(reduction=reduction)
    value = ours(x, y)
    upstream = torch.randn(4, *value.shape, dtype=value.dtype)

    def gradient(loss, upstream, **options):
        return torch.autograd.grad(loss(x, y), x, upstream, **options)[0]

    expected = torch.stack([gradient(theirs, each) for each in upstream])
    found = gradient(ours, upstream, is_grads_batched=True)
    torch.testing.assert_close(found, expected)
    found = vmap(lambda each: torch.autograd.grad(value, x, each, retain_graph=True)[0])(upstream)
    torch.testing.assert_close(found, expected)
    nested = torch.stack([upstream, 2 * upstream])
    found = vmap(vmap(lambda each: torch.autograd.grad(value, x, each, retain_graph=True)[0]))(
        nested
    )
    torch.testing.assert_close(found, torch.stack([expected, 2 * expected]))


@pytest.mark.parametrize("outer", ["reverse-mode", "forward-mode"])
def test_vectorized_derivatives(outer):
    x, y = (t[0] for t in example())
    ours, theirs = losslang.losses.cross_entropy(), torch.nn.CrossEntropyLoss()

    def derivatives(loss):
        def f(x):
            return loss(x, y)

        return (
            torch.autograd.functional.jacobian(f, x, vectorize=True, strategy=outer),
            torch.autograd.functional.hessian(
                f, x, vectorize=True, outer_jacobian_strategy=outer
            ),
        )

    torch.testing.assert_close(derivatives(ours), derivatives(theirs))


def test_batched_gradients_of_parameters():
    """They are summed in the kernel, which runs for each incoming gradient."""
    x, y = (t[0] for t in example())
    gamma = torch.tensor(1.5, dtype=x.dtype, requires_grad=True)
    loss = losslang.losses.focal(gamma=torch.nn.Parameter(gamma), reduction="none")
    value = loss(x, y)
    unit = torch.eye(len(value), dtype=value.dtype)
    (found,) = torch.autograd.grad(value, loss.gamma, unit, is_grads_batched=True, retain_graph=True)
    expected = [torch.autograd.grad(v, loss.gamma, retain_graph=True)[0] for v in value]
    torch.testing.assert_close(found, torch.stack(expected))
