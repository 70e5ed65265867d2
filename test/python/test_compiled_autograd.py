"""Compiled autograd traces the backward pass of losses under torch.compile, and says so of others."""

import pytest
import torch
from torch._dynamo.utils import maybe_enable_compiled_autograd

import losslang


def example():
    torch.manual_seed(1)
    return torch.randn(6, 5, requires_grad=True), torch.randint(0, 5, (6,))


def test_of_a_compiled_call():
    x, y = example()
    loss = losslang.losses.focal(gamma=2.0)
    (expected,) = torch.autograd.grad(loss(x, y), x)
    step = torch.compile(loss, fullgraph=True, backend="aot_eager")
    value = step(x, y)
    with maybe_enable_compiled_autograd(True, fullgraph=False, dynamic=True):
        value.backward()
    torch.testing.assert_close(x.grad, expected)


def test_of_an_eager_call():
    x, y = example()
    value = losslang.losses.focal(gamma=2.0)(x, y)
    with pytest.raises(NotImplementedError, match=r"LossBackward\(focal\): .* under torch.compile, or"):
        with maybe_enable_compiled_autograd(True, fullgraph=False, dynamic=True):
            value.backward(retain_graph=True)
    value.backward()
    assert x.grad is not None
