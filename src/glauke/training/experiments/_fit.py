"""The door for a program's own model, loaders, optimizer, schedule and step."""

import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

from glauke.errors import UsageError
from glauke.runs import RunRecord, moved_aside, read, write, write_metrics

from .._device import Precision, choose_device, choose_precision
from .._events import Note, Watch, unwatched
from .._recipe import AUTO, Recipe
from ..loop._monitor import BEST
from ..loop._optimizer import make_optimizer
from ..loop._prepare import PROBE_LR, Peak
from ..loop._running import own_random_state, run_on
from ..loop._session import Session
from ..rates._groups import kept_rates
from ..rates._range_files import range_test_facts, write_range_test
from ..rates._rates import Rates
from ..rates._schedules import one_cycle, one_cycle_momentum
from ..saving._checkpoint import load_checkpoint
from ..saving._weights import weights_of
from ._experiment import Experiment
from ._experiment_facts import experiment_record, with_counts
from ._experiment_figures import draw_run
from ._fingerprint import FACTS, check_same, facts_of, weights_hash
from ._first_batch import check_monitor
from ._loader_range import find_rate
from ._loader_task import LoaderTask, generators_of, learnt_loss, length, loader_plan

LEFT = "left_weights"
"""Where the record's `extra` has a hash of the weights that an unfinished run left the model with."""


def fit(
    experiment: Experiment, *, out: Path | str, resume: bool = True, restart: bool = False, watch: Watch = unwatched
) -> RunRecord:
    """Train an experiment's model and leave a run folder in `out`; afterwards the model holds the best weights.

    What stands in `out` decides how it begins, so that a cell or a script can be run again as it is:

    - nothing: a new run;
    - an unfinished run: with `resume` it goes on after its last whole epoch, bit for bit as if it had never stopped if
      all randomness is PyTorch's: of its global state, or of a generator that the loader, its sampler or its data set
      holds itself. Not so with transforms that draw from NumPy or Python's `random`, a generator further down, such as
      in the data set of a `Subset`, or noise in workers that persist;
    - a finished run: it is returned as it is, with a note, and the model gets its best weights.

    `restart` moves what stands there aside, to `out.1` or the next free number, and begins anew; nothing is ever
    deleted. The optimizer forgets its momentum then, but the model keeps its weights: a note says so if they are those
    that the earlier run left. The optimizer's rates and the scheduler stand afterwards where they stood before.

    Before a new run one batch of the side that is monitored is looked at, and put back, so that a monitor that is not
    measured, or a batch that the step cannot take, is refused while nothing has been written.

    The record says what the best and the last epoch scored. Ctrl-C ends the step at hand and returns a record with the
    status "interrupted".

    Raises:
        UsageError: `out` holds something else, or a run of another experiment.
        NotFiniteError: the loss became NaN or infinite; the weights were not touched by it.
        DiskFullError: no room for a checkpoint; the older ones are intact.
    """
    began = time.perf_counter()
    folder = Path(out)
    notes = _restarted(folder, experiment, watch) if restart else []
    found = _found(folder, resume=resume)
    device = choose_device(experiment.device)
    precision = choose_precision(experiment.precision, device)
    experiment.model.to(device)
    if isinstance(experiment.loss, nn.Module):
        experiment.loss.to(device)
    optimizer = experiment.optimizer or default_optimizer(experiment)
    if found is not None:
        check_same(found, experiment, optimizer, device=device, precision=precision)
        if found.status == "done":
            watch(Note(f"{folder} holds this run already, finished; restart=True would train it again"))
            _take_best(experiment.model, folder, device, watch)
            return found
    run = partial(_session, experiment, optimizer, folder, device=device, precision=precision, watch=watch, began=began)
    with own_random_state(experiment.seed, device), kept_rates(optimizer, experiment.scheduler):
        session, rates = run(found=found, notes=notes)
        try:
            record = run_on(session)
        finally:
            if session.record.final is None:
                _note_weights(folder, experiment.model)
    if record.final is not None:
        record = with_counts(record, session)
        write(folder, record)
        _take_best(experiment.model, folder, device, watch)
        draw_run(folder, record, session, rates)
    else:
        record = read(folder)
    return replace(record, folder=folder)


def default_optimizer(experiment: Experiment) -> torch.optim.Optimizer:
    """SGD as a recipe has it by default, at a rate that hardly moves anything."""
    recipe = Recipe(name=experiment.name, why="", epochs=experiment.epochs)
    return make_optimizer(experiment.model, recipe, lr=PROBE_LR)


def _found(folder: Path, *, resume: bool) -> RunRecord | None:
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return None
    if not (folder / "run.json").is_file():
        raise UsageError(
            "it holds something that is no run, and a run never overwrites anything",
            place=str(folder),
            fix="give another out, or restart=True to move it aside",
        )
    if not resume:
        raise UsageError(
            "it holds a run already", place=str(folder), fix="give another out, or restart=True to move it aside"
        )
    return read(folder)


def _note_weights(folder: Path, model: nn.Module) -> None:
    """Note with which weights a run that did not end left the model, so that a restart knows them again."""
    record = read(folder)
    write(folder, replace(record, extra={**record.extra, LEFT: weights_hash(model)}))


def _restarted(folder: Path, experiment: Experiment, watch: Watch) -> list[str]:
    """Move what stands in the folder aside; say so, and if the model is not as it was before that run."""
    model, optimizer = experiment.model, experiment.optimizer
    used = any(_holds(model, folder / name) for name in (BEST, "final.safetensors"))
    if not used and (folder / "run.json").is_file():
        used = read(folder).extra.get(LEFT) == weights_hash(model)
    moved = moved_aside(folder)
    notes = [] if moved is None else [f"what stood in {folder.name} is now in {moved.name}"]
    if used:
        notes.append(
            "the model begins with the weights that the earlier run ended with; make it anew to train from scratch"
        )
    if optimizer is not None and optimizer.state:
        optimizer.state.clear()
        notes.append("what the optimizer had gathered in earlier steps, such as momentum, was cleared")
    for note in notes:
        watch(Note(note))
    return notes


def _holds(model: nn.Module, file: Path) -> bool:
    if not file.is_file():
        return False
    saved, own = load_file(file), weights_of(model)
    return saved.keys() == own.keys() and all(torch.equal(saved[name], own[name]) for name in own)


def _session(
    experiment: Experiment,
    optimizer: torch.optim.Optimizer,
    folder: Path,
    *,
    found: RunRecord | None,
    notes: list[str],
    device: torch.device,
    precision: Precision,
    watch: Watch,
    began: float,
) -> tuple[Session, Rates]:
    """A new session with its first checkpoint written, or one that stands where the run in the folder stopped."""
    steps = experiment.steps_per_epoch or length(experiment.train)
    checkpoint = None
    if found is None:
        record = _begin(experiment, optimizer, folder, notes, device=device, precision=precision, watch=watch)
    else:
        record = replace(found, status="running", final=None, ended=None, stopped_reason=None)
        checkpoint = load_checkpoint(folder / "checkpoints")
        if checkpoint is not None and steps is None and checkpoint.step:
            steps = found.steps_per_epoch
    rates = _rates(experiment, optimizer, steps, record.max_lr)
    task = LoaderTask(
        experiment,
        plan=None if steps is None else loader_plan(experiment, steps),
        rates=rates,
        device=device,
        precision=precision,
    )
    session = Session(
        task,
        experiment.model,
        optimizer,
        record,
        folder=folder,
        device=device,
        precision=precision,
        ema=experiment.ema,
        loss=learnt_loss(experiment),
        generators=generators_of(experiment),
        watch=watch,
        began=began,
    )
    if checkpoint is None:
        session.save()  # what an interrupted first epoch begins again from
        return session, rates
    for fault in checkpoint.passed_over:
        watch(Note(f"a damaged checkpoint was passed over: {fault}"))
    session.restore(checkpoint)
    watch(Note(f"taken up again after epoch {len(session.rows)} of {experiment.epochs}"))
    session.record = replace(record, resumed_from_steps=(*record.resumed_from_steps, checkpoint.step))
    return session, rates


def _begin(
    experiment: Experiment,
    optimizer: torch.optim.Optimizer,
    folder: Path,
    notes: list[str],
    *,
    device: torch.device,
    precision: Precision,
    watch: Watch,
) -> RunRecord:
    """Find the rate, then make the folder and write what is known before the first step."""
    start = time.perf_counter()
    facts = facts_of(experiment, optimizer)
    steps, most = experiment.steps_per_epoch or length(experiment.train), length(experiment.train)
    if steps is None and experiment.cycles:
        raise UsageError(
            "a cycle needs to know how many steps it has, and the loader does not tell its length",
            place="train",
            fix="give steps_per_epoch",
        )
    if steps is not None and most is not None and steps > most:
        raise UsageError(f"the loader has {most} batches, not {steps}", place="steps_per_epoch")
    check_monitor(experiment, optimizer, device=device, precision=precision)
    _check_total(experiment, steps)
    if experiment.peak == AUTO:
        peak = find_rate(experiment, optimizer, precision=precision, watch=watch)
        watch(Note(f"rate {peak.rate:.4g} by rule {peak.rule}: {peak.reason}"))
    else:
        peak = _given(experiment, optimizer)
    extra: dict[str, object] = {
        "monitor": {"metric": experiment.monitor, "mode": experiment.monitored.mode},
        FACTS: facts,
    }
    folder.mkdir(parents=True, exist_ok=True)
    spent = {}
    if peak is not None and peak.test is not None:
        spent["range_test"] = time.perf_counter() - start
        write_range_test(folder, peak.test)
        extra["range_test"] = range_test_facts(peak.test)
    record = experiment_record(experiment, optimizer, loader_plan(experiment, steps or 1), device, precision)
    record = replace(
        record,
        max_lr=peak.rate if peak else None,
        max_lr_rule=peak.rule if peak else None,
        max_lr_reason=peak.reason if peak else None,
        seconds_by_part=spent,
        notes=(*notes, f"precision {precision.name}: {precision.reason}"),
        extra=extra,
    )
    write_metrics(folder / "metrics.csv", ())
    write(folder, record)
    return record


def _check_total(experiment: Experiment, steps: int | None) -> None:
    """Refuse a scheduler that ends before the run does, which PyTorch says only when it gets there."""
    total = getattr(experiment.scheduler, "total_steps", None)
    each = steps if experiment.every_step else 1
    if isinstance(total, int) and each is not None and total < each * experiment.epochs:
        raise UsageError(
            f"the scheduler has {total} steps, and the run takes {each * experiment.epochs} of them",
            place="schedule",
            fix=f"make it with total_steps={each * experiment.epochs}",
        )


def _given(experiment: Experiment, optimizer: torch.optim.Optimizer) -> Peak | None:
    """The rate that the program gave; None where its schedule has rates of its own."""
    if isinstance(experiment.max_lr, int | float):
        return Peak(rate=float(experiment.max_lr), rule="given", reason="given as max_lr", test=None)
    if experiment.schedule is None or experiment.cycles:
        rate = max(float(group["lr"]) for group in optimizer.param_groups)
        return Peak(rate=rate, rule="given", reason="the optimizer's own", test=None)
    return None


def _rates(experiment: Experiment, optimizer: torch.optim.Optimizer, steps: int | None, max_lr: float | None) -> Rates:
    if experiment.cycles:
        assert steps is not None and max_lr is not None
        plan = loader_plan(experiment, steps)
        shape = {"num_steps": plan.num_steps, "peak_step": plan.peak_step, "anneal": experiment.anneal}
        momentum = None
        if experiment.momenta is not None:
            high, low = experiment.momenta
            momentum = partial(one_cycle_momentum, low=low, high=high, **shape)
        return Rates(optimizer, rate=partial(one_cycle, peak_lr=max_lr, **shape), momentum=momentum)
    if experiment.scheduler is not None:
        return Rates(
            optimizer,
            scheduler=experiment.scheduler,
            every_step=experiment.every_step,
            monitor=experiment.monitored,
        )
    if callable(experiment.schedule):
        return Rates(optimizer, rate=experiment.schedule)
    return Rates(optimizer, rate=None if max_lr is None else lambda step: max_lr)


def _take_best(model: nn.Module, folder: Path, device: torch.device, watch: Watch) -> None:
    if not (folder / BEST).is_file():
        watch(Note("no epoch measured the monitored metric, so the model keeps its last weights"))
        return
    model.load_state_dict(load_file(folder / BEST, device=str(device)))
