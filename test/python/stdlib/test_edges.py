"""Losses where their formulas, written as in the papers, break: at bounds of parameters, for boxes without
height, empty classes, masked classes, and where digits cancel. The right numbers are computed here in
plain Python, or are limits that the text says."""

import math

import pytest
import torch

import losslang

F32, F64 = torch.float32, torch.float64
TYPES = pytest.mark.parametrize("dtype", [F32, F64], ids=["f32", "f64"])
INF = math.inf


def tensor(values, dtype, grad=True):
    return torch.tensor(values, dtype=dtype, requires_grad=grad)


def close(actual, expected, rel=None):
    """Within some ULP of the type, relatively: no absolute tolerance."""
    rel = rel or 64 * torch.finfo(actual.dtype).eps
    assert actual.tolist() == pytest.approx(expected, rel=rel, abs=0)


def value_and_gradient(name, x, *others, **settings):
    result = getattr(losslang.losses, name)(reduction="none", **settings)(x, *others)
    result.sum().backward()
    return result.detach(), x.grad


def ciou(a, b, eps=1e-7):
    """torchvision's complete_box_iou_loss, with atan2."""
    (ax, ay, ax2, ay2), (bx, by, bx2, by2) = a, b
    overlap = max(0, min(ax2, bx2) - max(ax, bx)) * max(0, min(ay2, by2) - max(ay, by))
    union = (ax2 - ax) * (ay2 - ay) + (bx2 - bx) * (by2 - by) - overlap
    iou = overlap / (union + eps)
    cw, ch = max(ax2, bx2) - min(ax, bx), max(ay2, by2) - min(ay, by)
    distance = (((ax + ax2 - bx - bx2) / 2) ** 2 + ((ay + ay2 - by - by2) / 2) ** 2) / (cw**2 + ch**2 + eps)
    v = 4 / math.pi**2 * (math.atan2(bx2 - bx, by2 - by) - math.atan2(ax2 - ax, ay2 - ay)) ** 2
    return 1 - iou + distance + v * v / (1 - iou + v + eps)


BOXES = {
    "point": ([5, 5, 5, 5], [0, 0, 10, 10]),
    "two_points": ([5, 5, 5, 5], [2, 2, 2, 2]),
    "no_height": ([1, 3, 4, 3], [0, 0, 5, 8]),
    "no_width": ([2, 1, 2, 7], [0, 0, 5, 8]),
    "both_without_height": ([1, 3, 4, 3], [2, 5, 9, 5]),
    "disjoint": ([0, 0, 1, 1], [5, 5, 8, 7]),
    "touching": ([0, 0, 1, 1], [1, 0, 2, 1]),
    "ordinary": ([1, 2, 4, 7], [2, 1, 6, 5]),
    "identical": ([1, 2, 4, 7], [1, 2, 4, 7]),
}


@TYPES
@pytest.mark.parametrize("boxes", BOXES.values(), ids=BOXES)
def test_ciou_of_degenerate_boxes(boxes, dtype):
    a, b = ([float(x) for x in box] for box in boxes)
    value, gradient = value_and_gradient("ciou", tensor([a], dtype), tensor([b], dtype, False))
    # 1 - IoU is the rounding of 1 where the boxes are the same.
    assert value.item() == pytest.approx(ciou(a, b), abs=8 * torch.finfo(dtype).eps)
    assert torch.isfinite(gradient).all()


@TYPES
@pytest.mark.parametrize("name", ["iou", "giou", "diou", "ciou", "eiou", "alpha_iou"])
@pytest.mark.parametrize("boxes", BOXES.values(), ids=BOXES)
def test_boxes_have_finite_gradients(name, boxes, dtype):
    a, b = ([float(x) for x in box] for box in boxes)
    value, gradient = value_and_gradient(name, tensor([a], dtype), tensor([b], dtype, False))
    assert torch.isfinite(value).all() and torch.isfinite(gradient).all()


@TYPES
@pytest.mark.parametrize("alpha", [0.25, 0.5, 1.0, 3.0])
def test_alpha_iou_of_disjoint_boxes_has_no_slope(alpha, dtype):
    a, b = tensor([[0.0, 0, 1, 1]], dtype), tensor([[5.0, 5, 8, 7]], dtype, False)
    value, gradient = value_and_gradient("alpha_iou", a, b, alpha=alpha)
    assert value.item() == 1 and gradient.tolist() == [[0, 0, 0, 0]]


@TYPES
def test_class_balanced_leaves_out_a_class_without_samples(dtype):
    logits = [[2.0, 0.5, -1.0, 1.0], [0.0, 1.5, 0.25, -2.0], [1.0, -1.0, 3.0, 0.0]]
    counts, beta = [10.0, 20.0, 30.0, 0.0], 0.9999
    weights = [(1 - beta) / (1 - beta**n) if n else 0 for n in counts]
    weights = [4 * w / sum(weights) for w in weights]
    expected = [
        w * (math.log(sum(map(math.exp, row))) - row[k]) for k, (w, row) in enumerate(zip(weights, logits))
    ]
    x = tensor(logits, dtype)
    value, gradient = value_and_gradient(
        "class_balanced", x, torch.arange(3), tensor(counts, dtype, False)
    )
    close(value, expected, 1e-5 if dtype == F32 else 1e-11)
    assert (gradient != 0).all() and torch.isfinite(gradient).all()


@TYPES
@pytest.mark.parametrize("name", ["ldam", "balanced_softmax", "vector_scaling", "seesaw"])
def test_classes_without_samples_are_finite(name, dtype):
    x = tensor([[2.0, 0.5, -1.0, 1.0], [0.0, 1.5, 0.25, -2.0]], dtype)
    counts = tensor([10.0, 20.0, 30.0, 0.0], dtype, False)
    value, gradient = value_and_gradient(name, x, torch.tensor([0, 2]), counts)
    assert torch.isfinite(value).all() and torch.isfinite(gradient).all()


@TYPES
def test_confidence_penalty_of_a_masked_class(dtype):
    x = tensor([[-INF, 0.0, 1.0, 0.5]], dtype)
    p = [math.exp(l) / (1 + math.e + math.exp(0.5)) for l in (0.0, 1.0, 0.5)]
    expected = -math.log(p[1]) + 0.1 * sum(q * math.log(q) for q in p)
    value, gradient = value_and_gradient("confidence_penalty", x, torch.tensor([2]))
    close(value, [expected])
    assert gradient[0, 0] == 0 and torch.isfinite(gradient).all()


@TYPES
def test_soft_bootstrapping_of_a_masked_class(dtype):
    x = tensor([[-INF, 0.0, 1.0, 0.5]], dtype)
    p = [math.exp(l) / (1 + math.e + math.exp(0.5)) for l in (0.0, 1.0, 0.5)]
    expected = -0.75 * math.log(p[1]) - 0.25 * sum(q * math.log(q) for q in p)
    value, gradient = value_and_gradient("soft_bootstrapping", x, torch.tensor([2]), beta=0.75)
    close(value, [expected])
    assert gradient[0, 0] == 0 and torch.isfinite(gradient).all()


@TYPES
def test_jensen_shannon_at_the_ends_of_its_weight(dtype):
    logits = [0.25, -1.5, 2.0]
    total = sum(map(math.exp, logits))
    p = math.exp(logits[1]) / total
    labels = torch.tensor([1])
    # KL(y || p), and the probability of the other classes.
    for pi_1, expected in ((0.0, -math.log(p)), (1.0, 1 - p), (1e-6, -math.log(p))):
        value, gradient = value_and_gradient("jensen_shannon", tensor([logits], dtype), labels, pi_1=pi_1)
        close(value, [expected], 1e-4 if 0 < pi_1 < 1 else None)
        assert (gradient != 0).all() and torch.isfinite(gradient).all()
    for pi_1 in (0.0, 1.0):
        value, gradient = value_and_gradient(
            "jensen_shannon", tensor([logits], dtype), labels, pi_1=pi_1, scaled=False
        )
        assert value.item() == 0 and torch.isfinite(gradient).all()


def test_berhu_asks_for_a_share_above_0():
    with pytest.raises(ValueError, match="fraction"):
        losslang.losses.berhu(fraction=0.0)


@TYPES
def test_ohem_keeps_at_least_one(dtype):
    x = tensor([[[2.0, -1.0, 0.5], [0.0, 1.0, 0.25]]], dtype)
    labels = torch.tensor([[0, 0, 1]])
    value, gradient = value_and_gradient("ohem_cross_entropy", x, labels, keep=0.0)
    close(value, [math.log1p(math.exp(2.0))])
    assert torch.isfinite(gradient).all() and (gradient[0, :, 1] != 0).all()


@TYPES
@pytest.mark.parametrize("d", [0.0, 1e-30, 1e-8, 1e-4, 0.5, 1.0, 3.0, 100.0, 1e4])
def test_log_cosh_keeps_its_digits(d, dtype):
    d = tensor([d], F32, False).item()
    series = d**2 / 2 - d**4 / 12
    expected = series if d < 1e-3 else d + math.log1p(math.exp(-2 * d)) - math.log(2)
    if dtype == F32 and expected < 1e-38:
        expected = 0.0
    value, gradient = value_and_gradient("log_cosh", tensor([d], dtype), tensor([0.0], dtype, False))
    close(value, [expected])
    close(gradient, [math.tanh(d)])


@TYPES
def test_losses_near_their_minimum_keep_their_digits(dtype):
    d = tensor([1e-4], F32, False).item()
    x, zero = tensor([d], dtype), tensor([0.0], dtype, False)
    close(value_and_gradient("tukey_biweight", x, zero)[0], [d**2 / 2], 1e-6)
    x = tensor([d], dtype)
    close(value_and_gradient("von_mises_nll", x, zero, kappa=1e3)[0] , [
        value_and_gradient("von_mises_nll", tensor([0.0], F64), zero.double(), kappa=1e3)[0].item()
        + 1e3 * d**2 / 2
    ])
    x, mu = tensor([[d]], dtype), tensor([[0.0]], dtype)
    value = losslang.losses.gaussian_kl(reduction="none")(mu, x)
    close(value.detach(), [d**2 / 4 + d**3 / 12 + d**4 / 48 + d**5 / 240])


@TYPES
def test_concordance_of_what_is_nearly_equal(dtype):
    y = [1.0, 2.0, 4.0]
    x = [v + e for v, e in zip(y, (2.0**-12, 0.0, -(2.0**-12)))]
    mean = lambda a: sum(a) / 3
    spread = mean([(v - mean(x)) ** 2 for v in x]) + mean([(v - mean(y)) ** 2 for v in y]) + (mean(x) - mean(y)) ** 2
    expected = mean([(v - w) ** 2 for v, w in zip(x, y)]) / spread
    value, _ = value_and_gradient("concordance", tensor(x, dtype), tensor(y, dtype, False))
    assert value.item() == pytest.approx(expected, rel=64 * torch.finfo(dtype).eps, abs=0)


@TYPES
def test_concordance_of_equal_constants_is_0(dtype):
    value, gradient = value_and_gradient(
        "concordance", tensor([2.0, 2.0], dtype), tensor([2.0, 2.0], dtype, False)
    )
    assert value.item() == 0 and torch.isfinite(gradient).all()


@TYPES
@pytest.mark.parametrize("name, parameter", [("alpha_divergence", "alpha"), ("tsallis_divergence", "q")])
def test_divergences_beside_the_order_1(name, parameter, dtype):
    logits = [0.25, -1.5, 2.0]
    kl = math.log(sum(map(math.exp, logits))) - logits[1]
    for order in (1 - 1e-6, 1.0, 1 + 1e-6):
        value, gradient = value_and_gradient(
            name, tensor([logits], dtype), torch.tensor([1]), **{parameter: order}
        )
        close(value, [kl], 1e-5)
        assert torch.isfinite(gradient).all()


@TYPES
def test_two_way_without_positives_is_finite(dtype):
    x, y = tensor([[1.0, -1.0], [0.5, 2.0]], dtype), tensor([[0.0, 0.0], [0.0, 0.0]], dtype, False)
    value, gradient = value_and_gradient("two_way", x, y)
    assert value.item() == 0 and (gradient == 0).all()


@TYPES
def test_softmax_equalization_where_the_greatest_is_left_out(dtype):
    x, y = tensor([[0.0, 300.0, -1.0]], dtype), torch.tensor([0])
    frequency = tensor([0.5, 1e-4, 0.5], dtype, False)
    value, gradient = value_and_gradient(
        "softmax_equalization", x, y, frequency, torch.ones(1, 3, dtype=dtype)
    )
    close(value, [math.log1p(math.exp(-1.0))])
    assert gradient[0, 1] == 0 and torch.isfinite(gradient).all()


@pytest.mark.parametrize("name", ["dice", "jaccard", "tversky", "log_cosh_dice"])
def test_overlap_losses_of_sure_predictions_keep_their_digits(name):
    # As many as the probability has: 1 - 2e-9 is 1 in f32.
    x = tensor([[[20.0], [0.0]]], F64)
    q = math.exp(-20.0) / (1 + math.exp(-20.0))
    missed, size = q, 1 - q + 1 + 1
    of_first = {
        "dice": missed / size,
        "jaccard": missed / (1 + 1),
        "tversky": 0.7 * missed / (1 - q + 0.7 * missed + 1),
        "log_cosh_dice": (missed / size) ** 2 / 2,
    }[name]
    value = getattr(losslang.losses, name)(reduction="none")(x, torch.tensor([[0]]))
    assert value[0, 0].item() == pytest.approx(of_first, rel=1e-5, abs=0)
