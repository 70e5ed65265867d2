"""The losses of torch.nn.functional over the cross product of their options."""

import inspect

import pytest
import torch
import torch.nn.functional as F
from comparison import COUNTS, DTYPES, compare, product, same_error

from losslang import functional as L

# Which calls warn: test_functional_calls.py.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

REDUCTIONS = ("none", "mean", "sum")
#: (C), (N, C), (N, C, d1), (N, C, d1, d2), one row, one class, empty.
CLASS_SHAPES = [(5,), (7, 5), (3, 4, 2), (2, 3, 4, 5), (1, 6), (4, 1), (0, 3)]
SHAPES = [(), (9,), (7, 5), (2, 3, 4), (0,)]


@pytest.fixture(scope="module", autouse=True)
def _report(request):
    yield
    text = ", ".join(f"{name} {count}" for name, count in sorted(COUNTS.items()))
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print(f"\n{sum(COUNTS.values())} combinations equal PyTorch's: {text}")


def classes_of(shape):
    return shape[0] if len(shape) == 1 else shape[1]


def index_shape(shape):
    return shape[:1] + shape[2:] if len(shape) > 1 else ()


def indices(shape, ignore=None):
    y = torch.randint(0, classes_of(shape), index_shape(shape))
    if ignore is not None and y.numel() > 1:
        y.view(-1)[:: max(2, y.numel() // 3)] = ignore
    return y


def distribution(shape, dtype):
    return torch.randn(shape).softmax(0 if len(shape) == 1 else 1).to(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("target", ["index", "ignored", "all ignored", "class 0 ignored", "dense"])
def test_cross_entropy(dtype, target):
    for o in product(
        shape=CLASS_SHAPES, reduction=REDUCTIONS, weighted=[False, True], smoothing=[0.0, 0.1, 1.0]
    ):
        shape = o["shape"]
        ignore = {"ignored": -100, "class 0 ignored": 0}.get(target)
        if target == "dense":
            y = distribution(shape, dtype)
        else:
            y = indices(shape, ignore)
        if target == "all ignored":
            ignore = 2
            y = torch.full_like(y, ignore)
        options = {"reduction": o["reduction"], "label_smoothing": o["smoothing"]}
        if target not in ("dense", "index"):
            options["ignore_index"] = ignore
        if target == "dense" and len(shape) == 1:
            # PyTorch takes probabilities for one row, too.
            pass
        inputs = {"input": torch.randn(shape).to(dtype) * 2, "target": y}
        if o["weighted"]:
            inputs["weight"] = (torch.rand(classes_of(shape)) + 0.5).to(dtype)
        compare(
            "cross_entropy",
            lambda **i: F.cross_entropy(**i, **options),
            lambda **i: L.cross_entropy(**i, **options),
            inputs,
            ["input"],
            dtype,
            scale=20,
        )


@pytest.mark.parametrize("dtype", DTYPES)
def test_nll_loss(dtype):
    for o in product(
        shape=CLASS_SHAPES, reduction=REDUCTIONS, weighted=[False, True], ignore=[None, -100, 1]
    ):
        shape = o["shape"]
        options = {"reduction": o["reduction"]}
        if o["ignore"] is not None:
            options["ignore_index"] = o["ignore"]
        x = torch.randn(shape).log_softmax(0 if len(shape) == 1 else 1).to(dtype)
        inputs = {"input": x, "target": indices(shape, o["ignore"])}
        if o["weighted"]:
            inputs["weight"] = (torch.rand(classes_of(shape)) + 0.5).to(dtype)
        compare(
            "nll_loss",
            lambda **i: F.nll_loss(**i, **options),
            lambda **i: L.nll_loss(**i, **options),
            inputs,
            ["input"],
            dtype,
        )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", ["binary_cross_entropy", "binary_cross_entropy_with_logits"])
def test_binary_cross_entropy(dtype, function):
    logits = function.endswith("logits")
    for o in product(
        shape=SHAPES,
        reduction=REDUCTIONS,
        weight=[None, "whole", "last"],
        pos=[None, "last", "one"] if logits else [None],
        labels=["hard", "soft"],
    ):
        shape = o["shape"]
        if not shape and "last" in (o["weight"], o["pos"]):
            continue
        x = torch.randn(shape) * 3 if logits else torch.rand(shape) * 0.98 + 0.01
        y = torch.rand(shape)
        inputs = {"input": x.to(dtype), "target": (y.round() if o["labels"] == "hard" else y).to(dtype)}
        if o["weight"]:
            inputs["weight"] = torch.rand(shape if o["weight"] == "whole" else shape[-1:]).to(dtype)
        if o["pos"]:
            inputs["pos_weight"] = (torch.rand(shape[-1:] if o["pos"] == "last" else 1) * 2).to(dtype)
            if o["pos"] == "one" and not shape:
                inputs["pos_weight"] = inputs["pos_weight"][0]
        compare(
            function,
            lambda **i: getattr(F, function)(**i, reduction=o["reduction"]),
            lambda **i: getattr(L, function)(**i, reduction=o["reduction"]),
            inputs,
            ["input"],
            dtype,
            scale=100,
        )


@pytest.mark.parametrize("dtype", DTYPES)
def test_kl_div(dtype):
    for o in product(
        shape=SHAPES,
        reduction=(*REDUCTIONS, "batchmean"),
        log_target=[False, True],
        zeros=[False, True],
        learn=[["input"], ["input", "target"]],
    ):
        options = {"reduction": o["reduction"], "log_target": o["log_target"]}
        y = torch.rand(o["shape"]) + 0.01
        if o["log_target"]:
            y = y.log()
        elif o["zeros"] and len(o["learn"]) == 1:
            # The gradient for a target of 0 is infinite.
            y = torch.where(y < 0.5, 0.0, y)
        inputs = {"input": -torch.rand(o["shape"]).to(dtype) * 3, "target": y.to(dtype)}
        compare(
            "kl_div",
            lambda **i: F.kl_div(**i, **options),
            lambda **i: L.kl_div(**i, **options),
            inputs,
            o["learn"],
            dtype,
            scale=10,
        )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"])
def test_regression(dtype, function):
    parameter = {"smooth_l1_loss": "beta", "huber_loss": "delta"}.get(function)
    for o in product(
        shape=SHAPES,
        reduction=REDUCTIONS,
        value=[0.0, 0.5, 1.0, 2.0] if parameter == "beta" else [0.5, 1.0, 2.0] if parameter else [0],
        weighted=[False, True] if function != "smooth_l1_loss" else [False],
        target=["full", "equal", "broadcast"],
        learn=[["input"], ["input", "target"]],
    ):
        shape = o["shape"]
        if o["target"] == "broadcast" and not shape:
            continue
        options = {"reduction": o["reduction"]}
        if parameter:
            options[parameter] = o["value"]
        x = (torch.randn(shape) * 2).to(dtype)
        y = torch.randn(shape if o["target"] == "full" else shape[-1:]).to(dtype) * 2
        if o["target"] == "equal":
            y = x.clone()
        inputs = {"input": x, "target": y}
        if o["weighted"]:
            inputs["weight"] = torch.rand(shape).to(dtype)
        compare(
            function,
            lambda **i: getattr(F, function)(**i, **options),
            lambda **i: getattr(L, function)(**i, **options),
            inputs,
            o["learn"],
            dtype,
            scale=50,
        )


@pytest.mark.parametrize("dtype", DTYPES)
def test_poisson_nll_loss(dtype):
    for o in product(
        shape=SHAPES,
        reduction=REDUCTIONS,
        log_input=[False, True],
        full=[False, True],
        eps=[1e-8, 1e-3],
    ):
        options = {k: o[k] for k in ("reduction", "log_input", "full", "eps")}
        x = torch.randn(o["shape"]) if o["log_input"] else torch.rand(o["shape"]) + 0.1
        inputs = {"input": x.to(dtype), "target": torch.randint(0, 6, o["shape"]).to(dtype)}
        compare(
            "poisson_nll_loss",
            lambda **i: F.poisson_nll_loss(**i, **options),
            lambda **i: L.poisson_nll_loss(**i, **options),
            inputs,
            ["input"],
            dtype,
            scale=50,
        )


@pytest.mark.parametrize("dtype", DTYPES)
def test_gaussian_nll_loss(dtype):
    for o in product(
        shape=[(9,), (7, 5), (2, 3, 4)],
        reduction=REDUCTIONS,
        full=[False, True],
        eps=[1e-6, 0.5],
        var=["full", "last", "missing"],
        learn=[["input", "var"], ["input", "var", "target"]],
    ):
        shape = o["shape"]
        options = {k: o[k] for k in ("reduction", "full", "eps")}
        if o["var"] != "full" and len(shape) == 1:
            continue
        var_shape = {"full": shape, "last": (*shape[:-1], 1), "missing": shape[:-1]}[o["var"]]
        inputs = {
            "input": torch.randn(shape).to(dtype),
            "target": torch.randn(shape).to(dtype),
            "var": (torch.rand(var_shape) + 0.2).to(dtype),
        }
        compare(
            "gaussian_nll_loss",
            lambda **i: F.gaussian_nll_loss(**i, **options),
            lambda **i: L.gaussian_nll_loss(**i, **options),
            inputs,
            o["learn"],
            dtype,
            scale=100,
        )


@pytest.mark.parametrize("dtype", DTYPES)
def test_multi_margin_loss(dtype):
    for o in product(
        shape=[(5,), (7, 5), (1, 6), (4, 2)],
        reduction=REDUCTIONS,
        p=[1, 2],
        margin=[1.0, 0.3],
        weighted=[False, True],
    ):
        options = {k: o[k] for k in ("reduction", "p", "margin")}
        inputs = {"input": torch.randn(o["shape"]).to(dtype), "target": indices(o["shape"])}
        if o["weighted"]:
            inputs["weight"] = torch.rand(classes_of(o["shape"])).to(dtype)
        compare(
            "multi_margin_loss",
            lambda **i: F.multi_margin_loss(**i, **options),
            lambda **i: L.multi_margin_loss(**i, **options),
            inputs,
            ["input"],
            dtype,
            scale=20,
        )


@pytest.mark.parametrize("dtype", DTYPES)
def test_multilabel_margin_loss(dtype):
    for o in product(shape=[(5,), (7, 5), (1, 3)], reduction=REDUCTIONS, positives=[0, 1, 2, "all"]):
        shape = o["shape"]
        classes = shape[-1]
        count = classes if o["positives"] == "all" else o["positives"]
        rows = torch.stack([torch.randperm(classes) for _ in range(max(1, shape[0] if len(shape) > 1 else 1))])
        rows[:, count:] = -1
        inputs = {"input": torch.randn(shape).to(dtype), "target": rows.reshape(shape)}
        compare(
            "multilabel_margin_loss",
            lambda **i: F.multilabel_margin_loss(**i, reduction=o["reduction"]),
            lambda **i: L.multilabel_margin_loss(**i, reduction=o["reduction"]),
            inputs,
            ["input"],
            dtype,
            scale=20,
        )


@pytest.mark.parametrize("dtype", DTYPES)
def test_multilabel_soft_margin_loss(dtype):
    for o in product(
        shape=[(5,), (7, 5), (2, 3, 4)], reduction=REDUCTIONS, weight=[None, "whole", "last"]
    ):
        shape = o["shape"]
        inputs = {
            "input": (torch.randn(shape) * 3).to(dtype),
            "target": torch.randint(0, 2, shape).to(dtype),
        }
        if o["weight"]:
            inputs["weight"] = torch.rand(shape if o["weight"] == "whole" else shape[-1:]).to(dtype)
        compare(
            "multilabel_soft_margin_loss",
            lambda **i: F.multilabel_soft_margin_loss(**i, reduction=o["reduction"]),
            lambda **i: L.multilabel_soft_margin_loss(**i, reduction=o["reduction"]),
            inputs,
            ["input"],
            dtype,
            scale=20,
        )


def signs(shape, dtype):
    return torch.randint(0, 2, shape).mul(2).sub(1).to(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_soft_margin_loss(dtype):
    for o in product(shape=SHAPES, reduction=REDUCTIONS, size=[1, 30]):
        inputs = {
            "input": (torch.randn(o["shape"]) * o["size"]).to(dtype),
            "target": signs(o["shape"], dtype),
        }
        compare(
            "soft_margin_loss",
            lambda **i: F.soft_margin_loss(**i, reduction=o["reduction"]),
            lambda **i: L.soft_margin_loss(**i, reduction=o["reduction"]),
            inputs,
            ["input"],
            dtype,
            scale=50,
        )


@pytest.mark.parametrize("dtype", DTYPES)
def test_hinge_embedding_loss(dtype):
    for o in product(shape=SHAPES, reduction=REDUCTIONS, margin=[1.0, 0.2, 3.0]):
        options = {k: o[k] for k in ("reduction", "margin")}
        inputs = {
            "input": (torch.rand(o["shape"]) * 2).to(dtype),
            "target": signs(o["shape"], dtype),
        }
        compare(
            "hinge_embedding_loss",
            lambda **i: F.hinge_embedding_loss(**i, **options),
            lambda **i: L.hinge_embedding_loss(**i, **options),
            inputs,
            ["input"],
            dtype,
        )


@pytest.mark.parametrize("dtype", DTYPES)
def test_cosine_embedding_loss(dtype):
    for o in product(shape=[(5,), (7, 5), (1, 3)], reduction=REDUCTIONS, margin=[0, 0.5, -0.2]):
        options = {k: o[k] for k in ("reduction", "margin")}
        shape = o["shape"]
        inputs = {
            "input1": torch.randn(shape).to(dtype),
            "input2": torch.randn(shape).to(dtype),
            "target": signs(shape[:-1], dtype),
        }
        compare(
            "cosine_embedding_loss",
            lambda **i: F.cosine_embedding_loss(**i, **options),
            lambda **i: L.cosine_embedding_loss(**i, **options),
            inputs,
            ["input1", "input2"],
            dtype,
            scale=20,
        )


@pytest.mark.parametrize("dtype", DTYPES)
def test_margin_ranking_loss(dtype):
    for o in product(shape=[(9,), (7, 5), (0,)], reduction=REDUCTIONS, margin=[0, 0.5]):
        options = {k: o[k] for k in ("reduction", "margin")}
        inputs = {
            "input1": torch.randn(o["shape"]).to(dtype),
            "input2": torch.randn(o["shape"]).to(dtype),
            "target": signs(o["shape"], dtype),
        }
        compare(
            "margin_ranking_loss",
            lambda **i: F.margin_ranking_loss(**i, **options),
            lambda **i: L.margin_ranking_loss(**i, **options),
            inputs,
            ["input1", "input2"],
            dtype,
        )


@pytest.mark.parametrize("dtype", DTYPES)
def test_triplet_margin_loss(dtype):
    for o in product(
        shape=[(5,), (7, 5), (2, 3, 4)],
        reduction=REDUCTIONS,
        margin=[1.0, 0.2],
        p=[1, 2, 3],
        swap=[False, True],
    ):
        options = {k: o[k] for k in ("reduction", "margin", "p", "swap")}
        names = ["anchor", "positive", "negative"]
        compare(
            "triplet_margin_loss",
            lambda **i: F.triplet_margin_loss(**i, **options),
            lambda **i: L.triplet_margin_loss(**i, **options),
            {n: torch.randn(o["shape"]).to(dtype) for n in names},
            names,
            dtype,
            scale=50,
        )


@pytest.mark.parametrize("name", ["binary_cross_entropy_with_logits", "huber_loss", "mse_loss"])
@pytest.mark.parametrize("weighted", [False, True])
def test_half_precision_mean_of_many(name, weighted):
    """Its sum is more than the type holds; the gradient is scaled as by a GradScaler."""
    x, y, w = (torch.rand(200_000) + 0.5 for _ in range(3))
    options = {"weight": w.half()} if weighted else {}
    low = x.half().requires_grad_()
    found = getattr(L, name)(low, y.half(), **options)
    wide = low.detach().double().requires_grad_()
    options = {n: w.double() for n, w in options.items()}
    expected = getattr(F, name)(wide, y.half().double(), **options)
    # Each element rounded, then the mean.
    eps = torch.finfo(torch.float16).eps
    torch.testing.assert_close(found.double(), expected, rtol=2 * eps, atol=0)
    (own,) = torch.autograd.grad(found, low, torch.tensor(1024.0, dtype=torch.float16))
    (reference,) = torch.autograd.grad(expected, wide, torch.tensor(1024.0, dtype=torch.float64))
    tiny = torch.finfo(torch.float16).smallest_normal
    torch.testing.assert_close(own.double(), reference, rtol=4 * eps, atol=eps * tiny)


FUNCTIONS = [n for n, f in vars(L).items() if inspect.isfunction(f) and callable(getattr(F, n, None))]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_signature(name):
    """The same arguments at the same places, with the same defaults."""

    def arguments(function):
        parameters = inspect.signature(function).parameters.values()
        return [(p.name, p.kind, p.default) for p in parameters]

    assert arguments(getattr(L, name)) == arguments(getattr(F, name))


def test_all_losses_are_there():
    losses = {n for n in dir(F) if n.endswith("_loss")} - {"ctc_loss"}
    # It takes a Python function for the distance.
    assert losses - {"triplet_margin_with_distance_loss"} <= set(FUNCTIONS)


def test_deprecated_arguments():
    x, y = torch.randn(4, 3), torch.randint(0, 3, (4,))
    for function in ("cross_entropy", "nll_loss"):
        ours, theirs = getattr(L, function), getattr(F, function)
        for places in [(None, None, -100), (None, False, -100), (None, True, 1, False)]:
            torch.testing.assert_close(ours(x, y, *places), theirs(x, y, *places))
    torch.testing.assert_close(L.mse_loss(x, -x, False), F.mse_loss(x, -x, False))


@pytest.mark.parametrize("types", [("bfloat16", "float32"), ("float32", "float64")])
def test_type_of_a_dense_target(types):
    low, high = (getattr(torch, t) for t in types)
    x = torch.randn(4, 3, dtype=low, requires_grad=True)
    y = torch.randn(4, 3).softmax(1).to(high)
    for name in ("cross_entropy", "binary_cross_entropy_with_logits", "mse_loss"):
        found, expected = getattr(L, name)(x, y), getattr(F, name)(x, y)
        assert found.dtype == expected.dtype == high
        assert torch.autograd.grad(found, x)[0].dtype == low


def test_rows_that_broadcast():
    """Shapes that PyTorch takes beside the usual ones."""
    for reduction in REDUCTIONS:
        for a, b, rows in [((4, 3), (4, 3), 1), ((1, 3), (4, 3), 4), ((4, 3), (1, 3), 1), ((1, 3), (1, 3), 5)]:
            given = torch.randn(a), torch.randn(b), signs((rows,), torch.float32)
            torch.testing.assert_close(
                L.cosine_embedding_loss(*given, reduction=reduction),
                F.cosine_embedding_loss(*given, reduction=reduction),
            )
        given = torch.randn(5), torch.tensor([3])
        torch.testing.assert_close(
            L.multi_margin_loss(*given, weight=torch.rand(5) + 1, reduction=reduction).shape,
            F.multi_margin_loss(*given, weight=torch.rand(5) + 1, reduction=reduction).shape,
        )
        torch.testing.assert_close(
            L.multi_margin_loss(*given, reduction=reduction),
            F.multi_margin_loss(*given, reduction=reduction),
        )


def test_errors():
    x, y = torch.randn(4, 3), torch.randint(0, 3, (4,))
    other = torch.randn(5, 3)
    cases = [
        ("cross_entropy", (x, y + 3), {}),
        ("cross_entropy", (x, -y - 1), {}),
        ("cross_entropy", (x, y[:3]), {}),
        ("cross_entropy", (x, y), {"weight": torch.ones(4)}),
        ("cross_entropy", (x, y), {"reduction": "avg"}),
        ("cross_entropy", (x, y), {"label_smoothing": 2.0}),
        ("cross_entropy", (x, y.float()), {}),
        ("cross_entropy", (x, other.softmax(1)), {}),
        ("cross_entropy", (x, other[:4].softmax(1)), {"ignore_index": 1}),
        ("cross_entropy", (x, torch.zeros(4, 3, dtype=torch.int64)), {}),
        ("nll_loss", (x, y.float()), {}),
        ("nll_loss", (x, y + 3), {}),
        ("nll_loss", (x, y[:3]), {}),
        ("nll_loss", (x, y), {"reduction": "avg"}),
        ("nll_loss", (x, y), {"weight": torch.ones(4)}),
        ("binary_cross_entropy", (x - 9, x), {}),
        ("binary_cross_entropy_with_logits", (x, other), {}),
        ("binary_cross_entropy_with_logits", (x, x), {"reduction": "avg"}),
        ("kl_div", (x, other), {}),
        ("kl_div", (x, x), {"reduction": "avg"}),
        ("mse_loss", (x, other), {}),
        ("mse_loss", (x, x), {"reduction": "avg"}),
        ("mse_loss", (x, x), {"weight": torch.ones(3)}),
        ("smooth_l1_loss", (x, other), {}),
        ("smooth_l1_loss", (x, x), {"beta": -1.0}),
        ("huber_loss", (x, x), {"delta": 0.0}),
        ("huber_loss", (x, x), {"delta": -1.0}),
        ("poisson_nll_loss", (x, x), {"reduction": "avg"}),
        ("gaussian_nll_loss", (x, x, -x.abs()), {}),
        ("gaussian_nll_loss", (x, x, other), {}),
        ("gaussian_nll_loss", (x, x, x.abs()), {"reduction": "avg"}),
        ("multi_margin_loss", (x, y), {"p": 3}),
        ("multi_margin_loss", (x, y[:3]), {}),
        ("multi_margin_loss", (x, y), {"weight": torch.ones(4)}),
        ("multilabel_margin_loss", (x, y), {}),
        ("multilabel_margin_loss", (x[:, :3], torch.tensor([[0, 7, -1]] * len(x))), {}),
        ("multilabel_margin_loss", (x[:, :3], torch.tensor([[0, -1, 3]] * len(x))), {}),
        ("multilabel_margin_loss", (x[:, :3], torch.tensor([[0, -2, -1]] * len(x))), {}),
        ("soft_margin_loss", (x, other), {}),
        ("hinge_embedding_loss", (x, other), {}),
        ("cosine_embedding_loss", (x, other, torch.ones(4)), {}),
        ("cosine_embedding_loss", (x, x, torch.ones(5)), {}),
        ("cosine_embedding_loss", (x[None], x[None], torch.ones(1, 4)), {}),
        ("margin_ranking_loss", (x, other, x), {}),
        ("triplet_margin_loss", (x, x, other), {}),
        ("triplet_margin_loss", (x, x, x), {"margin": -1.0}),
        ("triplet_margin_loss", (x, x, x), {"reduction": "avg"}),
    ]
    for name, arguments, options in cases:
        same_error(name, getattr(F, name), getattr(L, name), *arguments, **options)


def test_a_label_out_of_range_is_named():
    rows = torch.tensor([[0, 1, -1], [2, 7, -1]])
    with pytest.raises(RuntimeError, match=r"target at \[1, 1\] is 7, .*3 classes"):
        L.multilabel_margin_loss(torch.zeros(2, 3), rows)
    with pytest.raises(RuntimeError, match=r"target at \[0\] is -2"):
        L.multilabel_margin_loss(torch.zeros(3), torch.tensor([-2, 0, 0]))
    # Labels without a row or a class are in range.
    assert L.multilabel_margin_loss(torch.zeros(0, 3), rows[:0], reduction="none").shape == (0,)


def test_triplets_of_shapes_that_broadcast():
    """PyTorch broadcasts each pair by itself, which changes the distances along the last dimension."""
    anchor, positive, negative = torch.randn(4, 1, 3), torch.randn(1, 2, 3), torch.randn(4, 2, 1)
    for swap in (False, True):
        options = {"swap": swap, "reduction": "none"}
        for inputs in ((anchor, positive, positive), (anchor, anchor[:1], positive),
                       (anchor, negative, negative)):  # fmt: skip
            if swap and inputs[2] is negative:
                continue
            expected = F.triplet_margin_loss(*inputs, **options)
            torch.testing.assert_close(L.triplet_margin_loss(*inputs, **options), expected)
    # Pairs that differ in the last dimension, and distances that are no sums.
    a, p, n = torch.tensor([[1.0], [2.0]]), torch.tensor([[0.0, 1, 5]]), torch.tensor([[3.0], [0.0]])
    for inputs in ((a, p, n), (p, a, n), (anchor, positive, negative)):
        for swap in (False, True):
            for power in (2, 0, 1.5, float("inf")):
                given = [t.clone().requires_grad_() for t in inputs]
                found, expected = (f.triplet_margin_loss(*given, p=power, swap=swap) for f in (L, F))
                torch.testing.assert_close(found, expected)
                torch.testing.assert_close(
                    torch.autograd.grad(found, given, allow_unused=True),
                    torch.autograd.grad(expected, given, allow_unused=True),
                )
