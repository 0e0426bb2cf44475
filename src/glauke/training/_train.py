"""The two doors to a training run: begin one, and take one up again."""

import math
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from glauke.errors import DataError, UsageError
from glauke.files import write_text
from glauke.images import Pack, Split, load_split, save_split
from glauke.models import begin_shallow, build_model, require_growth
from glauke.runs import RunRecord, to_toml, write, write_metrics
from glauke.runs import read as read_run

from ._device import choose_device, choose_precision
from ._events import Note, Watch, unwatched
from ._plan import make_plan
from ._recipe import Recipe, recipe_from_dict
from .loop._optimizer import make_optimizer
from .loop._pack_task import PackTask
from .loop._prepare import find_peak, fitted, test_range
from .loop._running import determinism, own_random_state, run_on
from .loop._session import Session
from .loop._setting import Setting
from .rates._range_files import range_test_facts, write_range_test
from .rates._range_test import RangeTest
from .saving._checkpoint import load_checkpoint
from .saving._facts import first_record
from .saving._first_weights import FirstWeights, first_weights


def train(
    recipe: Recipe,
    pack: Pack,
    split: Split,
    out: Path,
    *,
    seed: int = 0,
    device: str = "auto",
    precision: str = "auto",
    deterministic: bool = False,
    mirror: bool = False,
    pretrained: bool = False,
    weights: Path | None = None,
    stop_after_steps: int | None = None,
    target: float | None = None,
    size: int | None = None,
    name: str | None = None,
    command: str = "",
    notes: tuple[str, ...] = (),
    began: float | None = None,
    seconds_before: Mapping[str, float] | None = None,
    watch: Watch = unwatched,
) -> RunRecord:
    """Train a model by `recipe` on one side of `split`, judge it on the other, and leave a run folder in `out`.

    `out` must be an empty folder. `target` stops after the first epoch whose held-out accuracy reaches that fraction.
    `mirror` also reports the accuracy with mirrored copies averaged in, apart. `pretrained` starts from the published
    weights of a zoo model, `weights` from what fits of a .safetensors file. `began` is the `time.perf_counter()`
    from which the run's seconds count, and `seconds_before` says by part what was spent since: packing is included.

    Raises:
        UsageError: a batch larger than the data, a device that is not there, a time in which no epoch fits.
        NotFiniteError: the loss became NaN or infinite; the weights were not touched by it.
        DiskFullError: no room for a checkpoint; the older ones are intact.
    """
    began = time.perf_counter() if began is None else began
    check_choices(seed=seed, stop_after_steps=stop_after_steps, target=target)
    chosen = {"seed": seed, "device": device, "precision": precision, "mirror": mirror, "pretrained": pretrained}
    setting, model = _set_up(recipe, pack, split, out, **chosen)
    start_from = _filled(setting, model, pretrained=pretrained, weights=weights, watch=watch)
    exact = setting.precision
    said = [*notes, f"precision {exact.name}: {exact.reason}", *split.notes, *start_from.notes]
    spent = dict(seconds_before or {})
    extra = {"deterministic": deterministic, "mirror": mirror, "pack": pack.folder.name, "size": size}
    with determinism(deterministic), own_random_state(seed, setting.device):
        if recipe.minutes is not None:
            start = time.perf_counter()
            # Growth was measured for this network alone; an average and weights from elsewhere do not go with it.
            may_grow = recipe.model == "resnet18" and recipe.ema is None and not start_from.facts
            recipe, sentence = fitted(setting, model, seconds_spent=start - began, may_grow=may_grow, watch=watch)
            said.append(sentence)
            watch(Note(sentence))
            setting = setting.with_recipe(recipe)
            spent["measuring"] = time.perf_counter() - start
        _make_shallow(setting, model)
        setting, known = _with_peak(setting, model, spent, watch=watch)
        record = first_record(
            recipe,
            setting.plan,
            pack,
            split,
            model,
            name=name or out.name,
            command=command,
            seed=seed,
            device=setting.device,
            precision=exact,
        )
        record = replace(record, **known, seconds_by_part=spent, notes=tuple(said))
        record = replace(record, extra={**extra, **start_from.facts, **record.extra})
        save_split(split, out / "split.npz")
        write_text(out / "config.toml", _config(recipe, record, split, precision=precision, size=size))
        write_metrics(out / "metrics.csv", ())
        session = _session(setting, model, record, watch=watch, began=began)
        if start_from.facts:
            session.save()  # before there is a record to resume: nothing else holds the weights that it begins from
        write(out, record)
        return run_on(session, stop_after_steps=stop_after_steps, target=target)


def _with_peak(
    setting: Setting, model: nn.Module, spent: dict[str, float], *, watch: Watch
) -> tuple[Setting, dict[str, Any]]:
    """The setting with its peak rate, and what the record says of that; a range test is written and its time noted."""
    start = time.perf_counter()
    peak = find_peak(setting, model, watch=watch)
    known: dict[str, Any] = {"max_lr": peak.rate, "max_lr_rule": peak.rule, "max_lr_reason": peak.reason}
    if peak.test is not None:
        spent["range_test"] = time.perf_counter() - start
        write_range_test(setting.folder, peak.test)
        known["extra"] = {"range_test": range_test_facts(peak.test)}
        watch(Note(f"peak rate {peak.rate:.4g} by rule {peak.rule}: {peak.reason}"))
    return replace(setting, max_lr=peak.rate), known


def resume(
    run: Path,
    pack: Pack,
    *,
    device: str | None = None,
    stop_after_steps: int | None = None,
    target: float | None = None,
    began: float | None = None,
    watch: Watch = unwatched,
) -> RunRecord:
    """Take an unfinished run up at its newest valid checkpoint and train it to its end, as if it had never stopped.

    Raises:
        DataError: the folder holds no run, or the pack is not the one that the run was trained on.
        UsageError: the run is finished.
        NoCheckpointError: there are checkpoints and every one is damaged.
    """
    began = time.perf_counter() if began is None else began
    record = read_run(run)
    check_choices(seed=record.seed, stop_after_steps=stop_after_steps, target=target)
    if record.status == "done":
        raise UsageError("this run is finished", place=str(run), fix="begin a new one with more --epochs")
    if record.data.fingerprint != pack.fingerprint:
        raise DataError(
            f"the pictures have changed since the run began: fingerprint {pack.fingerprint[:12]} instead of "
            f"{record.data.fingerprint[:12]}",
            place=str(run),
            fix="give the data of that run with --source",
        )
    setting, model = _set_up(
        recipe_from_dict(dict(record.recipe), place=str(run / "run.json")),
        pack,
        load_split(run / "split.npz", pack),
        run,
        seed=record.seed,
        device=device or record.device,
        precision=record.precision,
        mirror=bool(record.extra.get("mirror")),
        max_lr=float(record.max_lr or math.nan),
    )
    _make_shallow(setting, model)
    with determinism(bool(record.extra.get("deterministic"))), own_random_state(record.seed, setting.device):
        running = replace(record, status="running", final=None, ended=None, stopped_reason=None)
        running = replace(running, extra={**record.extra, "pack": pack.folder.name})
        session = _session(setting, model, running, watch=watch, began=began)
        checkpoint = load_checkpoint(run / "checkpoints")
        if checkpoint is None:
            watch(Note(f"{run} has no checkpoint yet; the run starts afresh"))
        else:
            for fault in checkpoint.passed_over:
                watch(Note(f"a damaged checkpoint was passed over: {fault}"))
            session.restore(checkpoint)
            watch(Note(f"taken up again after step {checkpoint.step} of {setting.plan.num_steps}"))
            resumed = (*record.resumed_from_steps, checkpoint.step)
            session.record = replace(session.record, resumed_from_steps=resumed)
        return run_on(session, stop_after_steps=stop_after_steps, target=target)


def run_range_test(
    recipe: Recipe,
    pack: Pack,
    split: Split,
    *,
    seed: int = 0,
    device: str = "auto",
    precision: str = "auto",
    pretrained: bool = False,
    weights: Path | None = None,
    watch: Watch = unwatched,
) -> RangeTest:
    """Run the range test that `train` would run before this recipe, without training."""
    setting, model = _set_up(
        recipe, pack, split, Path(), seed=seed, device=device, precision=precision, pretrained=pretrained
    )
    _filled(setting, model, pretrained=pretrained, weights=weights, watch=watch)
    _make_shallow(setting, model)
    with own_random_state(seed, setting.device):
        return test_range(setting, model, watch=watch)


def _set_up(
    recipe: Recipe,
    pack: Pack,
    split: Split,
    folder: Path,
    *,
    seed: int,
    device: str,
    precision: str,
    mirror: bool = False,
    max_lr: float = math.nan,
    pretrained: bool = False,
) -> tuple[Setting, nn.Module]:
    place = choose_device(device)
    setting = Setting(
        recipe=recipe,
        plan=make_plan(recipe, num_pictures=len(split.train), pack_size=pack.size),
        pack=pack,
        split=split,
        folder=folder,
        max_lr=max_lr,
        seed=seed,
        device=place,
        precision=choose_precision(precision, place),
        mirror=mirror,
    )
    model = build_model(
        recipe.model,
        num_classes=len(pack.classes),
        in_channels=pack.channels,
        stem=recipe.stem,
        seed=seed,
        zero_gamma=recipe.zero_gamma,
        pretrained=pretrained,
    )
    if recipe.grow:
        require_growth(model)
    # Channels last is the layout that convolutions compute in on tensor cores and in oneDNN; the other costs a
    # reordering around each of them.
    return setting, model.to(device=place, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]


def _filled(
    setting: Setting, model: nn.Module, *, pretrained: bool, weights: Path | None, watch: Watch
) -> FirstWeights:
    sizes = (*setting.plan.sizes, setting.plan.eval_size)
    start = first_weights(model, name=setting.recipe.model, sizes=sizes, pretrained=pretrained, weights=weights)
    if start.facts and setting.plan.shallow_epochs:
        raise UsageError(
            "it begins with a part of the network, and weights from elsewhere are those of a whole one",
            place="grow",
            fix="leave the weights out, or set grow = 0 in the config",
        )
    for note in start.notes:
        watch(Note(note))
    return start


def _make_shallow(setting: Setting, model: nn.Module) -> None:
    """Where the recipe grows its network, begin with the shallow one."""
    if setting.plan.shallow_epochs:
        begin_shallow(model)


def _session(setting: Setting, model: nn.Module, record: RunRecord, *, watch: Watch, began: float) -> Session:
    return Session(
        PackTask(setting),
        model,
        make_optimizer(model, setting.recipe, lr=setting.max_lr),
        record,
        folder=setting.folder,
        device=setting.device,
        precision=setting.precision,
        ema=setting.recipe.ema,
        watch=watch,
        began=began,
    )


def check_choices(*, seed: int, stop_after_steps: int | None, target: float | None) -> None:
    """Raise `UsageError` for a seed, a number of steps or a target that no run can have; it needs no data."""
    if not 0 <= seed < 2**63:
        raise UsageError(f"must be a whole number from 0 to 2^63 - 1, not {seed}", place="--seed")
    if stop_after_steps is not None and stop_after_steps < 1:
        raise UsageError(f"must be at least 1, not {stop_after_steps}", place="--stop-after-steps")
    if target is not None and not 0 < target <= 1:
        raise UsageError(f"must be a fraction above 0 and at most 1, such as 0.5087, not {target}", place="--target")


def _config(recipe: Recipe, record: RunRecord, split: Split, *, precision: str, size: int | None) -> str:
    run = {
        "seed": record.seed,
        "split": split.kind,
        "val_fraction": split.val_fraction,
        "split_seed": split.seed,
        "max_lr": record.max_lr,
        "size": size,
        "precision": precision,
        "deterministic": record.extra["deterministic"],
        "tta": record.extra["mirror"],
        "pretrained": record.extra.get("pretrained", False),
    }
    text = to_toml({"run": run, "recipe": recipe.as_dict()})
    return f"# glauke train DATA --config config.toml trains this again\n\n{text}"
