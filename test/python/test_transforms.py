"""Compiled losses under what PyTorch does to functions: compile, grad, autocast."""

import pytest
import torch
from torch import nn
from torch.func import functional_call, grad, jacrev, jvp

import losslang

REDUCTIONS = ("none", "mean", "sum")


def example(rows=6, classes=5, dtype=torch.float32):
    logits = torch.randn(rows, classes, dtype=dtype, requires_grad=True)
    return logits, torch.randint(0, classes, (rows,))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("dynamic", [False, True])
def test_compile_fullgraph(reduction, dynamic):
    loss = losslang.losses.focal(reduction=reduction)
    model = nn.Linear(4, 5)
    compiled = torch.compile(
        lambda x, y: loss(model(x), y), fullgraph=True, backend="aot_eager", dynamic=dynamic
    )
    for rows in (6, 9):
        x, y = torch.randn(rows, 4), torch.randint(0, 5, (rows,))
        plain, traced = loss(model(x), y), compiled(x, y)
        assert torch.equal(plain, traced)
        upstream = torch.randn_like(plain)
        expected = torch.autograd.grad(plain, model.weight, upstream)[0]
        found = torch.autograd.grad(traced, model.weight, upstream)[0]
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_compile_images(reduction):
    """(N, C, d1, d2), channels last, with weights: the strides that are promised are kept."""
    loss = losslang.losses.cross_entropy(weight=torch.rand(5), reduction=reduction)
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    for layout in (torch.contiguous_format, torch.channels_last):
        x = torch.randn(2, 5, 3, 4).to(memory_format=layout).requires_grad_()
        y = torch.randint(0, 5, (2, 3, 4))
        expected = loss(x, y)
        assert torch.equal(compiled(x, y), expected)
        torch.testing.assert_close(
            torch.autograd.grad(compiled(x, y).sum(), x), torch.autograd.grad(expected.sum(), x)
        )


def test_compile_inductor():
    loss = losslang.losses.ngl()
    model = nn.Linear(4, 5)
    compiled = torch.compile(lambda x, y: loss(model(x).relu(), y), fullgraph=True)
    x, y = torch.randn(6, 4), torch.randint(0, 5, (6,))
    torch.testing.assert_close(compiled(x, y), loss(model(x).relu(), y))
    found = torch.autograd.grad(compiled(x, y), model.weight)
    torch.testing.assert_close(found, torch.autograd.grad(loss(model(x).relu(), y), model.weight))


def test_compile_whole_module_once():
    """One graph: no break, no second compilation."""
    loss = losslang.losses.focal()
    counter = torch._dynamo.testing.CompileCounterWithBackend("aot_eager")
    compiled = torch.compile(loss, backend=counter, fullgraph=True)
    x, y = example()
    for _ in range(3):
        compiled(x, y).backward()
    assert counter.frame_count == 1


def test_operator_registration():
    """PyTorch's own check of schema, fake kernel, autograd and AOT tracing."""
    loss = losslang.losses.focal()
    x, y = example()
    arguments = (loss.compiled.key, [x, y], [], None, None, [2.0], [], -100, 0.0)
    for reduction in REDUCTIONS:
        torch.library.opcheck(torch.ops.losslang.loss.default, (*arguments, reduction, 1, ""))


def test_unknown_key():
    x, y = example()
    with pytest.raises(RuntimeError, match="not known in this process"):
        torch.ops.losslang.loss("none:0", [x, y], [], None, None, [], [], -100, 0.0, "mean", 1, "")


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_grad(reduction):
    loss = losslang.losses.focal(reduction=reduction)
    x, y = example()
    (expected,) = torch.autograd.grad(loss(x, y), x)
    torch.testing.assert_close(grad(loss)(x.detach(), y), expected)


def test_hessian():
    x, y = example(rows=2, classes=3, dtype=torch.float64)
    x = x.detach()
    found = jacrev(jacrev(losslang.losses.cross_entropy()))(x, y)
    expected = torch.autograd.functional.hessian(lambda x: nn.functional.cross_entropy(x, y), x)
    torch.testing.assert_close(found, expected)


def focal(x, y, gamma):
    logp = torch.log_softmax(x, 1).gather(1, y[:, None])
    return -((1 - logp.exp()) ** gamma * logp).mean()


def test_hessian_with_a_parameter():
    x, y = example(rows=2, classes=3, dtype=torch.float64)
    at = (x.detach(), torch.tensor(1.5, dtype=torch.float64))
    module = losslang.losses.focal(gamma=nn.Parameter(at[1].clone()))

    def function(x, gamma):
        return functional_call(module, {"gamma": gamma}, (x, y))

    found = jacrev(jacrev(function, argnums=(0, 1)), argnums=(0, 1))(*at)
    expected = torch.autograd.functional.hessian(lambda x, gamma: focal(x, y, gamma), at)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(torch.autograd.functional.hessian(function, at), expected)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_hessian_vector_products(reduction):
    """torch.autograd.functional differentiates the second derivative by its directions."""
    x, y = example(rows=4, classes=3, dtype=torch.float64)
    x, v = x.detach(), torch.randn(4, 3, dtype=torch.float64)

    def products(loss):
        def f(x):
            return loss(x, y)

        return [getattr(torch.autograd.functional, n)(f, x, v) for n in ("hvp", "vhp", "jvp")]

    ours = losslang.losses.cross_entropy(reduction=reduction)
    theirs = nn.CrossEntropyLoss(reduction=reduction)
    torch.testing.assert_close(products(ours), products(theirs))

    def along(loss):
        """The derivative of v H v by v, in nested transforms."""

        def f(v):
            return (jvp(grad(lambda x: loss(x, y)), (x,), (v,))[1] * v).sum()

        return grad(f)(v)

    torch.testing.assert_close(along(ours), along(theirs))


def test_derivative_of_a_derivative_along_a_direction():
    x, y = example(rows=4, classes=3, dtype=torch.float64)
    v = torch.randn(4, 3, dtype=torch.float64)

    def derivative(loss):
        _, along = torch.autograd.functional.jvp(lambda x: loss(x, y), x, v, create_graph=True)
        return torch.autograd.grad(along.square().sum(), x)[0]

    ours = losslang.losses.cross_entropy(reduction="none")
    theirs = nn.CrossEntropyLoss(reduction="none")
    torch.testing.assert_close(derivative(ours), derivative(theirs))


@pytest.mark.parametrize("classes", ["weight", "module"])
def test_compile_with_a_fixed_number_of_classes(classes):
    """What belongs to the module has a fixed size, the logits do not."""
    if classes == "weight":
        loss = losslang.losses.cross_entropy(weight=torch.rand(5))
    else:

        class Balanced(nn.Module):
            def __init__(self):
                super().__init__()
                self.loss = losslang.losses.balanced_softmax()
                self.register_buffer("counts", torch.arange(1.0, 6))

            def forward(self, x, y):
                return self.loss(x, y, self.counts)

        loss = Balanced()
    compiled = torch.compile(loss, fullgraph=True, dynamic=True, backend="aot_eager")
    for rows in (4, 7):
        x, y = torch.randn(rows, 5), torch.randint(0, 5, (rows,))
        torch.testing.assert_close(compiled(x, y), loss(x, y))


@pytest.mark.parametrize("function", [jacrev, grad], ids=["jacrev", "grad"])
def test_third_derivative_is_an_error(function):
    x, y = example(rows=1, classes=2, dtype=torch.float64)
    loss = losslang.losses.cross_entropy()

    def along(x):
        return loss(torch.stack([x, 2 * x])[None], y)

    with pytest.raises(RuntimeError, match="third derivative"):
        function(function(function(along)))(x[0, 0].detach())


def test_third_derivative_of_a_graph_is_an_error():
    x, y = example(rows=2, classes=3, dtype=torch.float64)
    (first,) = torch.autograd.grad(losslang.losses.focal()(x, y), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="'focal' has no third derivative"):
        second.sum().backward()


def test_double_backward():
    x, y = example(rows=3, classes=4, dtype=torch.float64)
    for reduction in REDUCTIONS:
        loss = losslang.losses.focal(reduction=reduction)
        assert torch.autograd.gradcheck(lambda x: loss(x, y), x)
        assert torch.autograd.gradgradcheck(lambda x: loss(x, y), x)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast(dtype):
    """Like PyTorch's losses: in f32, and the gradient in the logits' type."""
    loss = losslang.losses.cross_entropy()
    x, y = example()
    low = x.detach().to(dtype).requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = loss(low, y)
        assert value.dtype == torch.float32
    torch.testing.assert_close(value, nn.functional.cross_entropy(low.float(), y))
    (found,) = torch.autograd.grad(value, low)
    assert found.dtype == dtype


def test_autocast_of_a_model():
    model, loss = nn.Linear(4, 5), losslang.losses.focal()
    x, y = torch.randn(6, 4), torch.randint(0, 5, (6,))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss(model(x), y).backward()
    assert model.weight.grad.dtype == torch.float32
    assert model.weight.grad.abs().sum() > 0


def test_functional_in_a_graph():
    x, y = example()
    function = losslang.functional.cross_entropy
    compiled = torch.compile(function, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x, y), function(x, y))
