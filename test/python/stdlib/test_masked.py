"""Classes masked by a logit of -inf take no part: value and gradients are those without the class, and the class
itself has the gradient 0. And what the library's losses of classes give at the ends of their parameters. The right
numbers are those of the same loss without the class, or are computed here in plain Python."""

import math
import warnings

import pytest
import torch
from test_edges import F64, INF, TYPES, close, tensor, value_and_gradient

import losslang

LOGITS = [[0.5, -1.0, 2.0], [1.0, 0.25, -0.5]]
TEACHER = [[1.5, 0.5, -1.0], [0.0, 2.0, 0.75]]
LABELS = torch.tensor([1, 0])


def masked(rows, dtype, grad=True):
    return tensor([row + [-INF] for row in rows], dtype, grad)


def compare(criterion, dtype, logits, others, others_with):
    """The loss with a fourth, masked class against the loss without it."""
    x, z = masked(logits, dtype), tensor(logits, dtype)
    value, plain = criterion(x, *others_with), criterion(z, *others)
    value.sum().backward()
    plain.sum().backward()
    close(value.detach(), plain.tolist())
    assert x.grad[:, 3].tolist() == [0] * len(logits)
    close(x.grad[:, :3].flatten(), z.grad.flatten().tolist(), rel=1024 * torch.finfo(dtype).eps)


@TYPES
@pytest.mark.parametrize(
    "name", ["temperature_scaling", "hard_bootstrapping", "logit_norm", "symmetric_cross_entropy", "reverse_cross_entropy"]
)
def test_losses_of_labels(name, dtype):
    criterion = getattr(losslang.losses, name)(reduction="none")
    compare(criterion, dtype, LOGITS, [LABELS], [LABELS])


@TYPES
@pytest.mark.parametrize("name", ["ldam", "vector_scaling", "balanced_softmax", "seesaw"])
@pytest.mark.parametrize("fourth", [0.0, 15.0])
def test_losses_of_labels_and_counts(name, fourth, dtype):
    if name == "vector_scaling" and fourth > 0:
        pytest.skip("the shares of the other classes differ")
    criterion = getattr(losslang.losses, name)(reduction="none")
    counts, more = (tensor(c, dtype, False) for c in ([10.0, 40.0, 20.0], [10.0, 40.0, 20.0, fourth]))
    compare(criterion, dtype, LOGITS, [LABELS, counts], [LABELS, more])


@TYPES
@pytest.mark.parametrize("name", ["distillation_kl", "distillation", "decoupled_kd"])
def test_distillation_without_a_class(name, dtype):
    criterion = getattr(losslang.losses, name)(reduction="none")
    order = {
        "distillation_kl": lambda teacher: [teacher],
        "distillation": lambda teacher: [LABELS, teacher],
        "decoupled_kd": lambda teacher: [teacher, LABELS],
    }[name]
    compare(
        criterion, dtype, LOGITS, order(tensor(TEACHER, dtype, False)), order(masked(TEACHER, dtype, False))
    )


@TYPES
def test_distillation_without_weight_of_the_teacher(dtype):
    x, teacher = masked(LOGITS, dtype), tensor([row + [1.0] for row in TEACHER], dtype, False)
    criterion = losslang.losses.distillation(reduction="none", alpha=0.0)
    value = criterion(x, LABELS, teacher)
    value.sum().backward()
    z = tensor(LOGITS, dtype)
    right = torch.nn.functional.cross_entropy(z, LABELS, reduction="none")
    right.sum().backward()
    close(value.detach(), right.tolist())
    close(x.grad[:, :3].flatten(), z.grad.flatten().tolist())


OWN_TEMPERATURE = """
loss own(x: [batch, class], y: target [batch, class], t: [batch]) {
  let logp = log_softmax(x / t over class)
  return -sum(y * logp over class) + 0.1 * sum(exp(logp) * logp over class)
}
"""

OWN_NORMALIZED_FOCAL = """
loss own(x: [batch, class], y: target [batch, class], param gamma: nonnegative = 2) {
  let p = softmax(x over class)
  let focal = (1 - p)^gamma * log(p)
  return sum(y * focal over class) / sum(focal over class)
}
"""

OWN_SEGMENTATION = """
loss own(x: [batch, class, position], y: target over class [batch, class, position]) {
  let logp = log_softmax(x over class)
  return -mean(sum(y * (1 - exp(logp))^2 * logp over class) over position)
}
"""

OWN_DIVERGENCE = """
loss own(x: [batch, class], z: fixed [batch, class]) {
  let q = softmax(z over class)
  return sum(q * (log(q) - log_softmax(x over class)) over class)
}
"""

OWN_MIXTURE = """
loss own(x: [batch, class], z: fixed [batch, class]) {
  let p = softmax(x over class)
  let q = softmax(z over class)
  let m = (p + q) / 2
  return sum(p * (log(p) - log(m)) + q * (log(q) - log(m)) over class) / 2
}
"""

OWN_SYMMETRIC = """
loss own(x: [batch, class], y: target [batch, class], param a = -4) {
  return -sum(softmax(x over class) * log(max(y, exp(a))) over class)
}
"""


def own(source, **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", losslang.LossWarning)  # They name the stable form.
        return losslang.compile(source, reduction="none", **settings)


@TYPES
def test_own_temperature(dtype):
    t, u = tensor([2.0, 0.5], dtype), tensor([2.0, 0.5], dtype)
    compare(own(OWN_TEMPERATURE), dtype, LOGITS, [LABELS, t], [LABELS, u])
    close(u.grad, t.grad.tolist())


@TYPES
def test_own_normalized_focal_is_0_beside_a_masked_class(dtype):
    x = masked(LOGITS, dtype)
    value = own(OWN_NORMALIZED_FOCAL)(x, LABELS)
    value.sum().backward()
    assert value.tolist() == [0, 0] and not x.grad.any()


@TYPES
def test_own_segmentation(dtype):
    x, z = masked(LOGITS, dtype, False), tensor(LOGITS, dtype, False)
    x, z = x.T[None].requires_grad_(), z.T[None].requires_grad_()
    value, plain = (own(OWN_SEGMENTATION)(v, LABELS[None]) for v in (x, z))
    value.sum().backward()
    plain.sum().backward()
    close(value.detach(), plain.tolist())
    close(x.grad[:, :3].flatten(), z.grad.flatten().tolist())
    assert not x.grad[:, 3].any()


@TYPES
@pytest.mark.parametrize("source", [OWN_DIVERGENCE, OWN_MIXTURE], ids=["divergence", "mixture"])
def test_own_divergences_without_a_class(source, dtype):
    compare(own(source), dtype, LOGITS, [tensor(TEACHER, dtype, False)], [masked(TEACHER, dtype, False)])


@TYPES
@pytest.mark.parametrize("source", ["distillation_kl", OWN_DIVERGENCE], ids=["library", "own"])
def test_divergence_of_nearly_equal_distributions_keeps_its_digits(source, dtype):
    step = 2.0**-12
    teacher = [0.5, -1.0, 2.0]
    student = [0.5 + step, -1.0, 2.0 - step]
    criterion = losslang.losses.distillation_kl(reduction="none", temperature=1.0)
    if source != "distillation_kl":
        criterion = own(source)
    x = tensor([student], dtype)
    value = criterion(x, tensor([teacher], dtype, False))
    value.sum().backward()
    total = sum(map(math.exp, teacher))
    q = [math.exp(v) / total for v in teacher]
    shift = math.log1p(sum(w * math.expm1(s - t) for w, s, t in zip(q, student, teacher)))
    d = [s - t - shift for s, t in zip(student, teacher)]
    # exp(d) - 1 - d, by its series.
    right = sum(w * v**2 * (1 / 2 + v * (1 / 6 + v * (1 / 24 + v / 120))) for w, v in zip(q, d))
    close(value.detach(), [right], rel=2.0**14 * torch.finfo(dtype).eps)
    close(x.grad[0], [w * math.expm1(v) for w, v in zip(q, d)], rel=2.0**14 * torch.finfo(dtype).eps)


@TYPES
@pytest.mark.parametrize("a", [-100.0, -1e-8, 100.0])
def test_logarithm_of_a_label_at_least_that_of_a_parameter(a, dtype):
    p = math.exp(0.5) / (math.exp(0.5) + math.exp(-1) + math.exp(2))
    right = -max(0, a) * p - a * (1 - p)
    for criterion in (
        losslang.losses.reverse_cross_entropy(reduction="none", log_zero=a),
        own(OWN_SYMMETRIC, a=a),
    ):
        value = criterion(tensor(LOGITS[:1], dtype), torch.tensor([0]))
        close(value.detach(), [right])


@TYPES
def test_angular_margin_of_cosines_at_1(dtype):
    for name in ("arcface", "combined_margin", "sphereface"):
        for epsilon in (1e-8, 1e-7, 100.0):
            x = tensor([[-1.0, 1.0, 0.5]], dtype)
            value, gradient = value_and_gradient(name, x, torch.tensor([0]), epsilon=epsilon, scale=1.0)
            assert value.isfinite() and gradient.isfinite().all()
            # The bounded angle of the true class has no slope.
            assert gradient[0, 0] == 0


@TYPES
def test_seesaw_of_a_true_class_without_samples(dtype):
    counts = tensor([5.0, 0.0, 0.0], dtype, False)
    value, gradient = value_and_gradient("seesaw", tensor(LOGITS[:1], dtype), LABELS[:1], counts, q=0.0)
    z = torch.tensor(LOGITS[:1], dtype=F64)
    close(value, [(torch.logsumexp(z, 1) - z[:, 1]).item()])
    assert gradient.isfinite().all()
