"""Forward-mode derivatives of compiled losses: as PyTorch's own."""

import pytest
import torch
import torch.autograd.forward_ad as forward_ad
from torch import nn
from torch.func import functional_call, hessian, jacfwd, jacrev, jvp, vmap

import losslang

REDUCTIONS = ("none", "mean", "sum")


@pytest.fixture
def data():
    torch.manual_seed(81)
    x = torch.randn(6, 5, dtype=torch.float64)
    return x, torch.randint(0, 5, (6,)), torch.randn_like(x)


def both(**options):
    return losslang.losses.cross_entropy(**options), nn.CrossEntropyLoss(**options)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_jvp(reduction, data):
    x, y, tangent = data
    ours, theirs = both(reduction=reduction)

    def along(loss):
        return jvp(lambda x: loss(x, y), (x,), (tangent,))

    torch.testing.assert_close(along(ours), along(theirs))
    torch.testing.assert_close(jacfwd(ours)(x, y), jacfwd(theirs)(x, y))


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_dual_numbers(reduction, data):
    x, y, tangent = data
    ours, theirs = both(reduction=reduction, label_smoothing=0.1, ignore_index=2)
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(x, tangent)
        found, expected = (forward_ad.unpack_dual(loss(dual, y)) for loss in (ours, theirs))
        torch.testing.assert_close(found.primal, expected.primal)
        torch.testing.assert_close(found.tangent, expected.tangent)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_mixed_modes(reduction, data):
    x, y, _ = data
    ours, theirs = both(reduction=reduction)
    expected = jacrev(jacrev(theirs))(x, y)
    torch.testing.assert_close(hessian(ours)(x, y), expected)
    torch.testing.assert_close(jacfwd(jacrev(ours))(x, y), expected)
    torch.testing.assert_close(jacrev(jacfwd(ours))(x, y), expected)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_gradcheck(reduction, data):
    x, y, _ = data
    loss = losslang.losses.ngl(reduction=reduction)
    x.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x: loss(x, y), x, check_forward_ad=True, check_batched_forward_grad=True
    )
    assert torch.autograd.gradgradcheck(lambda x: loss(x, y), x, check_fwd_over_rev=True)


def test_of_each_sample(data):
    """vmap of jvp is one call, with the samples as rows."""
    x, y, tangent = data

    def along(loss):
        return lambda x, y, t: jvp(lambda x: loss(x, y), (x,), (t,))[1]

    ours, theirs = both()
    at = (x[:, None], y[:, None], tangent[:, None])
    torch.testing.assert_close(vmap(along(ours))(*at), vmap(along(theirs))(*at))


def test_by_targets_and_parameters(data):
    x, y, tangent = data
    ours, theirs = both()
    target = torch.softmax(tangent, 1)
    torch.testing.assert_close(
        jvp(ours, (x, target), (tangent, x)), jvp(theirs, (x, target), (tangent, x))
    )

    gamma = torch.tensor(1.5, dtype=torch.float64)
    module = losslang.losses.focal(gamma=nn.Parameter(gamma.clone()), reduction="none")

    def function(x, gamma):
        return functional_call(module, {"gamma": gamma}, (x, y))

    with pytest.warns(UserWarning, match="one sample after another"):
        found = jacfwd(function, argnums=(0, 1))(x, gamma)
    torch.testing.assert_close(found, jacrev(function, argnums=(0, 1))(x, gamma))


@pytest.mark.parametrize("name", ["dice", "clip"])
def test_of_losses_over_the_batch(name):
    torch.manual_seed(82)
    loss = getattr(losslang.losses, name)()
    x, z = torch.rand(2, 4, 3, dtype=torch.float64).unbind()
    (value, tangent) = jvp(lambda x: loss(x, z), (x,), (z,))
    x.requires_grad_()
    torch.testing.assert_close(value, loss(x, z).detach())
    (gradient,) = torch.autograd.grad(loss(x, z).sum(), x)
    torch.testing.assert_close(tangent.sum(), (gradient * z).sum())


def test_in_half_precision(data):
    x, y, tangent = data
    ours = losslang.losses.cross_entropy()
    value, along = jvp(lambda x: ours(x, y), (x.bfloat16(),), (tangent.bfloat16(),))
    assert value.dtype == along.dtype == torch.bfloat16


def test_compiled(data):
    x, y, tangent = data
    ours, theirs = both()

    def along(loss):
        return jvp(lambda x: loss(x, y), (x,), (tangent,))[1]

    compiled = torch.compile(lambda: along(ours), fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(), along(theirs))


def test_twice_is_an_error(data):
    x, y, _ = data
    with pytest.raises(NotImplementedError, match=r"take jacfwd\(jacrev\(f\)\)"):
        jacfwd(jacfwd(losslang.losses.focal()))(x, y)


def test_by_class_weights_is_an_error(data):
    x, y, _ = data
    weight = torch.ones(5, dtype=torch.float64)
    with pytest.raises(RuntimeError, match="weights of classes and samples have no gradient"):
        jvp(lambda w: losslang.losses.cross_entropy(weight=w)(x, y), (weight,), (weight,))
