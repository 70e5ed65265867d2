"""Every loss of the library has a test and says what it is."""

import pathlib
import re

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

STDLIB = pathlib.Path(__file__).parents[3] / "stdlib"
FILES = sorted(STDLIB.glob("*.loss"))
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
FAMILIES = {
    "binary and multi-label",
    "boxes",
    "classification",
    "distillation",
    "generative",
    "likelihood",
    "metric and contrastive",
    "ranking and ordinal",
    "regression",
    "reinforcement and preferences",
    "segmentation",
}


def test_every_loss_is_tested():
    tested = {case.name for module in MODULES for case in module.CASES}
    assert tested == {file.stem for file in FILES}
    assert len(FILES) >= 75


def test_every_default_is_tested():
    """The first settings of a loss are its defaults."""
    for module in MODULES:
        first = {}
        for case in module.CASES:
            first.setdefault(case.name, case.settings[0])
        assert set(map(str, first.values())) == {"{}"}, first


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_is_documented(file):
    text = file.read_text(encoding="utf-8")
    assert re.search(rf"^loss {file.stem}\(", text, re.M), "the loss has the name of its file"
    family = re.search(r"^/// Family: (.+)$", text, re.M)
    assert family and family[1] in FAMILIES
    assert re.search(r"^/// Formula: \S", text, re.M)
    assert re.search(r"^/// Source: \S", text, re.M)
    # Every input, parameter and option is documented.
    arguments = text[text.index(f"loss {file.stem}(") :].split("\n) {")[0].splitlines()[1:]
    for before, line in zip(arguments, arguments[1:]):
        if not line.lstrip().startswith("///"):
            assert before.lstrip().startswith("///"), line
    assert all(len(line) <= 100 for line in text.splitlines())
