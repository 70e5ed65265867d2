"""Differences of gamma functions, and cumulative sums of exponentials, where the formula as written loses
its digits: losses of the library, and formulas of a user's own.

The numbers are those of each loss's formula with 120 digits (mpmath), its derivatives central differences
with 200, for inputs that f32 holds exactly.
"""

import math
import warnings

import pytest
import torch

import losslang

F64 = torch.float64

# Loss, inputs and parameters, value, derivatives.
LIKELIHOODS = [
    ("negative_binomial_nll", {'x': -6.907755374908447, 'y': 1.0, 'dispersion': 9.99999993922529e-09}, 6.908755374822516, {"x": -0.9990000000859363, "dispersion": 0.0009994999041596274}),
    ("negative_binomial_nll", {'x': 3.9120230674743652, 'y': 0.0, 'dispersion': 9.999999960041972e-13}, 50.000003101061054, {"x": 50.00000309981105, "dispersion": -1250.0001550322243}),
    ("negative_binomial_nll", {'x': 2.0, 'y': 3.0, 'dispersion': 9.999999960041972e-13}, 3.180815568150573, {"x": 4.3890560988982195, "dispersion": -8.131906719670011}),
    ("negative_binomial_nll", {'x': 2.0, 'y': 3.0, 'dispersion': 1.0000000195414814e-25}, 3.1808155681587054, {"x": 4.38905609893065, "dispersion": -8.131906719780169}),
    ("negative_binomial_nll", {'x': 3.5, 'y': 40.0, 'dispersion': 0.0010000000474974513}, 3.4328171499832494, {"x": -6.663870933082662, "dispersion": -2.8683808810232976}),
    ("negative_binomial_nll", {'x': -4.0, 'y': 2.0, 'dispersion': 0.07000000029802322}, 8.646354986622296, {"x": -1.9791469072961374, "dispersion": -0.8981625108435303}),
    ("negative_binomial_nll", {'x': 1.0, 'y': 7.0, 'dispersion': 30.0}, 5.498684388057713, {"x": -0.05186914981177673, "dispersion": 0.029369012038154948}),
    ("negative_binomial_nll", {'x': 0.0, 'y': 2.0, 'dispersion': 1000000.0}, 14.508672554035277, {"x": -9.99999000001e-07, "dispersion": 9.99986184488442e-07}),
    ("student_t_nll", {'x': 0.699999988079071, 'y': 0.0, 'scale': 1.5, 'nu': 100000000.0}, 1.4332925299633135, {"x": 0.3111111082465007, "scale": 0.5214814852907886, "nu": -3.470320956616712e-17}),
    ("student_t_nll", {'x': 2.0, 'y': 0.0, 'scale': 1.5, 'nu': 1.0000000200408773e+20}, 2.213292530201726, {"x": 0.8888888888888888, "scale": -0.5185185185185185, "nu": -3.4876541811963534e-41}),
    ("student_t_nll", {'x': -1.0, 'y': 0.0, 'scale': 1.5, 'nu': 30000.0}, 1.546639958146652, {"x": -0.4444526747751885, "scale": 0.3703648834832077, "nu": -4.69819099273837e-10}),
    ("student_t_nll", {'x': 0.10000000149011612, 'y': 0.0, 'scale': 1.5, 'nu': 11.0}, 1.349523665151115, {"x": 0.048465267280571475, "scale": 0.663435648799816, "nu": -0.0020760317363527772}),
    ("student_t_nll", {'x': 1.0, 'y': 0.0, 'scale': 1.5, 'nu': 0.009999999776482582}, 5.33541579216431, {"x": 0.9877750613919303, "scale": 0.008149959072046502, "nu": -96.79549826356096}),
    ("gamma_nll", {'x': 0.699999988079071, 'y': 2.009999990463257, 'shape': 1000000.0}, -3.552145569632067, {"x": 1863.5322163595276, "shape": 1.2385362921523942e-06}),
    ("gamma_nll", {'x': 0.0, 'y': 1.0, 'shape': 10000000000.0}, -10.593986931757222, {"x": -1.6666666666666665e-111, "shape": -5.0000000000833335e-11}),
    ("gamma_nll", {'x': -3.0, 'y': 0.03999999910593033, 'shape': 20.0}, -3.3476910073086668, {"x": 3.931570820607254, "shape": -0.0029109751222618444}),
    ("gamma_nll", {'x': 1.0, 'y': 5.0, 'shape': 0.009999999776482582}, 6.267269106666608, {"x": -0.00839397187095222, "shape": -95.72575819164233}),
    ("evidential_regression", {'gamma': 0.5, 'y': 0.10000000149011612, 'nu': 2.0, 'alpha': 100000000.0, 'beta': 3.0, 'penalty': 0.009999999776482582}, 2162152.5969846854, {"gamma": 9733624.484066168, "nu": 291120.7391294206, "alpha": 0.02162159611537023, "beta": -582241.4622588416}),
    ("evidential_regression", {'gamma': 0.5, 'y': 0.10000000149011612, 'nu': 2.0, 'alpha': 10000.0, 'beta': 3.0, 'penalty': 0.009999999776482582}, 213.30664149949976, {"gamma": 973.4461081610244, "nu": 29.038203571238096, "alpha": 0.021571599865370245, "beta": -58.060407142893425}),
    ("evidential_regression", {'gamma': 0.5, 'y': 0.10000000149011612, 'nu': 2.0, 'alpha': 2.0, 'beta': 3.0, 'penalty': 0.009999999776482582}, 1.4543483635432377, {"gamma": 0.2783406092276402, "nu": -0.06805531321677084, "alpha": -0.2587507044314058, "beta": 0.15211062601630918}),
]

# Logits of three classes, the first of which is the true one; value, gradient.
EVIDENCE = [
    ([1000000.0, -0.5, -0.5], 9.999930000369998e-12, [-1.9999790001479992e-17, 0.0, 0.0]),
    ([3.0, 1000000.0, -0.5], 26.937861935521102, [-3.999938000723992e-06, 2.000011999695004e-06, 0.0]),
    ([-0.5, 1000000.0, 2000000.0], 21.566693652720694, [0.0, 1.8518533333242387e-07, 6.574069120370412e-07]),
    ([-0.5, 0.0010000000474974513, -0.5], 0.833514505036154, [0.0, 0.18178707415973563, 0.0]),
    ([-1.0, 3.0, 200.0], 8.88963340568488, [0.0, -0.14533248209020627, 0.009942534055505138]),
]


def of(rows):
    return pytest.mark.parametrize("row", rows, ids=lambda r: str(r[:2]) if isinstance(r[0], str) else str(r[0]))


def close(what, ours, expected, dtype, scale=0.0):
    """Within some dozen roundings of the result, or of `scale`."""
    bound = 256 * torch.finfo(dtype).eps * max(abs(expected), scale)
    assert abs(ours - expected) <= bound, f"{what} in {dtype} is {ours}, expected {expected}"


@pytest.mark.parametrize("dtype", [torch.float32, F64], ids=str)
@of(LIKELIHOODS)
def test_likelihood(row, dtype):
    name, given, value, derivatives = row
    free = {n: torch.tensor(v, dtype=dtype, requires_grad=True) for n, v in given.items()}
    learned = {"dispersion", "nu", "shape"} - ({"nu"} if name == "evidential_regression" else set())
    params = {n: torch.nn.Parameter(free[n].detach()) for n in learned & set(given)}
    free |= params
    params |= {n: given[n] for n in {"penalty"} & set(given)}
    loss = getattr(losslang.losses, name)(reduction="none", **params)
    result = loss(**{n: t.reshape(1) for n, t in free.items() if n not in params})
    # A logarithm of y rounds, and what is added to it.
    scale = 1 if name == "gamma_nll" else 0
    close(name, result.item(), value, dtype, scale)
    result.sum().backward()
    for n, expected in derivatives.items():
        # The terms of the derivative by the dispersion.
        terms = given["y"] ** 2 if n == "dispersion" else scale if n == "x" else 0
        close(f"d {name} / d {n}", free[n].grad.item(), expected, dtype, terms)


@pytest.mark.parametrize("dtype", [torch.float32, F64], ids=str)
@of(EVIDENCE)
def test_evidence(row, dtype):
    logits, value, gradient = row
    x = torch.tensor([logits], dtype=dtype, requires_grad=True)
    loss = losslang.losses.evidential_classification(reduction="none")
    result = loss(x, torch.tensor([0]))
    close("value", result.item(), value, dtype, 1)
    result.backward(torch.ones_like(result))
    for ours, expected in zip(x.grad[0].tolist(), gradient):
        close("gradient", ours, expected, dtype, 1)


def value_and_gradient(text, dtype, *inputs):
    with warnings.catch_warnings():
        warnings.simplefilter("error", losslang.LossWarning)
        loss = losslang.compile(text, reduction="none")
    tensors = [torch.tensor(x, dtype=dtype, requires_grad=True) for x in inputs]
    result = loss(*tensors)
    result.sum().backward()
    return result.detach(), [t.grad for t in tensors]


@pytest.mark.parametrize(
    "formula, value, by_a, by_b",
    [
        # log B(1e8, 1/2), and by the second argument psi(1/2) - psi(1e8 + 1/2).
        ("lgamma(a) + lgamma(b) - lgamma(a + b)", -8.637975427801, -5.0000000125e-9, -20.384190769974),
        ("lgamma(b) - (lgamma(b + a) - lgamma(a))", -8.637975427801, -5.0000000125e-9, -20.384190769974),
        ("-lgamma(a + b) + (lgamma(a) - 1) + lgamma(b)", -9.637975427801, -5.0000000125e-9, -20.384190769974),
        ("lgamma(a + 2 * b) - lgamma(a)", 18.420680743952, 1e-8, 36.841361497905),
        ("lgamma((a + 1) / 2) - lgamma(a / 2)", 8.863766779246, 5.000000025e-9, 0),
        ("digamma(a + b) - digamma(a)", 5.0000000125e-9, -5.000000025e-17, 1.0000000000e-8),
        # log of the binomial coefficient of a and b.
        ("lgamma(a + 1) - lgamma(b + 1) - lgamma(a - b + 1)", 9.331122610861, 4.9999999875e-9, 18.384190769974),
        ("a * log(a / (a + b))", -0.49999999875, -1.2499999917e-17, -0.999999995),
    ],
)
def test_own_formula(formula, value, by_a, by_b):
    text = f"loss f(a: [n], b: [n]) {{ return {formula} + 0 * b }}"
    for dtype in (torch.float32, F64):
        found, (a, b) = value_and_gradient(text, dtype, [1e8], [0.5])
        rounding = 1e-11 if dtype == F64 else 4e-6
        assert found.item() == pytest.approx(value, rel=rounding)
        assert b.item() == pytest.approx(by_b, rel=rounding)
        if dtype == F64:
            assert a.item() == pytest.approx(by_a, rel=1e-7)


@pytest.mark.parametrize("dtype", [torch.float32, F64], ids=str)
def test_listmle_of_scores_far_apart(dtype):
    loss = losslang.losses.listmle(reduction="none")
    score = torch.tensor([[120.0, 0.0]], dtype=dtype, requires_grad=True)
    result = loss(score, torch.tensor([[2.0, 1.0]], dtype=dtype))
    assert result.item() == 0
    result.sum().backward()
    assert score.grad.abs().max().item() < 1e-30
    # The wrong order costs the distance.
    score = torch.tensor([[-500.0, 0.0, 400.0]], dtype=dtype, requires_grad=True)
    result = loss(score, torch.tensor([[3.0, 2.0, 1.0]], dtype=dtype))
    assert result.item() == pytest.approx(900 + 400)
    result.sum().backward()
    torch.testing.assert_close(score.grad, torch.tensor([[-1.0, -1.0, 2.0]], dtype=dtype))


INF, NAN = math.inf, math.nan


@pytest.mark.parametrize(
    "x",
    [
        [0.5, -1.0, 2.0, 0.25, 1.0],
        [120.0, 0.0, -90.0, 119.0, 7.0],
        [-700.0, -300.0, 0.0, 300.0, 700.0],
        [-INF, -INF, 0.0, -INF, 1.0],
        [1.0, -INF, NAN, 0.0, 2.0],
        [1.0, INF, 0.0, -INF, 2.0],
        [1e6, 1e6, 999999.0, 1e6, 1000001.0],
    ],
    ids=str,
)
@pytest.mark.parametrize("form", ["logcumsumexp({} over c)", "log(cumsum(exp({}) over c))"])
@pytest.mark.parametrize("dtype", [torch.float32, F64], ids=str)
def test_logcumsumexp_is_that_of_pytorch(x, form, dtype):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", losslang.LossWarning)
        loss = losslang.compile(f"loss f(x: [b, c]) {{ return {form.format('x')} }}", reduction="none")
    ours = torch.tensor([x, x[::-1]], dtype=dtype, requires_grad=True)
    theirs = torch.tensor([x, x[::-1]], dtype=F64, requires_grad=True)
    result, expected = loss(ours), theirs.logcumsumexp(1)
    eps = 8 * torch.finfo(dtype).eps
    torch.testing.assert_close(result.to(F64), expected, rtol=eps, atol=eps, equal_nan=True)
    if not all(math.isfinite(v) for v in x):
        return
    weights = torch.tensor([[1.0, -2.0, 0.5, 3.0, -1.0], [0.0, 1.0, 0.0, -1.0, 2.0]], dtype=dtype)
    result.backward(weights)
    # Shares of every sum, with the distances as they are.
    positions = torch.arange(5)
    before = (positions[:, None] <= positions).to(F64)
    shares = before * torch.exp(theirs.detach()[:, :, None] - expected.detach()[:, None, :])
    shares = torch.where(before.bool(), shares, torch.zeros((), dtype=F64))
    gradient = (shares * weights.to(F64)[:, None, :]).sum(2)
    # The results round, and so do the exponents.
    scale = max(1.0, max(abs(v) for v in x))
    torch.testing.assert_close(ours.grad.to(F64), gradient, rtol=eps * scale, atol=eps * scale)


def test_minus_infinity_gets_no_gradient():
    """[LANG-7.9], [LANG-8.17]"""
    loss = losslang.compile("loss f(x: [b, c]) { return sum(if index(c) > 1 then logcumsumexp(x over c) else 0 over c) }")
    x = torch.tensor([[-INF, -INF, 0.0, -INF]], requires_grad=True)
    loss(x).backward()
    assert x.grad.tolist() == [[0.0, 0.0, 2.0, 0.0]]


def test_logcumsumexp_by_key_and_its_second_order():
    """[LANG-8.17]"""
    loss = losslang.compile("loss f(x: [b, c], k: fixed [b, c]) { return logcumsumexp(x over c by k) }", reduction="none")
    torch.manual_seed(3)
    x = (30 * torch.randn(3, 7, dtype=F64)).requires_grad_()
    key = torch.randint(0, 3, (3, 7)).to(F64)
    order = torch.sort(key, dim=1, descending=True, stable=True).indices
    expected = x.gather(1, order).logcumsumexp(1).gather(1, order.argsort(1))
    torch.testing.assert_close(loss(x, key), expected)
    x = (3 * torch.randn(2, 5, dtype=F64)).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: loss(x, key[:2, :5]), x)
    assert torch.autograd.gradgradcheck(lambda x: loss(x, key[:2, :5]), x)


def test_logcumsumexp_of_what_the_samples_share():
    """Its gradient from each sample has an axis more than the levels that it fades by."""
    loss = losslang.compile("loss f(x: [b, c], w: [c]) { return sum(logcumsumexp(w over c) * x over c) }")
    torch.manual_seed(3)
    x, w = torch.randn(3, 5, dtype=F64), torch.randn(5, dtype=F64, requires_grad=True)
    loss(x, w).backward()
    expected = torch.autograd.grad((w.logcumsumexp(0) * x).sum(1).mean(), w)[0]
    torch.testing.assert_close(w.grad, expected)
