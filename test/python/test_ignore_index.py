"""Ignored class indices where a loss reduces the positions that they lie at: as if those were not there."""

import pytest
import torch
from torch import nn
from torch.func import grad, vmap

import losslang

IGNORED = 255
#: Losses of the library that reduce positions: sums, means, sorting, ranks, sizes.
NAMES = [
    "combo",
    "dice",
    "dice_cross_entropy",
    "focal_tversky",
    "generalized_dice",
    "jaccard",
    "log_cosh_dice",
    "lovasz_softmax",
    "noise_robust_dice",
    "ohem_cross_entropy",
    "sensitivity_specificity",
    "tversky",
]


def example(shape=(6, 7), samples=3, classes=4, dtype=torch.float64):
    x = torch.randn(samples, classes, *shape, dtype=dtype)
    y = torch.randint(0, classes, (samples, *shape))
    y[torch.rand(y.shape) < 0.3] = IGNORED
    y[0, 0] = IGNORED
    y[-1][y[-1] == IGNORED] = 0  # a whole sample
    return x, y


def without(x, y):
    """One sample without its ignored positions, as a batch of one."""
    kept = y != IGNORED
    return x[:, kept][None], y[kept][None]


def reference(loss, x, y):
    """Sample by sample; `loss` has reduction 'none'."""
    return torch.cat([loss(*without(*each)) for each in zip(x, y)])


def losses(name, **options):
    return getattr(losslang.losses, name)(ignore_index=IGNORED, **options)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_as_if_not_there(name, reduction):
    x, y = example()
    x.requires_grad_()
    found = losses(name, reduction=reduction)(x, y)
    expected = reference(losses(name, reduction="none"), x, y)
    if reduction != "none":
        expected = getattr(expected, reduction)()
    torch.testing.assert_close(found, expected)
    upstream = torch.rand_like(expected)
    (gradient,) = torch.autograd.grad(found, x, upstream)
    torch.testing.assert_close(gradient, torch.autograd.grad(expected, x, upstream)[0])
    assert (gradient.movedim(1, -1)[y == IGNORED] == 0).all()


def test_against_torch():
    """Dice by hand."""
    x, y = example()
    found = losses("dice", reduction="sum")(x, y)
    expected = 0.0
    for scores, labels in zip(x, y):
        kept = labels != IGNORED
        p = scores.softmax(0)[:, kept]
        t = nn.functional.one_hot(labels[kept], 4).T.double()
        expected += (1 - (2 * (p * t).sum(1) + 1) / ((p + t).sum(1) + 1)).sum()
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("name", ["dice", "lovasz_softmax"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_types_and_layouts(name, dtype, layout):
    x, y = example(dtype=dtype)
    x = x.to(memory_format=layout).requires_grad_()
    wide = x.detach().double().requires_grad_()
    found = losses(name, reduction="sum")(x, y)
    expected = losses(name, reduction="sum")(wide, y)
    # Sums of 42 positions and of 12 results, in f32, and a rounding to the type.
    close = dict(rtol=2 * torch.finfo(dtype).eps, atol=100 * torch.finfo(torch.float32).eps)
    torch.testing.assert_close(found.double(), expected, **close)
    (own,) = torch.autograd.grad(found, x)
    assert own.dtype == dtype and own.stride() == x.stride()
    torch.testing.assert_close(own.double(), torch.autograd.grad(expected, wide)[0], **close)


def test_nothing_is_read_at_an_ignored_position():
    x, y = example()
    x.requires_grad_()
    loss = losses("dice")
    expected = torch.autograd.grad(loss(x, y), x)[0]
    spoiled = torch.where((y == IGNORED)[:, None], torch.nan, x)
    found = loss(spoiled, y)
    assert torch.equal(found, loss(x, y))
    assert torch.equal(torch.autograd.grad(found, spoiled)[0], expected)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_sample_without_targets(reduction):
    """It is ignored itself: 0, and the mean does not count it."""
    x, y = example()
    y[1] = IGNORED
    x.requires_grad_()
    loss = losses("dice", reduction=reduction)
    found = loss(x, y)
    others = losses("dice", reduction=reduction)(x[::2], y[::2])
    if reduction == "none":
        assert (found[1] == 0).all()
        found = found[::2]
    torch.testing.assert_close(found, others)
    (gradient,) = torch.autograd.grad(found.sum(), x)
    assert (gradient[1] == 0).all() and gradient[::2].any()


def test_nothing_left():
    x, y = example()
    y[:] = IGNORED
    x.requires_grad_()
    assert losses("dice", reduction="sum")(x, y) == 0
    mean = losses("dice")(x, y)
    assert mean.isnan()
    assert (torch.autograd.grad(mean, x)[0] == 0).all()


def test_with_other_options():
    x, y = example()
    options = dict(weight=torch.rand(4).double(), label_smoothing=0.1, reduction="none")
    plain = losslang.losses.dice_cross_entropy(label_smoothing=0.1, reduction="none")
    for loss in (losses("jaccard", label_smoothing=0.1, reduction="none"), plain):
        loss.ignore_index = IGNORED
        torch.testing.assert_close(loss(x, y), reference(loss, x, y))
    weights = torch.rand(3).double()
    weighted = losses("dice", reduction="none")(x, y, sample_weight=weights)
    torch.testing.assert_close(weighted, losses("dice", reduction="none")(x, y) * weights[:, None])
    linear = losslang.compile(LINEAR, ignore_index=IGNORED, **options)
    torch.testing.assert_close(linear(x, y), reference(linear, x, y))


LINEAR = """
loss linear(x: [batch, class, position], y: target over class [batch, class, position]) {
  return -sum(y * log_softmax(x over class) over class, position) / size(position)
}
"""

SHARED = """
loss shared(
  x: [batch, class, position],
  y: target over class [batch, class, position],
  w: [class, position],
  param a = 2
) {
  return a * sum(w * y * softmax(x over class)^2 over class, position)
}
"""


def test_gradients_of_what_rows_share():
    x, y = example(shape=(5,))
    w = torch.randn(4, 5, dtype=x.dtype, requires_grad=True)
    a = nn.Parameter(torch.tensor(2.0, dtype=x.dtype))
    loss = losslang.compile(SHARED, ignore_index=IGNORED, reduction="sum", a=a)
    expected = 0.0
    for scores, labels in zip(x, y):
        kept = labels != IGNORED
        t = nn.functional.one_hot(labels[kept], 4).T
        expected = expected + a * (w[:, kept] * t * scores.softmax(0)[:, kept] ** 2).sum()
    found = loss(x, y, w)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(
        torch.autograd.grad(found, [w, a]), torch.autograd.grad(expected, [w, a])
    )


def test_second_derivatives():
    x, y = example(shape=(4,), samples=2, classes=3)
    loss = losses("dice")
    x.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: loss(x, y), x)
    assert torch.autograd.gradgradcheck(lambda x: loss(x, y), x)


def test_vmap():
    loss = losses("dice")
    x, y = torch.randn(3, 2, 4, 5), torch.randint(0, 4, (3, 2, 5))
    y[torch.rand(y.shape) < 0.3] = IGNORED
    expected = torch.stack([loss(*each) for each in zip(x, y)])
    torch.testing.assert_close(vmap(loss)(x, y), expected)
    expected = torch.stack([grad(loss)(*each) for each in zip(x, y)])
    torch.testing.assert_close(vmap(grad(loss))(x, y), expected)


def test_threads():
    x, y = example(shape=(16, 16), samples=8, dtype=torch.float32)
    x.requires_grad_()
    loss = losses("dice")
    results = []
    threads = torch.get_num_threads()
    for count in (1, 4):
        torch.set_num_threads(count)
        value = loss(x, y)
        results.append((value, *torch.autograd.grad(value, x)))
    torch.set_num_threads(threads)
    assert all(map(torch.equal, *results))


def test_out_of_range_beside_ignored():
    x, y = example()
    y[1, 2, 3] = 4
    with pytest.raises(IndexError, match=r"the target at \[1, 17\] is 4, but expected 0 to 3"):
        losses("dice")(x, y)


def test_targets_on_two_axes():
    """What is left of them is no array."""
    text = """
        loss planes(x: [batch, class, u, v], y: target over class [batch, class, u, v]) {
          return sum(y * x over class, u, v)
        }
        """
    with pytest.raises(ValueError, match="ignore_index does not apply: .* are no array"):
        losslang.compile(text, ignore_index=IGNORED)
    loss = losslang.compile(text)
    assert loss.ignore_index is None
    x, y = example()
    y[y == IGNORED] = -100
    with pytest.raises(ValueError, match=r"ignored index -100, but it cannot be left out: .*\[batch, u, v\]"):
        loss(x, y)
    y[y == -100] = 0
    loss(x, y)


def labelled(dtype=torch.float64):
    x = torch.randn(3, 5, 4, dtype=dtype)
    y = torch.randint(0, 2, x.shape)
    y[torch.rand(y.shape) < 0.3] = IGNORED
    y[0] = IGNORED
    return x, y


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("kind", [torch.int64, torch.uint8, torch.float64, torch.float32])
@pytest.mark.parametrize("layout", ["contiguous", "transposed"])
def test_labels_that_are_numbers(reduction, kind, layout):
    """Binary segmentation: nothing is read where the label is ignored, a NaN neither."""
    x, y = labelled()
    if layout == "transposed":
        x = x.movedim(0, -1).contiguous().movedim(-1, 0)
    kept = y != IGNORED
    x = torch.where(kept, x, torch.nan).requires_grad_()
    found = losses("bce_with_logits", reduction=reduction)(x, y.to(kind))
    own = x.detach()[kept].requires_grad_()
    expected = nn.functional.binary_cross_entropy_with_logits(
        own, y[kept].double(), reduction=reduction
    )
    if reduction == "none":
        assert (found[~kept] == 0).all()
        found = found[kept]
    torch.testing.assert_close(found, expected)
    upstream = torch.rand_like(expected)
    (gradient,) = torch.autograd.grad(found, x, upstream)
    assert (gradient[~kept] == 0).all()
    torch.testing.assert_close(gradient[kept], torch.autograd.grad(expected, own, upstream)[0])


def test_labels_with_sample_weights_and_vmap():
    x, y = labelled()
    loss = losses("bce_with_logits")
    weights = torch.rand_like(x)
    kept = y != IGNORED
    each = losses("bce_with_logits", reduction="none")(x, y)
    found = loss(x, y, sample_weight=weights)
    torch.testing.assert_close(found, (weights * each)[kept].sum() / weights[kept].sum())
    y[0, 0] = 1
    expected = torch.stack([loss(*each) for each in zip(x, y)])
    torch.testing.assert_close(vmap(loss)(x, y), expected)
    torch.testing.assert_close(
        vmap(grad(loss))(x, y), torch.stack([grad(loss)(*each) for each in zip(x, y)])
    )
    step = torch.compile(loss, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(step(x, y), loss(x, y))
    x.requires_grad_()
    assert torch.autograd.gradgradcheck(lambda x: loss(x, y), x)


def test_labels_of_rows_of_logits():
    x, y = torch.randn(6, 4, dtype=torch.float64), torch.tensor([0, 3, IGNORED, 1, IGNORED, 2])
    kept = y != IGNORED
    plain = losslang.losses.coral()
    torch.testing.assert_close(losses("coral")(x, y), plain(x[kept], y[kept]))
    assert plain.ignore_index is None and losses("coral").ignore_index == IGNORED
    # By default no number is special.
    target = torch.tensor([-100.0, 2.0], dtype=torch.float64)
    found = losslang.losses.mse(reduction="none")(torch.zeros_like(target), target)
    torch.testing.assert_close(found, target**2)
    ignoring = losslang.losses.mse(reduction="none", ignore_index=-100)
    assert ignoring(torch.zeros_like(target), target).tolist() == [0, 4]


@pytest.mark.parametrize("name", ["mse", "coral", "corn", "clip", "concordance", "asymmetric", "distillation_kl"])
def test_assigned_or_refused(name):
    """What is an error at construction is one when it is assigned."""
    loss = getattr(losslang.losses, name)()
    takes = name in ("mse", "coral")
    if takes:
        loss.ignore_index = IGNORED
        assert f"ignore_index={IGNORED}" in repr(loss)
        loss.ignore_index = None
        assert loss.ignore_index is None
        return
    with pytest.raises(ValueError, match=f"loss '{name}': ignore_index does not apply: the loss has no"):
        loss.ignore_index = IGNORED
    with pytest.raises(ValueError, match=f"loss '{name}': ignore_index does not apply: the loss has no"):
        losses(name)
