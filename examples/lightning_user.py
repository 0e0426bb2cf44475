"""Your own LightningModule and its Trainer: glauke finds the peak of the cycle and says the rate of every step."""

import lightning
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, TensorDataset

from glauke.training import one_cycle, range_test


class Digits(lightning.LightningModule):  # noqa: D101
    peak, steps, loss = 0.03, 1, nn.CrossEntropyLoss()

    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Sequential(nn.Linear(64, 128), nn.BatchNorm1d(128), nn.ReLU()), nn.Linear(128, 10)

    def forward(self, pictures):  # noqa: D102
        return self.head(self.body(pictures))

    def training_step(self, batch, index):  # noqa: D102
        return self.loss(self(batch[0]), batch[1])

    def configure_optimizers(self):  # noqa: D102
        groups = [{"params": self.body.parameters(), "lr": 0.01}, {"params": self.head.parameters(), "lr": 0.03}]
        optimizer, steps = torch.optim.SGD(groups, momentum=0.9), self.steps
        cycle = {"num_steps": steps, "peak_step": steps // 4, "peak_lr": self.peak / 0.03}  # of the fastest group
        scheduler = LambdaLR(optimizer, lambda step: one_cycle(min(step, steps - 1), **cycle))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}


pictures, labels = load_digits(return_X_y=True)
data, module = TensorDataset(torch.tensor(pictures, dtype=torch.float32) / 16, torch.tensor(labels)), Digits()
loader = DataLoader(data, batch_size=64, shuffle=True)
test = range_test(module, loader, module.configure_optimizers()["optimizer"], module.loss)  # groups keep their ratio
module.peak, module.steps = test.suggest("valley").rate or 0.03, 4 * len(loader)
lightning.Trainer(max_epochs=4, logger=False, enable_checkpointing=False).fit(module, loader)
