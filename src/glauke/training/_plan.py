"""From a recipe and a number of pictures to steps: arithmetic, before anything runs."""

from bisect import bisect_right
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import accumulate

from glauke.errors import UsageError
from glauke.images import steps_in_epoch

from ._recipe import Recipe
from .rates._schedules import one_cycle, one_cycle_momentum

SMALLEST = 8  # px; below that a ladder's lowest rung shows the network nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run in steps; every step has one size, batch size, rate and momentum."""

    epochs: int
    batch_sizes: tuple[int, ...]
    """Pictures per step in each epoch; the short last batch of an epoch has fewer."""
    steps: tuple[int, ...]
    """Steps of each epoch."""
    peak_step: float
    """0-based step at which the rate is highest; the last step of an epoch where the peak is the end of that epoch."""
    sizes: tuple[int, ...]
    """Side of the training pictures in each epoch."""
    eval_size: int
    """Side of the pictures in evaluation."""
    shallow_epochs: int = 0
    """First epochs in which the network is shallow."""
    starts: tuple[int, ...] = field(init=False, repr=False, compare=False)
    """0-based step with which each epoch begins, and the number of steps: summed once, since every step asks."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "starts", tuple(accumulate(self.steps, initial=0)))

    @property
    def num_steps(self) -> int:
        """Steps of the whole run."""
        return self.starts[-1]

    @property
    def steps_per_epoch(self) -> int:
        """Steps of the first epoch, which are those of every epoch unless the batch size changes on the way."""
        return self.steps[0]

    def first_step(self, epoch: int) -> int:
        """0-based step with which the 0-based `epoch` begins; the number of steps for the epoch after the last."""
        return self.starts[epoch]

    def epoch_of(self, step: int) -> int:
        """0-based epoch in which the 0-based `step` lies.

        >>> plan = Plan(epochs=2, batch_sizes=(8, 16), steps=(10, 5), peak_step=9.0, sizes=(32, 32), eval_size=32)
        >>> [plan.epoch_of(step) for step in (0, 9, 10, 14)], plan.first_step(1)
        ([0, 0, 1, 1], 10)
        """
        return bisect_right(self.starts, step) - 1


def make_plan(recipe: Recipe, *, num_pictures: int, pack_size: int) -> Plan:
    """Lay a recipe out over `num_pictures` training pictures.

    Raises `UsageError` where a batch is larger than the data.

    >>> from glauke.training.recipes import assignment
    >>> plan = make_plan(assignment(), num_pictures=70_000, pack_size=64)
    >>> plan.steps_per_epoch, plan.num_steps, plan.peak_step
    (137, 6850, 1369.0)
    """
    parts = [epoch / max(recipe.epochs - 1, 1) for epoch in range(recipe.epochs)]
    batch_sizes = tuple(_at(part, recipe.batches, before=recipe.batch_size) for part in parts)
    if max(batch_sizes) > num_pictures:
        raise UsageError(
            f"a batch of {max(batch_sizes)} is larger than the {num_pictures} training pictures",
            place="--batch-size",
            fix=f"choose at most {num_pictures}",
        )
    steps = tuple(steps_in_epoch(num_pictures, batch_size) for batch_size in batch_sizes)
    sizes = tuple(_at(part, recipe.sizes, before=pack_size) for part in parts)
    # The peak counts in epochs, not in steps: the end of epoch 10 is its end whatever the batch sizes around it.
    whole = int(recipe.peak * recipe.epochs + 1e-9)
    begun = (recipe.peak * recipe.epochs - whole) * steps[whole] if whole < recipe.epochs else 0.0
    return Plan(
        epochs=recipe.epochs,
        batch_sizes=batch_sizes,
        steps=steps,
        peak_step=max(round(sum(steps[:whole]) + begun, 6) - 1.0, 0.0),
        sizes=sizes,
        eval_size=recipe.eval_size or sizes[-1],
        shallow_epochs=min(sum(part + 1e-9 < recipe.grow for part in parts), recipe.epochs - 1),
    )


def rate_at(step: int, *, recipe: Recipe, plan: Plan, max_lr: float) -> float:
    """The learning rate of a step."""
    return one_cycle(
        step,
        num_steps=plan.num_steps,
        peak_step=plan.peak_step,
        peak_lr=max_lr,
        start_div=recipe.start_div,
        end_div=recipe.end_div,
        anneal=recipe.anneal,
    )


def momentum_at(step: int, *, recipe: Recipe, plan: Plan) -> float:
    """The momentum of a step."""
    if recipe.momentum_low is None:
        return recipe.momentum
    return one_cycle_momentum(
        step,
        num_steps=plan.num_steps,
        peak_step=plan.peak_step,
        low=recipe.momentum_low,
        high=recipe.momentum,
        anneal=recipe.anneal,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What this machine needs for a recipe's work, measured before it starts."""

    seconds_per_step: dict[int, float]
    """A training step of the recipe's `batch_size` by the side of its pictures; another batch costs by its pictures."""
    shallow: dict[int, float] = field(default_factory=dict)
    """The same of the shallow network, for the sides at which a plan has it."""
    evaluation_share: float = 0.35
    """An evaluated picture against a trained one: a forward pass is a third of a step, and reading is a little more."""

    def of(self, plan: Plan, *, epoch: int) -> float:
        """Seconds of a step in an epoch, for `batch_size` pictures."""
        return (self.shallow if epoch < plan.shallow_epochs else self.seconds_per_step)[plan.sizes[epoch]]

    def seconds(self, recipe: Recipe, *, num_train: int, num_val: int, pack_size: int) -> float:
        """Expected seconds of a run, the evaluations included."""
        plan = make_plan(recipe, num_pictures=num_train, pack_size=pack_size)
        work = zip(plan.batch_sizes, plan.steps, strict=True)
        training = sum(self.of(plan, epoch=epoch) * batch * steps for epoch, (batch, steps) in enumerate(work))
        between = min(recipe.eval_pictures or num_val, num_val) * (plan.epochs - 1)
        judging = (between + num_val) * self.seconds_per_step[plan.eval_size] * self.evaluation_share
        return (training + judging) / recipe.batch_size


def ladder(recipe: Recipe, pack_size: int, *, may_grow: bool = False) -> list[Recipe]:
    """The recipe, then cheaper ones: its sizes cut at ever smaller sides, at last small ones with a rising end.

    The last rung begins at half of the smallest side. Where the network `may_grow`, there is one before it that trains
    a shallow network in all but the last epoch. What they are worth is measured in docs/results.md.

    >>> from glauke.training.recipes import quick
    >>> [(rung.sizes, rung.grow) for rung in ladder(quick(), 64, may_grow=True)[-2:]]
    [(((0.0, 24), (0.7, 32)), 1.0), (((0.0, 16), (0.7, 24), (0.95, 32)), 0.0)]
    """
    sizes = recipe.sizes or ((0.0, max(pack_size, SMALLEST)),)
    sides = sorted({side for _, side in sizes}, reverse=True)
    smallest, half, between = sides[-1], sides[-1] // 2, sides[-1] * 3 // 4
    rungs = [(tuple((part, min(side, largest)) for part, side in sizes), recipe.grow) for largest in sides]
    if half >= SMALLEST:
        if may_grow:
            rungs.append((((0.0, between), (0.7, smallest)), 1.0))
        rungs.append((((0.0, half), (0.7, between), (0.95, smallest)), recipe.grow))
    # A shift of 4 pixels is much at half the size.
    cheaper = [
        replace(recipe, sizes=phases, grow=grow, pad=recipe.pad * phases[0][1] // sizes[0][1]) for phases, grow in rungs
    ]
    return [recipe, *cheaper[1:]]


def fit_to_time(
    recipe: Recipe,
    costs: Costs,
    *,
    seconds: float,
    num_train: int,
    num_val: int,
    pack_size: int,
    least: int = 5,
    may_grow: bool = False,
) -> tuple[Recipe, str]:
    """Shorten a recipe to `seconds`: fewer epochs first; where fewer than `least` remain, what `ladder` has.

    A short cycle at a small size learns more than a shorter one at full size, because the anneal makes the accuracy.
    Returns the recipe and a sentence about what was done. Raises `UsageError` if not even one epoch fits.
    """

    def planned(epochs: int, rung: Recipe) -> Plan:
        return make_plan(replace(rung, epochs=epochs), num_pictures=num_train, pack_size=pack_size)

    def cost(epochs: int, rung: Recipe) -> float:
        changed = replace(rung, epochs=epochs)
        return costs.seconds(changed, num_train=num_train, num_val=num_val, pack_size=pack_size)

    whole = cost(recipe.epochs, recipe)
    if whole <= seconds:
        return recipe, f"{recipe.epochs} epochs should take {whole / 60:.0f} minutes"
    rungs = ladder(recipe, pack_size, may_grow=may_grow)
    for rung in rungs:
        epochs = bisect_right(range(1, recipe.epochs + 1), seconds, key=partial(cost, rung=rung))
        grows = rung.grow > recipe.grow  # which takes an epoch before the last
        if epochs >= (1 if rung is rungs[-1] else 2 if grows else min(least, recipe.epochs)):
            plan = planned(epochs, rung)
            shallow = ", and until then only the first block of each stage is trained" if grows else ""
            return replace(rung, epochs=epochs), (
                f"{recipe.epochs} epochs at up to {max(planned(recipe.epochs, recipe).sizes)} px would take "
                f"{whole / 60:.0f} minutes here; to keep to {seconds / 60:.0f}, the cycle has {epochs} epochs, "
                f"the last at {plan.sizes[-1]} px{shallow}"
            )
    raise UsageError(
        f"one epoch takes {cost(1, rungs[-1]):.0f} s on this machine, more than the {max(seconds, 0.0):.0f} s left",
        place="--minutes",
        fix="allow more time or use less data",
    )


def _at(part: float, phases: tuple[tuple[float, int], ...], *, before: int) -> int:
    """What the last phase that has begun at `part` of the run holds, or `before` where none has."""
    value = before
    for start, changed in phases:
        if part + 1e-9 >= start:
            value = changed
    return value
