"""What happens before the first step: the cycle fitted to the time at hand, and the peak rate from the range test."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch import nn

from glauke.models import in_form

from .._events import Note, Stage, Watch
from .._plan import Costs, fit_to_time, ladder
from .._recipe import AUTO, Recipe
from ..rates._preserved import preserved
from ..rates._range_run import range_test
from ..rates._range_test import RangeTest, Suggestion
from ._loop import make_objective, train_step
from ._optimizer import make_optimizer
from ._setting import Setting
from ._step import classification

FALLBACK_LR = 0.05  # for SGD with momentum 0.9 to 0.95 and batch norm: far below where such networks diverge
PROBE_LR = 1e-4  # measuring and range tests begin from weights that one step at this rate hardly moves


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """The peak rate of the cycle and where it came from."""

    rate: float
    rule: str
    """"given", "fallback", or the rule of the range test."""
    reason: str
    test: RangeTest | None


def fitted(
    setting: Setting, model: nn.Module, *, seconds_spent: float, may_grow: bool, watch: Watch
) -> tuple[Recipe, str]:
    """Shorten the recipe to its `minutes`, by the clock of a few real steps; the model is left as it was.

    `may_grow` allows a shallow network at first, which makes a part of the first weights zero.
    """
    recipe = setting.recipe
    assert recipe.minutes is not None
    costs = measured(setting, model, ladder(recipe, setting.pack.size, may_grow=may_grow), watch)
    num_train, num_val = len(setting.split.train), len(setting.split.val)
    left = 60 * recipe.minutes - seconds_spent
    if recipe.max_lr == AUTO:
        left -= recipe.lr_steps * costs.of(setting.plan, epoch=0)
    shorter, sentence = fit_to_time(
        recipe,
        costs,
        seconds=left,
        num_train=num_train,
        num_val=num_val,
        pack_size=setting.pack.size,
        may_grow=may_grow,
    )
    return replace(shorter, minutes=None), sentence


def find_peak(setting: Setting, model: nn.Module, *, watch: Watch) -> Peak:
    """Take the peak rate from the recipe, or from a range test under the recipe's own conditions.

    Where the recipe's rule finds nothing safe, the other rules are asked, then a cautious constant is taken; the reason
    says so.
    """
    recipe = setting.recipe
    if recipe.max_lr != AUTO:
        return Peak(
            rate=float(recipe.max_lr),
            rule="given",
            reason="given by the recipe or on the command line",
            test=None,
        )
    return peak_of(test_range(setting, model, watch=watch), rule=recipe.lr_rule, fallback=FALLBACK_LR)


def peak_of(test: RangeTest, *, rule: str, fallback: float) -> Peak:
    """Read a peak rate from a range test: by the rule, else by another, else the fallback; the reason says so."""
    first = test.suggest(rule)
    for other in (rule, "valley", "minimum"):
        found = test.suggest(other)
        if found.rate is not None:
            return Peak(rate=found.rate, rule=other, reason=_reason(first, found), test=test)
    return Peak(
        rate=fallback,
        rule="fallback",
        reason=f"{first.reason}; no other rule found a safe rate either, so the cautious {fallback} is taken",
        test=test,
    )


def test_range(setting: Setting, model: nn.Module, *, watch: Watch) -> RangeTest:
    """Run the range test with the recipe's loss, augmentation, precision, batch size and first picture size."""
    recipe = setting.recipe
    done = iter(range(1, recipe.lr_steps + 1))

    def told(logits, labels):  # the objective is computed once a step, so counting it counts the steps
        watch(Stage(name="range test", done=next(done, recipe.lr_steps), total=recipe.lr_steps))
        return objective(logits, labels)

    objective = make_objective(recipe.label_smoothing)
    return range_test(
        model,
        setting.train_batches(setting.plan.sizes[0]),
        make_optimizer(model, recipe, lr=recipe.lr_from),
        told,
        start=recipe.lr_from,
        end=recipe.lr_to,
        num_steps=recipe.lr_steps,
        ramp=recipe.lr_ramp,
        autocast=setting.precision.autocast,
        clip=recipe.clip,
        scaler=setting.precision.scaler(),
    )


def _reason(first: Suggestion, found: Suggestion) -> str:
    return found.reason if first is found or first.rule == found.rule else f"{first.reason}; instead: {found.reason}"


def measured(setting: Setting, model: nn.Module, rungs: Sequence[Recipe], watch: Watch) -> Costs:
    """Time a step with its batch in each form that a rung may need, the second of two: the first prepares the kernels.

    Fewer epochs have other sizes shallow, so every side of a rung that grows is timed in both forms.
    """
    recipe = setting.recipe
    forms = {(recipe.eval_size or setting.plan.eval_size, False)}
    for rung in rungs:
        sides = {side for _, side in rung.sizes}
        if not rung.sizes or rung.sizes[0][0] > 0:  # until the first phase begins, pictures have the pack's size
            sides.add(setting.pack.size)
        forms |= {(side, thin) for side in sides for thin in ({False, True} if rung.grow else {False})}
    optimizer, scaler = make_optimizer(model, recipe, lr=PROBE_LR), setting.precision.scaler()
    compute = classification(make_objective(recipe.label_smoothing))
    few = replace(setting, split=replace(setting.split, train=np.resize(setting.split.train, 2 * recipe.batch_size)))
    seconds: dict[tuple[int, bool], float] = {}
    with preserved(model, optimizer):
        for done, (side, thin) in enumerate(sorted(forms)):
            watch(Stage(name="measuring", done=done, total=len(forms)))
            with in_form(model, shallow=thin):
                start = time.perf_counter()
                for batch in few.train_batches(side):
                    train_step(
                        model,
                        batch,
                        optimizer,
                        compute=compute,
                        precision=setting.precision,
                        scaler=scaler,
                        clip=recipe.clip,
                    )
                    if setting.device.type == "cuda":
                        _wait(model)
                    seconds[side, thin], start = time.perf_counter() - start, time.perf_counter()
    watch(Stage(name="measuring", done=len(forms), total=len(forms)))
    told = (f"{s:.2f} at {side} px{' shallow' if thin else ''}" for (side, thin), s in seconds.items())
    watch(Note(f"seconds a step: {', '.join(told)}"))
    return Costs(
        seconds_per_step={side: s for (side, thin), s in seconds.items() if not thin},
        shallow={side: s for (side, thin), s in seconds.items() if thin},
    )


def _wait(model: nn.Module) -> None:
    next(model.parameters()).sum().item()
