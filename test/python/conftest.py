import sys

import pytest
import torch


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(7)


def pytest_terminal_summary(terminalreporter):
    """What a test has counted, for the reader of the log."""
    for line in getattr(sys.modules.get("counts"), "LINES", []):
        terminalreporter.write_line(line)
