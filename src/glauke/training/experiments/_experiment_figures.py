"""The figures of an experiment's run."""

from pathlib import Path

from glauke.runs import RunRecord

from ..loop._session import Session
from ..rates._groups import momentum_of
from ..rates._range_files import read_range_test
from ..rates._rates import Rates


def draw_run(folder: Path, record: RunRecord, session: Session, rates: Rates) -> None:
    """Draw the curves, the time, the range test and, where the rates are arithmetic, the schedule."""
    from .. import plots  # loads matplotlib, which a program that never ends a run does not need

    where, plan = folder / "plots", session.task.plan
    plots.save_curves(session.rows, where)
    plots.save_time(session.rows, where)
    test = read_range_test(folder, record)
    if test is not None:
        plots.save_range_test(test, where, used=record.max_lr_rule)
    if rates.rate is not None:
        steps = range(plan.num_steps)
        momentum = rates.momentum or (lambda step: momentum_of(session.optimizer))
        plots.save_schedule(
            [float(rates.rate(step)) for step in steps], where, momenta=[momentum(s) for s in steps], steps=plan.steps
        )
