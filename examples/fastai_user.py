"""Your own fastai Learner and its loop: glauke finds the peak of the cycle and says the rate of every step."""

from functools import partial

import torch
from fastai.vision import all as fastai
from sklearn.datasets import load_digits
from torch import nn

from glauke.training import one_cycle, range_test

EPOCHS = 3
digits = load_digits()
block = fastai.DataBlock(
    blocks=(fastai.ImageBlock(fastai.PILImageBW), fastai.CategoryBlock),
    get_x=lambda i: (15 * digits.images[i]).astype("uint8"),
    get_y=lambda i: digits.target[i],
    splitter=fastai.RandomSplitter(seed=0),
)
dls = block.dataloaders(range(len(digits.target)), bs=64, num_workers=0)
body = nn.Sequential(nn.Conv2d(1, 16, 3, stride=2), nn.BatchNorm2d(16), nn.ReLU(), nn.Flatten())
model, loss = nn.Sequential(body, nn.Linear(144, 10)), nn.CrossEntropyLoss()
sgd = partial(fastai.OptimWrapper, opt=torch.optim.SGD, momentum=0.9)
learn = fastai.Learner(dls, model, loss, sgd, splitter=partial(map, fastai.params), metrics=fastai.accuracy)

learn.create_opt()
learn.opt.set_hyper("lr", [0.01, 0.03])  # one rate for the body, one for the head
test = range_test(learn.model, learn.dls.train, learn.opt.opt, loss, end=1)  # the groups keep their ratio
peak = test.suggest("valley").rate or 0.03  # None where no rate is safe; everything is as it was before
print(test.ended, test.suggest("valley").reason)

steps = EPOCHS * len(dls.train)
cycle = partial(one_cycle, num_steps=steps, peak_step=steps // 4, peak_lr=peak)
schedule = fastai.ParamScheduler({"lr": lambda done: [part * cycle(round(done * steps)) for part in (1 / 3, 1)]})
learn.fit(EPOCHS, cbs=schedule)
