"""A session carried to its end, and what a run borrows from the process for that time."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace

import torch

from glauke.errors import GlaukeError
from glauke.runs import RunRecord, write

from .._events import Began
from ..saving._facts import now
from ._interrupt import interruptible
from ._session import Session


def run_on(session: Session, *, stop_after_steps: int | None = None, target: float | None = None) -> RunRecord:
    """Train from where the session stands, and leave a record that says how it ended, whatever happens."""
    session.watch(Began(folder=session.folder, record=session.record, plan=session.task.plan))
    try:
        with interruptible() as interrupt:
            return session.run(interrupt, stop_after_steps=stop_after_steps, target=target)
    except BaseException as error:
        # Whatever it was, a record that says "running" for ever would be wrong; the error itself goes on.
        status = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
        reason = error.message if isinstance(error, GlaukeError) else type(error).__name__
        write(session.folder, replace(session.record, status=status, stopped_reason=reason, ended=now()))
        raise


@contextmanager
def own_random_state(seed: int, device: torch.device) -> Iterator[None]:
    """Seed PyTorch's global generator, which dropout draws from, for the run alone, on its device.

    Of several GPUs that of the run is the current one inside: events and the random state are those of the current one.
    """
    with torch.cuda.device(device) if device.type == "cuda" else nullcontext():
        devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(seed)
            yield


@contextmanager
def determinism(wanted: bool) -> Iterator[None]:
    """Let operations whose result may differ from run to run be refused inside; where that is not wanted, as it was."""
    before = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    if wanted:
        torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warn_only)
