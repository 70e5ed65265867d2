"""Every option of every loss is an error at once, or changes the result where it must.

The cross product of the library and the settings: weight, ignore_index, label_smoothing, sample_weight,
reduction, every parameter and every option of the program.
"""

import pytest
import test_binary
import test_boxes
import test_classification
import test_distillation
import test_generative
import test_likelihood
import test_metric
import test_ranking
import test_regression
import test_segmentation
import torch

import losslang

MODULES = (
    test_binary,
    test_boxes,
    test_classification,
    test_distillation,
    test_generative,
    test_likelihood,
    test_metric,
    test_ranking,
    test_regression,
    test_segmentation,
)
#: The case of each loss with its default settings.
CASES = {}
for module in MODULES:
    for case in module.CASES:
        CASES.setdefault(case.name, case)

IGNORED = 255
#: Tried for every number.
VALUES = (2, 0.5, 0.1, 3, 0, 1, 20)

each_loss = pytest.mark.parametrize("name", sorted(CASES))


def described(name):
    return make(name).compiled.description


def make(name, **settings):
    settings.setdefault("reduction", "sum")
    return getattr(losslang.losses, name)(**settings)


def inputs(name, distributions=False):
    """Small ones of all kinds, in f32; of the target those given by class indices, or all."""
    case = CASES[name]
    target = next((i["name"] for i in described(name)["inputs"] if i["kind"] == "target"), None)
    torch.manual_seed(5)
    for size in case.sizes[1:3]:
        for _, made in case.inputs(size):
            made = {n: t.float() if t.is_floating_point() else t for n, t in made.items()}
            if distributions or target is None or not made[target].is_floating_point():
                yield made


def call(loss, made, **weights):
    """With the kernel that training uses."""
    leaves = {
        n: t.clone().requires_grad_() if t.is_floating_point() and n in _free(loss) else t
        for n, t in made.items()
    }
    return loss(**leaves, **weights).detach()


def _free(loss):
    return {i["name"] for i in loss.compiled.description["inputs"] if i["kind"] == "value"}


def same(a, b):
    return torch.equal(a.isnan(), b.isnan()) and torch.equal(a.nan_to_num(), b.nan_to_num())


def changes(plain, other, all_inputs):
    return not all(same(call(plain, made), call(other, made)) for made in all_inputs)


def refused(name, **settings):
    """Whether the settings are an error at construction, the same one as when they are assigned."""
    try:
        make(name, **settings)
    except ValueError as error:
        (option, value), = settings.items()
        loss = make(name)
        with pytest.raises(type(error)) as again:
            setattr(loss, option, value)
        assert str(again.value) == str(error) and f"loss '{name}'" in str(error)
        return str(error)
    return None


@each_loss
def test_class_weights(name):
    about = described(name)
    if about["class_axis"] < 0:
        error = refused(name, weight=torch.ones(3))
        assert error and "need a target over classes, but the loss has none" in error
        return
    classes = about["axes"][about["class_axis"]]
    scores = next(i for i in about["inputs"] if i["kind"] == "value" and classes in i["axes"])
    for made in inputs(name):
        weight = torch.linspace(0.5, 2, made[scores["name"]].shape[scores["axes"].index(classes)])
        if (error := refused(name, weight=weight)) is not None:
            assert "class weights do not apply" in error
            return
        if changes(make(name), make(name, weight=weight), [made]):
            return
    raise AssertionError("class weights have no effect")


@each_loss
def test_label_smoothing(name):
    if described(name)["class_axis"] < 0:
        error = refused(name, label_smoothing=0.25)
        assert error and "need a target over classes, but the loss has none" in error
        return
    assert refused(name, label_smoothing=1.5)
    if refused(name, label_smoothing=0.25) is None:
        assert changes(make(name), make(name, label_smoothing=0.25), inputs(name))


@each_loss
def test_ignored_index(name):
    about = described(name)
    error = refused(name, ignore_index=1)
    if error is not None:
        assert "ignore_index does not apply" in error and not about["ignores"]
        return
    assert about["ignores"]
    ignoring, plain = make(name, ignore_index=1), make(name)
    target = next((i["name"] for i in about["inputs"] if i["kind"] == "target"), None)
    if target is not None:
        some = []
        for made in inputs(name):
            made[target].view(-1)[0] = 1
            some.append(made)
        assert changes(plain, ignoring, some)
        return
    # Labels are numbers: as if their rows were not there.
    row_axis = about["axes"][about["row_axis"]]
    axes = {i["name"]: i["axes"] for i in about["inputs"]}
    (label,) = [i["name"] for i in about["inputs"]
                if i["kind"] == "fixed" and i["axes"] == [row_axis]]  # fmt: skip
    made = next(m for m in inputs(name) if m[label].numel() > 2)
    shape = made[label].shape
    rows = {n: t.reshape(shape.numel(), *t.shape[len(shape):])
            for n, t in made.items() if row_axis in axes[n]}  # fmt: skip
    shared = {n: t for n, t in made.items() if row_axis not in axes[n]}
    kept = torch.arange(shape.numel()) % 3 != 1
    spoiled = {n: t.clone() for n, t in rows.items()}
    for n, t in spoiled.items():
        t[~kept] = IGNORED if n == label else (torch.nan if t.is_floating_point() else 0)
    for reduction in ("sum", "mean", "none"):
        ignoring = make(name, ignore_index=IGNORED, reduction=reduction)
        plain = make(name, reduction=reduction)
        expected = call(plain, {n: t[kept] for n, t in rows.items()} | shared)
        found = call(ignoring, spoiled | shared)
        if reduction == "none":
            assert (found[~kept] == 0).all()
            found = found[kept]
        torch.testing.assert_close(found, expected)


@each_loss
def test_sample_weights(name):
    """Of the shape of the result, or an error at the call where that is one number."""
    loss = make(name)
    each = make(name, reduction="none")
    made = next(inputs(name))
    result = call(each, made)
    weights = torch.linspace(0.5, 2, result.numel()).reshape(result.shape)
    torch.testing.assert_close(call(loss, made, sample_weight=weights), (weights * result).sum())
    mean = call(make(name, reduction="mean"), made, sample_weight=weights)
    torch.testing.assert_close(mean, (weights * result).sum() / weights.sum())
    with pytest.raises(ValueError, match="sample_weight: expected the shape of the result"):
        call(loss, made, sample_weight=torch.ones(2, 3, 5, 7, 11))


@each_loss
def test_reductions(name):
    made = next(inputs(name))
    found = {r: call(make(name, reduction=r), made) for r in ("none", "mean", "sum")}
    torch.testing.assert_close(found["sum"], found["none"].sum())
    torch.testing.assert_close(found["mean"], found["none"].mean())
    with pytest.raises(ValueError, match="'none', 'mean' or 'sum'"):
        make(name, reduction="average")


@each_loss
def test_parameters_and_options_of_the_program(name):
    about = described(name)
    # The order of a divergence has no influence for class indices.
    plain, some = make(name), list(inputs(name, distributions=True))
    for parameter in about["params"]:
        setting, now = parameter["name"], parameter["default"]
        if parameter["used"]:
            _changes_somewhere(name, plain, setting, now, some)
            continue
        # With another value of the options it has an influence.
        assert refused(name, **{setting: 1.5 * now + 0.25})
        assert about["options"]
        make(name, **{setting: now})
    for option in about["options"]:
        _changes_somewhere(name, plain, option["name"], option["value"], some)


def _changes_somewhere(name, plain, setting, now, some):
    values = [not now] if isinstance(now, bool) else [*VALUES, 1.5 * now, 0.5 * now, now + 1, now - 1]
    taken = 0
    for value in values:
        try:
            other = make(name, **{setting: value})
        except ValueError as error:
            assert setting in str(error)
            continue
        taken += value != now
        if changes(plain, other, some):
            # Assigned, it is the same.
            again = make(name)
            setattr(again, setting, value)
            assert repr(again) == repr(other) and not changes(again, other, some)
            return
    raise AssertionError(f"{setting} has no effect with {taken} values")
