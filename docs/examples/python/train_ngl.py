"""Trains a small network with a compiled loss: train_ngl.py [--compile]"""

import sys

import losslang
import torch

torch.manual_seed(1)
inputs = torch.randn(1024, 20)
labels = inputs[:, :4].argmax(1)
model = torch.nn.Sequential(torch.nn.Linear(20, 32), torch.nn.ReLU(), torch.nn.Linear(32, 4))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
criterion = losslang.losses.ngl()


def objective(inputs, labels):
    return criterion(model(inputs), labels)


if "--compile" in sys.argv:
    objective = torch.compile(objective, fullgraph=True)
for step in range(301):
    optimizer.zero_grad()
    loss = objective(inputs, labels)
    loss.backward()
    optimizer.step()
    if step % 100 == 0:
        accuracy = (model(inputs).argmax(1) == labels).float().mean()
        print(f"step {step}: ngl = {loss:.4f}, accuracy {accuracy:.1%}")
