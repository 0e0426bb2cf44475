"""When a run will end, from the steps that were timed so far."""

from itertools import accumulate

from .._plan import Plan

TIMED_STEPS = 20  # steps after which the expected end can be told


class Pace:
    """The time of a step in this process, at the size and batch of now."""

    def __init__(self) -> None:
        self.work: tuple[int, int] | None = None
        self.steps, self.seconds = 0, 0.0
        self.plan: Plan | None = None
        self.pixels_before: tuple[int, ...] = ()
        """Pixels of all steps before each epoch of `plan`, and of all of them: summed once, since every step asks."""

    def seconds_left(self, seconds: float, *, step: int, plan: Plan) -> float | None:
        """Count a step, the one before `step`, and tell the seconds to the end; None until enough were timed.

        Steps at another size or batch cost by their pixels; what is left of this size goes by the clock.
        """
        epoch = plan.epoch_of(step - 1)
        work = (plan.sizes[epoch], plan.batch_sizes[epoch])
        if work != self.work:
            self.work, self.steps, self.seconds = work, 0, 0.0
        self.steps, self.seconds = self.steps + 1, self.seconds + seconds
        if self.steps < TIMED_STEPS:
            return None
        if plan is not self.plan:
            epochs = zip(plan.sizes, plan.batch_sizes, plan.steps, strict=True)
            each = (_pixels(size, batch) * steps for size, batch, steps in epochs)
            self.plan, self.pixels_before = plan, tuple(accumulate(each, initial=0))
        done = self.pixels_before[epoch] + (step - plan.first_step(epoch)) * _pixels(*work)
        return (self.pixels_before[-1] - done) / _pixels(*work) * self.seconds / self.steps


def _pixels(size: int, batch: int) -> int:
    """Pixels of a batch, up to a factor; 0, an unknown size or batch, counts as 1."""
    return max(size, 1) ** 2 * max(batch, 1)
