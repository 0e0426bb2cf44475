"""From a recipe and a number of pictures to steps: arithmetic, before anything runs."""

from bisect import bisect_right
from dataclasses import dataclass, replace

from glauke.errors import UsageError

from ._recipe import Recipe
from ._schedules import one_cycle, one_cycle_momentum


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run in steps; every step has one size, rate and momentum."""

    epochs: int
    steps_per_epoch: int
    peak_step: float
    """0-based step at which the rate is highest; the last step of an epoch where the peak is the end of that epoch."""
    sizes: tuple[int, ...]
    """Side of the training pictures in each epoch."""
    eval_size: int
    """Side of the pictures in evaluation."""

    @property
    def num_steps(self) -> int:
        """Steps of the whole run."""
        return self.epochs * self.steps_per_epoch


def make_plan(recipe: Recipe, *, num_pictures: int, pack_size: int) -> Plan:
    """Lay a recipe out over `num_pictures` training pictures.

    Raises `UsageError` where a batch is larger than the data.

    >>> from glauke.training.recipes import assignment
    >>> plan = make_plan(assignment(), num_pictures=70_000, pack_size=64)
    >>> plan.steps_per_epoch, plan.num_steps, plan.peak_step
    (137, 6850, 1369.0)
    """
    if recipe.batch_size > num_pictures:
        raise UsageError(
            f"a batch of {recipe.batch_size} is larger than the {num_pictures} training pictures",
            place="--batch-size",
            fix=f"choose at most {num_pictures}",
        )
    steps_per_epoch = -(-num_pictures // recipe.batch_size)
    sizes = tuple(_size_at(recipe, epoch / max(recipe.epochs - 1, 1), pack_size) for epoch in range(recipe.epochs))
    num_steps = recipe.epochs * steps_per_epoch
    return Plan(
        epochs=recipe.epochs,
        steps_per_epoch=steps_per_epoch,
        peak_step=max(round(recipe.peak * num_steps, 6) - 1.0, 0.0),
        sizes=sizes,
        eval_size=recipe.eval_size or sizes[-1],
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
    """A training step by the side of its pictures."""
    evaluation_share: float = 0.35
    """An evaluated picture against a trained one: a forward pass is a third of a step, and a little more for reading."""

    def seconds(self, recipe: Recipe, *, num_train: int, num_val: int, pack_size: int) -> float:
        """Expected seconds of a run, the evaluations included."""
        plan = make_plan(recipe, num_pictures=num_train, pack_size=pack_size)
        training = sum(self.seconds_per_step[size] for size in plan.sizes) * plan.steps_per_epoch
        between = min(recipe.eval_pictures or num_val, num_val) * (plan.epochs - 1)
        per_picture = self.seconds_per_step[plan.eval_size] / recipe.batch_size
        return training + (between + num_val) * per_picture * self.evaluation_share


def fit_to_time(
    recipe: Recipe,
    costs: Costs,
    *,
    seconds: float,
    num_train: int,
    num_val: int,
    pack_size: int,
    least: int = 5,
) -> tuple[Recipe, str]:
    """Shorten a recipe to `seconds`: fewer epochs first; below `least` of them, smaller pictures.

    A short cycle at a small size learns more than a shorter one at full size, because the anneal is what makes the
    accuracy. Returns the recipe and a sentence about what was done. Raises `UsageError` if not even one epoch fits.
    """

    def cost(candidate: Recipe) -> float:
        return costs.seconds(candidate, num_train=num_train, num_val=num_val, pack_size=pack_size)

    if cost(recipe) <= seconds:
        return recipe, f"{recipe.epochs} epochs should take {cost(recipe) / 60:.0f} minutes"
    sides = sorted({*(side for _, side in recipe.sizes)}) or [pack_size]
    for count in range(len(sides), 0, -1):
        # The ladder keeps its steps up to a largest side; the evaluation follows the last of them.
        ladder = tuple((part, min(side, sides[count - 1])) for part, side in recipe.sizes)
        epochs = bisect_right(
            range(1, recipe.epochs + 1),
            seconds,
            key=lambda epochs: cost(replace(recipe, epochs=epochs, sizes=ladder)),  # noqa: B023  used at once
        )
        if epochs >= (1 if count == 1 else least):
            shorter = replace(recipe, epochs=epochs, sizes=ladder)
            return shorter, (
                f"{recipe.epochs} epochs at up to {sides[-1]} px would take {cost(recipe) / 60:.0f} minutes here; to keep to "
                f"{seconds / 60:.0f}, the cycle has {shorter.epochs} epochs at up to {sides[count - 1]} px"
            )
    smallest = replace(recipe, epochs=1, sizes=tuple((part, sides[0]) for part, _ in recipe.sizes))
    raise UsageError(
        f"one epoch takes {cost(smallest) / 60:.0f} minutes on this machine, more than the {seconds / 60:.0f} that are left",
        place="--minutes",
        fix="allow more time or use less data",
    )


def _size_at(recipe: Recipe, part: float, pack_size: int) -> int:
    size = pack_size
    for start, side in recipe.sizes:
        if part + 1e-9 >= start:
            size = side
    return size
