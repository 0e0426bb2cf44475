"""The rates of a program's own optimizer: groups in proportion, cycles, the range test before them."""

import pytest
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader

from glauke import runs
from glauke.training import Step, fit

TRAIN, BATCH, STEPS = 50, 16, 4


def groups(model, rates=(0.2, 0.02)):
    return torch.optim.SGD(
        [
            {"params": model[0].parameters(), "lr": rates[0]},
            {"params": [*model[1].parameters(), *model[4].parameters()], "lr": rates[1], "weight_decay": 0.1},
        ],
        lr=1.0,
        momentum=0.9,
    )


@pytest.mark.parametrize(("max_lr", "peak"), [(None, 0.2), (0.5, 0.5)])
def test_one_cycle_scales_each_groups_own_peak(tmp_path, max_lr, peak, make):
    model = make.network()
    optimizer, seen = groups(model), []
    made = make.experiment(
        model=model, optimizer=optimizer, schedule="one-cycle", max_lr=max_lr, peak_epoch=1, momenta=(0.95, 0.85)
    )

    watch = make.stepped(lambda e: seen.append([(group["lr"], group["momentum"]) for group in optimizer.param_groups]))
    record = fit(made, out=tmp_path, watch=watch)
    assert record.max_lr == peak
    for first, second in seen:
        assert second[0] == pytest.approx(first[0] / 10) and first[1] == second[1]
    rates = [first[0] for first, _ in seen]
    assert max(rates) == rates[STEPS - 1] == pytest.approx(peak)  # the end of the first epoch
    assert seen[STEPS - 1][0][1] == pytest.approx(0.85) and seen[-1][0][1] == pytest.approx(0.95)
    # Afterwards the groups stand where the program had put them, so that a second fit begins as the first one did.
    assert [(g["lr"], g["momentum"], g["weight_decay"]) for g in optimizer.param_groups] == [
        (0.2, 0.9, 0.0),
        (0.02, 0.9, 0.1),
    ]


def test_a_cycle_moves_the_first_beta_of_adam(tmp_path, make):
    model = make.network()
    optimizer, betas = torch.optim.Adam(model.parameters(), lr=0.01, betas=(0.8, 0.99)), []
    made = make.experiment(
        model=model, optimizer=optimizer, schedule="one-cycle", momenta=(0.95, 0.85), peak_epoch=0.5, epochs=1
    )
    fit(made, out=tmp_path, watch=make.stepped(lambda e: betas.append(optimizer.param_groups[0]["betas"])))
    assert min(beta for beta, _ in betas) == pytest.approx(0.85) and {second for _, second in betas} == {0.99}
    assert optimizer.param_groups[0]["betas"] == (0.8, 0.99)
    assert runs.read_metrics(tmp_path / "metrics.csv")[0].momentum == pytest.approx(0.95)


def test_without_a_schedule_the_optimizers_rates_stay(tmp_path, make):
    model = make.network()
    optimizer, rates = groups(model), []
    watch = make.stepped(lambda e: rates.append([group["lr"] for group in optimizer.param_groups]))
    record = fit(make.experiment(model=model, optimizer=optimizer), out=tmp_path / "own", watch=watch)
    assert rates == [[0.2, 0.02]] * 3 * STEPS and record.max_lr == 0.2
    rates.clear()
    fit(make.experiment(model=model, optimizer=optimizer, max_lr=0.1), out=tmp_path / "given", watch=watch)
    assert rates == [pytest.approx([0.1, 0.01])] * 3 * STEPS


def test_auto_finds_the_rate_and_leaves_no_trace_of_the_search(tmp_path, make):
    def made(max_lr):
        model = make.network()
        train = DataLoader(
            make.examples(TRAIN, 1), batch_size=BATCH, shuffle=True, generator=torch.Generator().manual_seed(1)
        )
        return make.experiment(
            model=model,
            optimizer=groups(model),
            train=train,
            schedule="one-cycle",
            max_lr=max_lr,
            lr_steps=40,
            step=same,
        )

    def same(model, batch):
        inputs, labels = batch
        loss = F.cross_entropy(model(inputs), labels)
        return Step(loss=loss, count=len(labels), sums={"accuracy": 0})

    record = fit(made("auto"), out=tmp_path / "auto")
    assert record.max_lr_rule in ("valley", "minimum", "fallback") and record.max_lr_reason
    assert (tmp_path / "auto" / "range_test.csv").exists() and "range_test" in record.seconds_by_part
    # The proof: a run that is given that rate is the same run, bit for bit.
    fit(made(record.max_lr), out=tmp_path / "given")
    assert (tmp_path / "auto" / "final.safetensors").read_bytes() == (
        tmp_path / "given" / "final.safetensors"
    ).read_bytes()
