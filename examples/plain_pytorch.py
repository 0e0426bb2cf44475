"""Your own model and loop in plain PyTorch: glauke finds the peak of the cycle and says the rate of every step."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, TensorDataset

from glauke.training import one_cycle, range_test

EPOCHS = 4
pictures, labels = load_digits(return_X_y=True)
data = TensorDataset(torch.tensor(pictures, dtype=torch.float32) / 16, torch.tensor(labels))
loader = DataLoader(data, batch_size=64, shuffle=True)

torch.manual_seed(0)
body, head = nn.Sequential(nn.Linear(64, 128), nn.BatchNorm1d(128), nn.ReLU()), nn.Linear(128, 10)
model, loss = nn.Sequential(body, head), nn.CrossEntropyLoss()
groups = [{"params": body.parameters(), "lr": 0.01}, {"params": head.parameters(), "lr": 0.03}]
optimizer = torch.optim.SGD(groups, momentum=0.9)

test = range_test(model, loader, optimizer, loss, start=1e-4, end=1)  # the groups keep their ratio
for suggestion in test.suggestions().values():
    print(suggestion.rule, suggestion.rate, suggestion.reason)
peak = test.suggest("valley").rate or 0.03  # None where no rate is safe; everything is as it was before

# LambdaLR multiplies each group's own rate by what it is told, and asks once more after the last step: hence `min`.
steps, fastest = EPOCHS * len(loader), max(group["lr"] for group in optimizer.param_groups)
cycle = {"num_steps": steps, "peak_step": steps // 4, "peak_lr": peak / fastest}
scheduler = LambdaLR(optimizer, lambda step: one_cycle(min(step, steps - 1), **cycle))

for epoch in range(EPOCHS):
    for inputs, targets in loader:
        optimizer.zero_grad()
        value = loss(model(inputs), targets)
        value.backward()
        optimizer.step()
        scheduler.step()
    print(f"epoch {epoch + 1}: loss {value.item():.3f}, rates {scheduler.get_last_lr()}")
