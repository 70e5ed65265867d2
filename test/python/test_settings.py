"""What a user sets on a loss holds from the next call on, or is an error."""

import copy
import pickle

import pytest
import torch
from torch import nn
from torch._dynamo.testing import CompileCounterWithBackend
from torch.nn.utils import parametrize

import losslang

BACKENDS = ["eager", "aot_eager", "inductor"]


def example(dtype=torch.float64, rows=6, classes=5):
    torch.manual_seed(1)
    return torch.randn(rows, classes, dtype=dtype), torch.randint(0, classes, (rows,))


def focal(gamma, x, y):
    logp = torch.log_softmax(x, 1)[range(len(y)), y]
    return -((1 - logp.exp()) ** gamma * logp).mean()


def close(found, gamma):
    x, y = example()
    torch.testing.assert_close(found, focal(gamma, x, y))


# Parameters.


def test_a_parameter_is_an_attribute():
    x, y = example()
    loss = losslang.losses.focal(gamma=2.0)
    assert loss.gamma == 2.0 and isinstance(loss.gamma, float)
    assert "gamma" in dir(loss)
    for gamma in (0.0, 1, 3.5):
        loss.gamma = gamma
        assert loss.gamma == gamma
        close(loss(x, y), gamma)
        assert f"gamma={float(gamma)}" in repr(loss)
    close(losslang.losses.focal()(x, y), losslang.losses.focal().gamma)


def test_params_is_a_live_view():
    x, y = example()
    loss = losslang.losses.focal(gamma=2.0)
    params = loss.params
    params["gamma"] = 0
    assert loss.gamma == 0
    close(loss(x, y), 0.0)
    loss.gamma = 1.5
    assert params["gamma"] == 1.5 and dict(params) == {"gamma": 1.5} == params
    assert list(params) == ["gamma"] and len(params) == 1 and "gama" not in params
    assert repr(params) == "{'gamma': 1.5}"
    params.update(gamma=2.5)
    close(loss(x, y), 2.5)
    message = r"loss 'focal' has no parameter 'gama' \(it has: gamma\); did you mean 'gamma'"
    with pytest.raises(KeyError, match=message):
        params["gama"] = 1
    with pytest.raises(KeyError, match=message):
        params["gama"]
    for remove in (lambda: params.pop("gamma"), params.clear, lambda: params.__delitem__("gamma")):
        with pytest.raises(TypeError, match="cannot be removed"):
            remove()
    with pytest.raises(AttributeError, match="cannot be removed"):
        del loss.gamma
    assert loss.gamma == 2.5


@pytest.mark.parametrize("wrong", [-1, -0.5, float("nan"), "2", None, [1.0], 1j, torch.zeros(2),
                                   torch.tensor(1j), torch.tensor(True)])  # fmt: skip
def test_wrong_values_are_the_errors_of_construction(wrong):
    with pytest.raises((ValueError, TypeError)) as expected:
        losslang.losses.focal(gamma=wrong)
    loss = losslang.losses.focal(gamma=1.5)
    for assign in (
        lambda: setattr(loss, "gamma", wrong),
        lambda: loss.params.__setitem__("gamma", wrong),
    ):
        with pytest.raises(type(expected.value)) as found:
            assign()
        assert str(found.value) == str(expected.value)
    assert loss.gamma == 1.5
    close(loss(*example()), 1.5)


def test_a_parameter_without_influence():
    """With the options as they are; PyTorch takes the value, and the default is no harm."""
    make = losslang.losses.poisson_nll
    message = (
        "loss 'poisson_nll': the parameter 'eps' has no influence on the result with "
        "log_input=True, full=False"
    )
    for eps in (0.5, nn.Parameter(torch.tensor(1e-8))):
        with pytest.raises(ValueError, match=message):
            make(eps=eps)
        with pytest.raises(ValueError, match=message):
            make().eps = eps
    loss = make(eps=1e-8)
    loss.log_input = False
    loss.eps = 0.5
    x, y = torch.rand(4) + 0.1, torch.randint(0, 3, (4,))
    for found in (loss, make(eps=0.5, log_input=False)):
        torch.testing.assert_close(
            found(x, y), nn.functional.poisson_nll_loss(x, y, log_input=False, eps=0.5)
        )


def test_nan_is_no_value_of_an_unconstrained_parameter():
    text = "loss f(x: [a], param k = 1) { return k * x }"
    loss = losslang.compile(text)
    with pytest.raises(ValueError, match="the parameter 'k' is nan, but expected a number"):
        loss.k = float("nan")
    with pytest.raises(ValueError, match="the parameter 'k' is nan, but expected a number"):
        losslang.compile(text, k=float("nan"))


def test_numbers_and_tensors_in_both_directions():
    x, y = example()
    loss = losslang.losses.focal(gamma=2)
    learned = nn.Parameter(torch.tensor(1.0, dtype=x.dtype))
    loss.gamma = learned
    assert loss.gamma is learned is loss.params["gamma"]
    assert dict(loss.named_parameters()) == {"gamma": learned} and list(loss.state_dict()) == ["gamma"]
    assert "gamma=Parameter(1)" in repr(loss)
    value = loss(x, y)
    close(value, 1.0)
    (gradient,) = torch.autograd.grad(value, learned)
    g = learned.detach().clone().requires_grad_()
    torch.testing.assert_close(gradient, torch.autograd.grad(focal(g, x, y), g)[0])

    loss.gamma = 0.5
    assert list(loss.parameters()) == [] and list(loss.state_dict()) == []
    close(loss(x, y), 0.5)

    loss.gamma = torch.tensor(3.0)
    assert list(loss.parameters()) == [] and list(loss.state_dict()) == ["gamma"]
    assert "gamma=tensor(3)" in repr(loss)
    close(loss(x, y), 3.0)
    loss.params["gamma"] = learned
    assert list(loss.state_dict()) == ["gamma"] and list(loss.buffers()) == []
    loss.gamma = torch.tensor(2.5)
    assert list(loss.parameters()) == []
    close(loss(x, y), 2.5)
    loss.gamma = 1.5
    assert list(loss.buffers()) == []
    close(loss(x, y), 1.5)


def test_a_learned_parameter_is_optimised_and_loaded():
    x, y = example()
    loss = losslang.losses.focal()
    loss.gamma = nn.Parameter(torch.tensor(3.0, dtype=x.dtype))
    optimizer = torch.optim.SGD(loss.parameters(), lr=0.5)
    before = loss(x, y)
    before.backward()
    optimizer.step()
    assert loss.gamma.item() != 3.0
    other = losslang.losses.focal()
    with pytest.raises(RuntimeError, match="gamma"):
        other.load_state_dict(loss.state_dict())
    other.gamma = nn.Parameter(torch.tensor(0.0))
    other.load_state_dict(loss.state_dict())
    torch.testing.assert_close(other.gamma.item(), loss.gamma.item())


def test_parametrisation_of_a_parameter():
    x, y = example()
    loss = losslang.losses.focal(gamma=nn.Parameter(torch.tensor(-1.0, dtype=x.dtype)))
    parametrize.register_parametrization(loss, "gamma", nn.Softplus())
    value = loss(x, y)
    close(value, nn.functional.softplus(torch.tensor(-1.0, dtype=x.dtype)))
    value.backward()
    assert next(loss.parameters()).grad != 0
    parametrize.remove_parametrizations(loss, "gamma")
    torch.testing.assert_close(loss(x, y), value)


def test_call_with_other_parameters():
    x, y = example()
    loss = losslang.losses.focal(gamma=nn.Parameter(torch.tensor(2.0)))
    found = torch.func.functional_call(loss, {"gamma": torch.tensor(0.5)}, (x, y))
    close(found, 0.5)
    close(loss(x, y), 2.0)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
@pytest.mark.parametrize("tensor", [False, True])
def test_copies_have_the_values_of_now(copied, tensor):
    x, y = example()
    loss = losslang.losses.focal(gamma=2.0)
    loss.gamma = nn.Parameter(torch.tensor(0.5)) if tensor else 0.5
    loss.reduction = "sum"
    other = copied(loss)
    assert repr(other) == repr(loss)
    assert torch.equal(other(x, y), loss(x, y))
    other.gamma = 1.5
    other.reduction = "mean"
    close(other(x, y), 1.5)
    assert loss.gamma == 0.5 and loss.reduction == "sum"
    other.gamma = nn.Parameter(torch.tensor(2.5))
    other.weight = torch.rand(5)
    assert loss.gamma == 0.5 and loss.weight is None and len([*loss.parameters()]) == tensor


def replicate(loss):
    """As DataParallel does it, on one device."""
    replica = loss._replicate_for_data_parallel()
    replica._former_parameters = {}
    for name, value in loss._parameters.items():
        setattr(replica, name, value)
        replica._former_parameters[name] = value
    for name, value in loss._buffers.items():
        if value is None:
            replica._buffers[name] = None
        else:
            setattr(replica, name, value)
    return replica


@pytest.mark.parametrize("backend", [None, "aot_eager"])
def test_replicas_have_settings_of_their_own(backend):
    x, y = example()
    loss = losslang.losses.focal(gamma=2.0)
    replicas = [replicate(loss) for _ in range(3)]
    loss.gamma = 1.0
    replicas[0].gamma = 0.0
    replicas[1].params["gamma"] = 0.5
    replicas[1].weight = torch.ones(5, dtype=x.dtype)
    replicas[1].reduction = "sum"
    replicas[2].gamma = nn.Parameter(torch.tensor(3.0))
    for each, gamma in zip([loss, *replicas], (1.0, 0.0, 0.5, 3.0)):
        assert each.gamma == gamma
        step = torch.compile(each, fullgraph=True, backend=backend) if backend else each
        close(step(x, y) / (6 if each.reduction == "sum" else 1), gamma)
    assert loss.weight is None and loss.reduction == "mean" and not [*loss.parameters()]
    torch._dynamo.reset()


def test_replicas_of_a_learned_parameter():
    x, y = example()
    loss = losslang.losses.focal(gamma=nn.Parameter(torch.tensor(2.0)))
    replica = replicate(loss)
    close(replica(x, y), 2.0)
    replica(x, y).backward()
    assert loss.gamma.grad is not None
    replica.gamma = 0.5
    close(replica(x, y), 0.5)
    close(loss(x, y), 2.0)
    assert isinstance(loss.gamma, nn.Parameter)


@pytest.mark.parametrize("backend", BACKENDS)
def test_schedule_under_compile(backend):
    """More values than a function may be compiled for: a number is no part of the graph."""
    x, y = example()
    loss = losslang.losses.focal()
    torch._dynamo.reset()
    counter = CompileCounterWithBackend(backend)
    step = torch.compile(loss, fullgraph=True, backend=counter)
    counts = set()
    for i in range(20):
        loss.gamma = i / 4
        leaf = x.clone().requires_grad_()
        value = step(leaf, y)
        close(value.detach(), i / 4)
        (found,) = torch.autograd.grad(value, leaf)
        (expected,) = torch.autograd.grad(focal(i / 4, leaf, y), leaf)
        torch.testing.assert_close(found, expected)
        counts.add(counter.frame_count)
    assert len(counts) == 1
    loss.gamma = nn.Parameter(torch.tensor(1.25, dtype=x.dtype))
    value = step(x, y)
    close(value, 1.25)
    assert torch.autograd.grad(value, loss.gamma)[0] != 0
    loss.gamma = 0.75
    close(step(x, y), 0.75)


@pytest.mark.parametrize("backend", BACKENDS[:2])
def test_settings_change_under_compile(backend):
    x, y = example()
    y[2] = 3
    ours, theirs = losslang.losses.cross_entropy(), nn.CrossEntropyLoss()
    step = torch.compile(lambda x, y: ours(x, y), fullgraph=True, backend=backend)
    torch.testing.assert_close(step(x, y), theirs(x, y))
    for name, value in (
        ("reduction", "sum"),
        ("ignore_index", 3),
        ("label_smoothing", 0.1),
        ("weight", torch.rand(5, dtype=x.dtype)),
        ("weight", torch.rand(5, dtype=x.dtype)),
        ("label_smoothing", 0.3),
        ("reduction", "none"),
        ("weight", None),
    ):
        setattr(ours, name, value)
        setattr(theirs, name, value)
        torch.testing.assert_close(step(x, y), theirs(x, y))


@pytest.mark.parametrize("backend", BACKENDS[:2])
def test_options_of_the_program_change_under_compile(backend):
    x, y = example()
    loss = losslang.losses.multi_margin()
    step = torch.compile(loss, fullgraph=True, backend=backend)
    for p in (1, 2, 1):
        loss.p = p
        torch.testing.assert_close(step(x, y), nn.functional.multi_margin_loss(x, y, p=p))


def test_backward_has_the_value_of_the_forward_pass():
    x, y = example()
    for compiled in (False, True):
        loss = losslang.losses.focal(gamma=2.0)
        call = torch.compile(loss, backend="aot_eager") if compiled else loss
        leaf = x.clone().requires_grad_()
        value = call(leaf, y)
        loss.gamma = 0.0
        (found,) = torch.autograd.grad(value, leaf)
        (expected,) = torch.autograd.grad(focal(2.0, leaf, y), leaf)
        torch.testing.assert_close(found, expected)


# Names.


def test_misspelt_settings():
    loss = losslang.losses.focal()
    message = (
        r"loss 'focal' has no setting 'gama' \(it has: gamma, reduction, weight, ignore_index, "
        r"label_smoothing\); did you mean 'gamma'"
    )
    for value in (1, 1.0, True, torch.tensor(1.0), nn.Parameter(torch.tensor(1.0)), "sum"):
        with pytest.raises(AttributeError, match=message):
            loss.gama = value
    with pytest.raises(AttributeError, match="'gama'"):
        loss.gama
    assert not hasattr(loss, "gama")
    for name in ("alpha", "temperature", "ignore_indx", "weights", "size_average"):
        with pytest.raises(AttributeError, match=f"no setting '{name}'"):
            setattr(loss, name, 1)
    # What a module may have besides.
    loss._own = 1
    loss.other = nn.Linear(1, 1)
    loss.hook = print
    loss.register_buffer("mean", torch.zeros(1))
    loss.mean = torch.ones(1)
    assert loss._own == 1 and isinstance(loss.other, nn.Linear) and loss.mean == 1
    loss.eval()
    assert loss.training is False
    loss.train()


def test_own_attributes_of_a_subclass():
    class Mine(losslang.Loss):
        def __init__(self, compiled, strength):
            super().__init__(compiled)
            self.strength = strength

        def forward(self, *inputs):
            return self.strength * super().forward(*inputs)

    x, y = example()
    loss = Mine(losslang.losses.focal().compiled, 3.0)
    loss.gamma = 1.0
    torch.testing.assert_close(loss(x, y), 3 * focal(1.0, x, y))


NAMES = ["training", "type", "half", "name", "params", "forward", "T_destination", "_numbers", "float"]


@pytest.mark.parametrize("name", NAMES)
def test_parameters_with_the_names_of_other_attributes(name):
    text = f"loss f(x: [a], param {name} = 3) {{ return {name} * x }}"
    x = torch.ones(4, dtype=torch.float64)
    loss = losslang.compile(text, reduction="sum")
    assert loss(x) == 12 and loss.params[name] == 3
    assert losslang.compile(text, reduction="sum", **{name: 2})(x) == 8
    loss.params[name] = 5
    assert loss.params[name] == 5 and loss(x) == 20
    assert f"{name}=5.0" in repr(loss)
    loss.params[name] = nn.Parameter(torch.tensor(2.0, dtype=x.dtype))
    assert list(loss.state_dict()) == [name]
    value = loss(x)
    value.backward()
    assert value == 8 and next(loss.parameters()).grad == 4
    # The module is one as before.
    other = pickle.loads(pickle.dumps(copy.deepcopy(loss))).to(torch.float32).half().double().eval()
    assert other.training is False and other(x) == 8
    assert isinstance(other.params[name], nn.Parameter)
    loss.params[name] = 7
    assert list(loss.state_dict()) == [] and loss(x) == 28
    step = torch.compile(loss, fullgraph=True, backend="eager")
    assert step(x) == 28
    loss.params[name] = 8
    assert step(x) == 32
    if not name.startswith("_"):
        with pytest.raises(AttributeError, match=rf'params\["{name}"\]|no setter'):
            setattr(loss, name, 2.0)
        assert loss.params[name] == 8


@pytest.mark.parametrize("name", ["weight", "reduction", "compiled"])
def test_options_with_the_names_of_arguments(name):
    text = f"loss f(x: [a], option {name} = 1) {{ return {name} * x }}"
    with pytest.raises(ValueError, match=f"option '{name}' has the name of an argument"):
        losslang.compile(text)


# The other settings.


def test_options_like_those_of_torch():
    x, y = example()
    y[1] = 3
    ours, theirs = losslang.losses.cross_entropy(), nn.CrossEntropyLoss()
    assert (ours.reduction, ours.weight, ours.ignore_index, ours.label_smoothing) == (
        theirs.reduction, theirs.weight, theirs.ignore_index, theirs.label_smoothing,
    )  # fmt: skip
    for name, value in (
        ("reduction", "sum"),
        ("ignore_index", 3),
        ("label_smoothing", 0.1),
        ("weight", torch.rand(5, dtype=x.dtype)),
        ("weight", torch.rand(5, dtype=x.dtype)),
        ("weight", None),
    ):
        setattr(ours, name, value)
        setattr(theirs, name, value)
        torch.testing.assert_close(ours(x, y), theirs(x, y))
        assert list(ours.state_dict()) == list(theirs.state_dict())
        same = losslang.losses.cross_entropy(
            reduction=ours.reduction, ignore_index=ours.ignore_index, weight=ours.weight,
            label_smoothing=ours.label_smoothing,
        )  # fmt: skip
        torch.testing.assert_close(same(x, y), theirs(x, y))


@pytest.mark.parametrize(
    "name, value, error",
    [
        ("reduction", "avg", ValueError),
        ("reduction", 1, ValueError),
        ("reduction", None, ValueError),
        ("ignore_index", 1.5, TypeError),
        ("ignore_index", "3", TypeError),
        ("ignore_index", True, TypeError),
        ("label_smoothing", 1.5, ValueError),
        ("label_smoothing", -0.1, ValueError),
        ("label_smoothing", float("nan"), ValueError),
        ("label_smoothing", "0.1", TypeError),
        ("label_smoothing", None, TypeError),
        ("weight", [1.0, 2.0], TypeError),
        ("weight", 2.0, TypeError),
    ],
)
def test_wrong_options(name, value, error):
    loss = losslang.losses.cross_entropy()
    before = repr(loss)
    with pytest.raises(error, match=name) as caught:
        losslang.losses.cross_entropy(**{name: value})
    with pytest.raises(error) as again:
        setattr(loss, name, value)
    assert str(again.value) == str(caught.value)
    assert repr(loss) == before
    with pytest.raises(AttributeError, match="cannot be removed"):
        delattr(loss, name)


def test_options_of_the_program():
    x, y = example()
    loss = losslang.losses.multi_margin()
    assert loss.p == 1 and "p=1" in repr(loss)
    loss.p = 2
    assert loss.p == 2 and "p=2" in repr(loss)
    torch.testing.assert_close(loss(x, y), nn.functional.multi_margin_loss(x, y, p=2))
    loss.margin = 0.5
    expected = nn.functional.multi_margin_loss(x, y, p=2, margin=0.5)
    torch.testing.assert_close(loss(x, y), expected)
    for copied in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        assert copied.p == 2
        torch.testing.assert_close(copied(x, y), expected)
        copied.p = 1
        assert loss.p == 2
    with pytest.raises(losslang.OptionError, match="a whole number from 1 to 2") as expected:
        losslang.losses.multi_margin(p=3)
    with pytest.raises(losslang.OptionError, match="a whole number from 1 to 2"):
        loss.p = 3
    assert loss.p == 2
    with pytest.raises(AttributeError, match="cannot be removed"):
        del loss.p


@pytest.mark.parametrize("define", [(), ("-D", "squared=true")])
def test_shared_library(tmp_path, define):
    import subprocess

    library = tmp_path / "dice.so"
    source = losslang.losses.dice().source
    (tmp_path / "dice.loss").write_text(source)
    subprocess.run(["lossc", tmp_path / "dice.loss", "-o", library, *define], check=True)
    loss = losslang.load(library)
    x, y = torch.randn(2, 3, 8), torch.randint(0, 3, (2, 8))
    squared = bool(define)
    assert loss.squared is squared
    torch.testing.assert_close(loss(x, y), losslang.losses.dice(squared=squared)(x, y))
    loss.squared = squared
    with pytest.raises(AttributeError, match="the option 'squared' is fixed in the library .*lossc -D squared="):
        loss.squared = not squared
    with pytest.raises(AttributeError, match="the option 'squared' is fixed"):
        losslang.load(library, squared=not squared)
    with pytest.raises(TypeError, match="has no parameter 'smoth'"):
        losslang.load(library, smoth=1)
    loss.smooth = 3.0
    torch.testing.assert_close(loss(x, y), losslang.losses.dice(squared=squared, smooth=3.0)(x, y))
    # The program that the library carries is the one that was compiled.
    torch.testing.assert_close(losslang.compile(loss.source, smooth=3.0)(x, y), loss(x, y))
