import pytest
import torch


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(7)
    torch._dynamo.reset()
