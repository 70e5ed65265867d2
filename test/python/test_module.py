"""A compiled loss as a module: what torch.nn.CrossEntropyLoss can do."""

import copy
import pickle
import subprocess
import sys
import threading
import warnings

import pytest
import torch
from torch import nn

import losslang

PROGRAM = """
/// A test.
loss mine(logits: [batch, class], y: target [batch, class], param a = 2) {
  return -a * sum(y * log_softmax(logits over class) over class)
}
"""


def example(dtype=torch.float32, rows=6, classes=5):
    logits = torch.randn(rows, classes, dtype=dtype, requires_grad=True)
    return logits, torch.randint(0, classes, (rows,))


def gradient(loss, *inputs):
    (result,) = torch.autograd.grad(loss(*inputs).sum(), inputs[0])
    return result


def test_library_loss_equals_torch():
    x, y = example(torch.float64)
    loss = losslang.losses.cross_entropy()
    torch.testing.assert_close(loss(x, y), nn.functional.cross_entropy(x, y))
    torch.testing.assert_close(
        gradient(loss, x, y), gradient(nn.functional.cross_entropy, x, y)
    )


def test_names_of_the_library():
    assert {"cross_entropy", "focal", "ngl"} <= set(dir(losslang.losses))
    assert "Lin et al." in losslang.losses.focal.__doc__
    with pytest.raises(AttributeError, match="no loss 'fokal'; did you mean 'focal'"):
        losslang.losses.fokal()


def test_program_text_and_file(tmp_path):
    x, y = example()
    from_text = losslang.compile(PROGRAM)
    file = tmp_path / "mine.loss"
    file.write_text(PROGRAM)
    expected = 2 * nn.functional.cross_entropy(x, y)
    torch.testing.assert_close(from_text(x, y), expected)
    torch.testing.assert_close(losslang.compile(file)(x, y), expected)
    torch.testing.assert_close(losslang.compile(str(file), a=1)(x, y), expected / 2)
    assert from_text.doc == "A test."
    assert "log_softmax" in from_text.source


def test_shared_library(tmp_path):
    library = tmp_path / "mine.so"
    source = tmp_path / "mine.loss"
    source.write_text(PROGRAM)
    subprocess.run(["lossc", source, "-o", library], check=True)
    loss = losslang.load(library, a=3)
    x, y = example()
    torch.testing.assert_close(loss(x, y), 3 * nn.functional.cross_entropy(x, y))
    # A pickle holds the library itself.
    pickled = pickle.dumps(loss)
    library.unlink()
    torch.testing.assert_close(pickle.loads(pickled)(x, y), loss(x, y))


def test_no_library(tmp_path):
    with pytest.raises(FileNotFoundError):
        losslang.load(tmp_path / "none.so")
    (tmp_path / "bad.so").write_text("nothing")
    with pytest.raises(losslang.LoadError, match="bad.so: expected a shared library"):
        losslang.load(tmp_path / "bad.so")


def test_compile_error():
    with pytest.raises(losslang.CompileError) as caught:
        losslang.compile("loss f(x: [a, b]) {\n  return mean(softmx(x over b) over b)\n}")
    assert isinstance(caught.value, SyntaxError)
    text = str(caught.value)
    assert "<string>:2:15: error:" in text
    assert "did you mean 'softmax'" in text and "^" in text
    assert str(pickle.loads(pickle.dumps(caught.value))) == text
    assert repr(type(caught.value)) == "<class 'losslang.CompileError'>"


def test_repr():
    assert repr(losslang.losses.focal(gamma=1.5)) == "focal(gamma=1.5, reduction='mean')"
    assert "reduction='sum'" in repr(losslang.losses.focal(reduction="sum"))


@pytest.mark.parametrize(
    "options, error, message",
    [
        ({"reduction": "avg"}, ValueError, "'none', 'mean' or 'sum', but found 'avg'"),
        ({"gamma": torch.zeros(2)}, ValueError, "to be one number"),
        ({"gama": 2}, (TypeError, losslang.CompileError), "gama"),
    ],
)
def test_wrong_options(options, error, message):
    with pytest.raises(error, match=message):
        losslang.losses.focal(**options)


@pytest.mark.parametrize(
    "name, option, values, allowed",
    [
        ("multi_margin", "p", (0, 3, 1.5), "a whole number from 1 to 2"),
        ("taylor_cross_entropy", "order", (0, 7, 2.5, -1), "a whole number from 1 to 6"),
        ("sphereface", "margin", (0, 2.5), "a positive whole number"),
        ("triplet_margin", "p", (0, -1), "a positive number"),
        ("dice", "squared", (2,), "true or false"),
    ],
)
def test_options_out_of_range(name, option, values, allowed):
    for value in values:
        message = f"expected {allowed} as the value of the option '{option}', but found {value}"
        with pytest.raises(ValueError, match=message) as caught:
            getattr(losslang.losses, name)(**{option: value})
        assert isinstance(caught.value, losslang.OptionError)
        assert isinstance(caught.value, losslang.CompileError)
        assert repr(pickle.loads(pickle.dumps(caught.value))) == repr(caught.value)


def test_numbers_out_of_range_are_found_at_once_tensors_at_the_call():
    message = "the loss 'focal': the parameter 'gamma' is {}, but expected 0 or more"
    for value in (-1, -0.5, float("nan")):
        with pytest.raises(ValueError, match=message.format(value)):
            losslang.losses.focal(gamma=value)
    loss = losslang.losses.focal(gamma=nn.Parameter(torch.tensor(-1.0)))
    with pytest.raises(ValueError, match=message.format(-1)):
        loss(*example())


def test_wrong_inputs():
    loss = losslang.losses.focal()
    x, y = example()
    with pytest.raises(TypeError, match="takes 2 inputs .*3 were given"):
        loss(x, y, y)
    with pytest.raises(TypeError, match="no input 'z'"):
        loss(x, z=y)
    with pytest.raises(TypeError, match="'logits' was given twice"):
        loss(x, logits=x)
    with pytest.raises(TypeError, match="missing input 'y'"):
        loss(x)
    y[3] = 9
    with pytest.raises(IndexError, match="the target of row 3 is 9"):
        loss(x, y)


def test_inputs_by_name():
    loss = losslang.losses.focal()
    x, y = example()
    assert torch.equal(loss(x, y), loss(y=y, logits=x))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies(copied):
    x, y = example()
    loss = losslang.losses.focal(gamma=1.5, reduction="sum")
    other = copied(loss)
    assert repr(other) == repr(loss)
    assert torch.equal(loss(x, y), other(x, y))


def test_pickle_in_another_process():
    loss = losslang.compile(PROGRAM, a=1.25)
    x, y = example()
    code = (
        "import pickle, sys, torch\n"
        "loss, x, y = pickle.loads(sys.stdin.buffer.read())\n"
        "print(loss(x, y).item())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=pickle.dumps((loss, x, y)),
        capture_output=True,
        check=True,
    )
    assert float(done.stdout) == loss(x, y).item()


def test_state_dict_and_device():
    loss = losslang.losses.cross_entropy(weight=torch.ones(5))
    assert list(loss.state_dict()) == ["weight"]
    loss.load_state_dict({"weight": torch.arange(1.0, 6)})
    assert loss.weight[4] == 5
    assert loss.to(torch.float64).weight.dtype == torch.float64
    assert loss.to("meta").weight.device.type == "meta"
    assert list(losslang.losses.cross_entropy().state_dict()) == []


def test_learnable_parameter():
    x, y = example(torch.float64)
    gamma = nn.Parameter(torch.tensor(2.0, dtype=torch.float64))
    loss = losslang.losses.focal(gamma=gamma)
    assert [n for n, _ in loss.named_parameters()] == ["gamma"]
    loss(x, y).backward()

    g = gamma.detach().requires_grad_()
    logp = torch.log_softmax(x.detach(), 1)[range(len(y)), y]
    expected = -((1 - logp.exp()) ** g * logp).mean()
    torch.testing.assert_close(gamma.grad, torch.autograd.grad(expected, g)[0])


def test_learnable_parameter_trains():
    x, y = example()
    temperature = nn.Parameter(torch.tensor(3.0))
    loss = losslang.losses.focal(gamma=temperature)
    before = loss(x.detach(), y).item()
    torch.optim.SGD(loss.parameters(), lr=0.5)
    for _ in range(3):
        loss.zero_grad()
        loss(x.detach(), y).backward()
        with torch.no_grad():
            temperature -= 0.5 * temperature.grad
    assert loss(x.detach(), y).item() < before


def test_threads():
    loss = losslang.losses.focal()
    x, y = example(rows=64)
    expected = loss(x, y).item()
    results = []

    def work(i):
        # Compiles at the same time, too.
        own = losslang.compile(PROGRAM.replace("a = 2", f"a = {i + 1}"))
        for _ in range(20):
            results.append((loss(x, y).item(), own(x, y).item() / (i + 1)))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 80
    assert all(a == expected for a, _ in results)
    reference = nn.functional.cross_entropy(x, y).item()
    assert all(abs(b - reference) < 1e-5 for _, b in results)


class Losses(torch.utils.data.Dataset):
    """The loss as part of what a worker does."""

    def __init__(self, loss):
        self.loss = loss

    def __len__(self):
        return 4

    def __getitem__(self, i):
        x = torch.linspace(-1, 1, 6).reshape(2, 3) * (i + 1)
        return self.loss(x, torch.tensor([0, 2])).item()


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_data_loader_workers(context):
    data = Losses(losslang.losses.focal())
    loader = torch.utils.data.DataLoader(
        data, batch_size=2, num_workers=2, multiprocessing_context=context
    )
    found = torch.cat(list(loader)).tolist()
    assert found == [data[i] for i in range(4)]


UNUSED = "loss f(x: [a, b], z: [a]) {\n  return sum(x over b)\n}"


def test_warnings():
    with pytest.warns(losslang.LossWarning) as caught:
        losslang.compile(UNUSED, reduction="sum")
    (warning,) = caught
    text = str(warning.message)
    assert text.splitlines()[0] == (
        "<string>:1:19: warning: the input 'z' has no influence on the result [unused-input]"
    )
    assert text.splitlines()[1:] == ["  loss f(x: [a, b], z: [a]) {", " " * 20 + "^"]
    assert warning.filename == __file__
    assert issubclass(losslang.LossWarning, UserWarning)


def test_warnings_can_be_filtered():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", r".*\[unused-input\]", losslang.LossWarning)
        losslang.compile(UNUSED)


def test_copies_do_not_warn_again():
    with pytest.warns(losslang.LossWarning):
        loss = losslang.compile(UNUSED)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pickle.loads(pickle.dumps(loss))
        copy.deepcopy(loss)


def test_the_library_does_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in dir(losslang.losses):
            getattr(losslang.losses, name)()


LAYOUTS = {
    "transposed": lambda t: t.movedim(0, -1).contiguous().movedim(-1, 0),
    "channels last": lambda t: t.to(memory_format=torch.channels_last),
    "every second": lambda t: t.repeat_interleave(2, -1)[..., ::2],
    "expanded": lambda t: t[:, :1].expand(t.shape),
}


@pytest.mark.parametrize("mine", LAYOUTS)
@pytest.mark.parametrize("other", ["contiguous", *LAYOUTS])
def test_elements_in_any_layout(mine, other):
    """A loss over elements alone runs in the order of memory."""
    plain = torch.randn(2, 3, 4, 5), torch.randn(2, 3, 4, 5)
    x = LAYOUTS[mine](plain[0])
    y = LAYOUTS.get(other, torch.Tensor.contiguous)(plain[1])
    weight, upstream = torch.rand(2, 3), torch.rand(x.shape)
    loss = losslang.losses.huber(reduction="none")
    results = []
    for a, b in [(x, y), (x.contiguous(), y.contiguous())]:
        a = a.detach().requires_grad_()
        value = loss(a, b, sample_weight=weight)
        results.append((value.detach(), torch.autograd.grad(value, a, upstream)[0]))
        if mine in ("transposed", "channels last"):
            assert value.stride() == a.stride() == results[-1][1].stride()
    assert all(map(torch.equal, *results))
    total = losslang.losses.huber(reduction="sum")(x, y, sample_weight=weight)
    torch.testing.assert_close(total, results[0][0].sum())


def test_standard_names_of_inputs():
    x, y = torch.randn(6, 5), torch.randint(0, 5, (6,))
    loss = losslang.losses.focal()
    assert torch.equal(loss(input=x, target=y), loss(x, y))
    loss = losslang.losses.mse()
    assert torch.equal(loss(target=x, input=-x), loss(-x, x))


@pytest.mark.parametrize("target", [None, [0, 1], 3, "cat"])
def test_what_is_no_tensor(target):
    with pytest.raises(TypeError, match="the input 'y': expected a tensor, but found "):
        losslang.losses.focal()(torch.randn(2, 3), target)
    for function in (losslang.functional.cross_entropy, losslang.functional.nll_loss):
        with pytest.raises(TypeError, match="expected a tensor as target, but found "):
            function(torch.randn(2, 3), target)


@pytest.mark.parametrize("name", ["weight", "reduction", "ignore_index", "label_smoothing"])
def test_parameter_with_the_name_of_an_option(name):
    text = f"loss f(x: [a], param {name} = 1) {{ return {name} * x }}"
    with pytest.raises(ValueError, match=f"parameter '{name}' has the name of an argument"):
        losslang.compile(text)


def test_input_with_the_name_of_an_option():
    text = "loss f(x: [a], sample_weight: [a]) { return x * sample_weight }"
    with pytest.raises(ValueError, match="input 'sample_weight' has the name of an argument"):
        losslang.compile(text)


def test_parameter_with_the_name_of_an_attribute():
    text = "loss f(x: [a], param half = 1) { return half * x }"
    loss = losslang.compile(text, half=2, reduction="sum")
    assert loss(torch.ones(3)) == 6
    learned = losslang.compile(text, half=nn.Parameter(torch.tensor(2.0)), reduction="sum")
    assert learned(torch.ones(3)) == 6 and list(learned.state_dict()) == ["half"]


def test_numbers_that_are_not_in_memory():
    """Views with the negative bit, and tensors of which only is known that they are 0."""
    negative = torch.tensor([[1 + 2j, 3 - 1j]]).conj().imag
    assert negative.is_neg()
    zero = torch._efficientzerotensor((1, 2))
    y = torch.tensor([0])
    for x in (negative, zero):
        for reduction in ("none", "mean", "sum"):
            loss = losslang.losses.cross_entropy(reduction=reduction)
            expected = nn.CrossEntropyLoss(reduction=reduction)(x, y)
            torch.testing.assert_close(loss(x, y), expected)
            dense = torch.eye(2)[y]
            torch.testing.assert_close(loss(x, dense), expected)
        mse = losslang.losses.mse(reduction="none")
        torch.testing.assert_close(mse(x, x + 1), torch.ones(1, 2))
    leaf = negative.resolve_neg().clone().requires_grad_()
    weight = torch.ones(1)
    loss = losslang.losses.cross_entropy(reduction="none")
    (found,) = torch.autograd.grad(loss(leaf, y, sample_weight=weight), leaf, negative[:, 0])
    (expected,) = torch.autograd.grad(loss(leaf, y), leaf, negative[:, 0].resolve_neg())
    torch.testing.assert_close(found, expected)
