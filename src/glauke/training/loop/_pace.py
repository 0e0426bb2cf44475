"""When a run will end, from the steps that were timed so far."""

from itertools import accumulate

from .._plan import Plan

Work = tuple[int, int, bool]
"""What a step costs by: side of its pictures, their number, and whether the network is shallow."""
TIMED_STEPS = 20  # steps after which the expected end can be told


class Pace:
    """The time of a step in this process, at the size, batch and depth of now."""

    def __init__(self) -> None:
        self.work: Work | None = None
        self.steps, self.seconds = 0, 0.0
        self.plan: Plan | None = None
        self.cost_before: tuple[int, ...] = ()
        """Cost of all steps before each epoch of `plan`, and of all of them: summed once, since every step asks."""

    def seconds_left(self, seconds: float, *, step: int, plan: Plan) -> float | None:
        """Count a step, the one before `step`, and tell the seconds to the end; None until enough were timed.

        Steps at another size, batch or depth cost by their pixels and blocks, roughly; what is left of this size goes
        by the clock.
        """
        epoch = plan.epoch_of(step - 1)
        work = _work(plan, epoch)
        if work != self.work:
            self.work, self.steps, self.seconds = work, 0, 0.0
        self.steps, self.seconds = self.steps + 1, self.seconds + seconds
        if self.steps < TIMED_STEPS:
            return None
        if plan is not self.plan:
            each = (_cost(_work(plan, epoch)) * plan.steps[epoch] for epoch in range(plan.epochs))
            self.plan, self.cost_before = plan, tuple(accumulate(each, initial=0))
        done = self.cost_before[epoch] + (step - plan.first_step(epoch)) * _cost(work)
        return (self.cost_before[-1] - done) / _cost(work) * self.seconds / self.steps


def _work(plan: Plan, epoch: int) -> Work:
    return plan.sizes[epoch], plan.batch_sizes[epoch], epoch < plan.shallow_epochs


def _cost(work: Work) -> int:
    """Pixels of a step, times 2 for the whole network, as for ResNet-18; 0, an unknown size or batch, counts as 1."""
    size, batch, shallow = work
    return max(size, 1) ** 2 * max(batch, 1) * (1 if shallow else 2)
