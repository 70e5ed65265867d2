"""torch.export: a program is saved in one process and runs in another."""

import subprocess
import sys

import pytest
import torch
from torch import nn

import losslang


class Step(nn.Module):
    def __init__(self, loss):
        super().__init__()
        self.model, self.loss = nn.Linear(4, 3), loss

    def forward(self, x, y):
        return self.loss(self.model(x), y)


OWN = """
fn weight(p, a) { return (1 - p)^a }

loss own(logits: [batch, class], y: target [batch, class], param a = 2, option shift = 1.5) {
  let p = softmax(logits over class)
  return -sum(y * weight(p, a) * log(p) over class) + shift
}
"""

LOSSES = {
    "library": lambda: losslang.losses.focal(gamma=1.5),
    "own": lambda: losslang.compile(OWN, a=3, shift=2.5, reduction="sum"),
    "functional": lambda: losslang.functional.cross_entropy,
    "option of a functional one": lambda: lambda z, y: losslang.functional.multi_margin_loss(z, y, p=2),
}

LOAD = """
import sys
import torch
{imports}
program = torch.export.load(sys.argv[1])
for batch, expected in torch.load(sys.argv[2]):
    torch.testing.assert_close(program.module()(*batch), expected)
"""


def elsewhere(imports, *arguments):
    return subprocess.run(
        [sys.executable, "-c", LOAD.format(imports=imports), *map(str, arguments)],
        capture_output=True,
        text=True,
    )


def batch(rows):
    return torch.randn(rows, 4), torch.randint(0, 3, (rows,))


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("name", ["library", "own", "functional", "option of a functional one"])
def test_in_another_process(tmp_path, name, strict):
    step, rows = Step(LOSSES[name]()), torch.export.Dim("rows", min=2)
    program = torch.export.export(
        step, batch(6), dynamic_shapes=({0: rows}, {0: rows}), strict=strict
    )
    torch.export.save(program, tmp_path / "step.pt2")
    cases = [(b, step(*b)) for b in (batch(6), batch(9))]
    torch.save(cases, tmp_path / "cases.pt")
    found = elsewhere("import losslang", tmp_path / "step.pt2", tmp_path / "cases.pt")
    assert found.returncode == 0, found.stderr
    # What PyTorch says without the package.
    if name == "library" and not strict:
        found = elsewhere("", tmp_path / "step.pt2", tmp_path / "cases.pt")
        assert found.returncode != 0
        assert "failed to resolve torch.ops.losslang.loss" in found.stderr


def test_gradients_of_an_exported_program():
    step, rows = Step(LOSSES["library"]()), torch.export.Dim("rows", min=2)
    program = torch.export.export(step, batch(6), dynamic_shapes=({0: rows}, {0: rows})).module()
    for b in (batch(6), batch(9)):
        expected = torch.autograd.grad(step(*b), step.model.weight)
        found = torch.autograd.grad(program(*b), list(program.parameters())[0])
        torch.testing.assert_close(found, expected)


def test_only_exported_programs_hold_the_text():
    """The graphs of torch.compile name a loss by its key."""
    graphs = []

    def backend(graph, inputs):
        graphs.append(str(graph.code))
        return graph

    loss = LOSSES["own"]()
    x, y = torch.randn(4, 3), torch.randint(0, 3, (4,))
    torch.compile(loss, backend=backend, fullgraph=True)(x, y)
    assert "softmax" not in graphs[0]
