"""Losses of which a part overflows or cancels where the whole does not: factors of 0, small losses of a pair that is
picked safely, samples that are near each other. The right numbers are computed here in plain Python."""

import math

import pytest
import torch
from test_edges import F64, INF, TYPES, close, tensor, value_and_gradient

import losslang


@TYPES
def test_weight_0_leaves_out_a_divergence_that_overflows(dtype):
    logits, image, mu = (tensor([row], dtype, False) for row in ([0.5, -1.0], [1.0, 0.0], [1.0, 2.0]))
    log_variance = tensor([[1e4, 0.0]], dtype)
    criterion = losslang.losses.beta_vae(beta=0.0)
    value = criterion(logits, image, mu, log_variance)
    value.backward()
    close(value.detach(), math.log1p(math.exp(0.5)) - 0.5 + math.log1p(math.exp(-1)))
    assert log_variance.grad.tolist() == [[0, 0]]


@TYPES
def test_tweedie_of_a_claim_of_0_and_a_tiny_mean(dtype):
    value, gradient = value_and_gradient("tweedie", tensor([-1e4], dtype), tensor([0.0], dtype, False))
    assert value.item() == 0 and gradient.item() == 0


@TYPES
def test_heteroscedastic_of_no_error_and_an_infinite_precision(dtype):
    x, s = tensor([3.0], dtype), tensor([-1e4], dtype)
    value, gradient = value_and_gradient("heteroscedastic", x, tensor([3.0], dtype, False), s)
    assert (value.item(), gradient.item(), s.grad.item()) == (-5000, 0, 0.5)


@TYPES
def test_ppo_clip_where_the_ratio_overflows(dtype):
    old = tensor([-110.0, -1e4], dtype, False)
    advantage = tensor([-1e-4, 0.0], dtype, False)
    x = tensor([-20.0, -1.0], dtype)
    value, gradient = value_and_gradient("ppo_clip", x, old, advantage)
    expected = [float(-advantage[0]) * math.exp(90), 0]
    close(value, expected, rel=256 * torch.finfo(dtype).eps)
    close(gradient, expected, rel=256 * torch.finfo(dtype).eps)


@TYPES
@pytest.mark.parametrize("z", [13.0, 1e4, 1e12])
def test_gaussian_crps_far_from_the_mean(z, dtype):
    x, deviation = tensor([0.0], dtype), tensor([0.5], dtype)
    value, gradient = value_and_gradient("gaussian_crps", x, tensor([z / 2], dtype, False), deviation)
    close(value, [z / 2 - 0.5 / math.sqrt(math.pi)])
    close(gradient, [-1])
    close(deviation.grad, [-1 / math.sqrt(math.pi)])


@TYPES
def test_minus_log_iou_of_disjoint_boxes_has_no_slope(dtype):
    a, b = tensor([[0.0, 0, 1, 1]], dtype), tensor([[5.0, 5, 8, 7]], dtype, False)
    value = losslang.losses.iou(logarithm=True, reduction="none")(a, b)
    value.sum().backward()
    assert value.tolist() == [INF] and a.grad.tolist() == [[0, 0, 0, 0]]


@TYPES
def test_adaptive_wing_without_error_has_no_slope(dtype):
    value, gradient = value_and_gradient("adaptive_wing", tensor([0.25], dtype), tensor([0.25], dtype, False), alpha=0.5)
    assert value.item() == 0 and gradient.item() == 0


@TYPES
@pytest.mark.parametrize("name", ["info_nce", "clip", "npair", "nt_xent"])
def test_pairs_that_are_picked_safely_keep_their_digits(name, dtype):
    """Two pairs, orthogonal to each other: log(1 + exp(-d)), d the distance of the logits."""
    length = 8.0 if name == "npair" else 1.0
    a = tensor([[length, 0.0], [0.0, length]], dtype)
    settings = {} if name == "npair" else {"temperature": 1 / 64}
    value, gradient = value_and_gradient(name, a, tensor(a.tolist(), dtype, False), **settings)
    # nt_xent has the other sample in both views.
    small = math.log1p((2 if name == "nt_xent" else 1) * math.exp(-64))
    close(value, [small, small], rel=512 * torch.finfo(dtype).eps)
    assert torch.isfinite(gradient).all()


@TYPES
@pytest.mark.parametrize("scale", [1e-2, 1e-4, 1e-8])
def test_mmd_of_samples_near_each_other(scale, dtype):
    x, y = ([[0.0], [scale]], [[2 * scale], [3 * scale]])
    square = lambda a, b: (a[0] - b[0]) ** 2 / 2
    mean = lambda a, b: sum(math.expm1(-square(p, q)) for p in a for q in b) / 4
    value, _ = value_and_gradient("mmd", tensor(x, dtype), tensor(y, dtype, False))
    close(value, mean(x, x) + mean(y, y) - 2 * mean(x, y))


@TYPES
@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_concordance_does_not_depend_on_the_scale(scale, dtype):
    x, y = tensor([0.0, scale, 3 * scale], dtype), tensor([scale, scale, 4 * scale], dtype, False)
    value, gradient = value_and_gradient("concordance", x, y)
    # Variances 14 / 9 and 2, means 4 / 3 and 2.
    close(value, (2 / 3) / (14 / 9 + 2 + 4 / 9))
    assert torch.isfinite(gradient).all() and gradient.abs().max() > 0


@TYPES
def test_berhu_of_tiny_errors(dtype):
    x, y = tensor([1e-30, 4e-30], dtype), tensor([0.0, 0.0], dtype, False)
    value, _ = value_and_gradient("berhu", x, y, fraction=0.25)
    close(value, [1e-30, (16 + 1) / 2 * 1e-30])


def test_uniformity_of_a_small_t():
    """1 / t of it tends to minus the mean squared distance."""
    a = tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]], F64)
    value, _ = value_and_gradient("align_uniform", a, tensor(a.tolist(), F64, False), t=1e-8)
    close(value, -1e-8 * (2 + 2 + 4) / 3, rel=1e-7)


@TYPES
@pytest.mark.parametrize("alpha", [1e-8, 1e-3])
def test_alpha_iou_of_a_small_power(alpha, dtype):
    a, b = tensor([[0.0, 0, 2, 1]], dtype), tensor([[1.0, 0, 3, 1]], dtype, False)
    value, _ = value_and_gradient("alpha_iou", a, b, alpha=alpha, eps=1e-30)
    close(value, [-math.expm1(alpha * math.log(1 / 3))])
