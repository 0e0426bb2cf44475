"""`glauke lr`."""

from typing import Annotated, Literal

from cyclopts import Parameter

from glauke.options import TrainOptions

from ._output import say, show, show_json
from ._screen import Screen
from ._train import Options, Switch


def lr(
    data: str,
    /,
    *,
    start: Annotated[float | None, Parameter(name="--from")] = None,
    end: Annotated[float | None, Parameter(name="--to")] = None,
    steps: int | None = None,
    ramp: Literal["linear", "exponential"] | None = None,
    rule: Literal["steepest", "minimum", "valley"] | None = None,
    options: Options = TrainOptions(),  # noqa: B008  it is frozen
    json: Switch = False,
) -> int:
    """Run the LR range test alone: the rate rises step by step until the loss diverges or the ramp ends.

    Parameters
    ----------
    data
        A name or a path, as for train.
    start
        Rate of the first step.
    end
        Rate of the last step.
    steps
        Number of steps.
    ramp
        linear as in the reports, or exponential.
    rule
        The rule whose suggestion is the answer; all are shown.
    json
        Print the curve and every suggestion as one JSON object.
    """
    from glauke.jobs import training

    from ._progress import ProgressView

    given = {"lr_from": start, "lr_to": end, "lr_steps": steps, "lr_ramp": ramp, "lr_rule": rule}
    changes = {name: value for name, value in given.items() if value is not None}
    with Screen() as screen:
        done = training.range_test(data, options, changes=changes, watch=ProgressView(screen))
    test, chosen = done.test, done.test.suggest(done.recipe.lr_rule)
    suggestions = test.suggestions()
    if json:
        show_json(
            {
                "ramp": test.ramp,
                "ended": test.ended,
                "rates": test.rates,
                "losses": test.losses,
                "accuracies": test.accuracies,
                "rule": chosen.rule,
                "rate": chosen.rate,
                "reason": chosen.reason,
                "suggestions": {
                    name: {"rate": s.rate, "reason": s.reason, "estimates": s.estimates}
                    for name, s in suggestions.items()
                },
                "folder": str(done.folder),
            }
        )
        return 0
    say(f"{len(test.rates)} of {test.num_steps} steps, {test.ramp} ramp: {test.ended}")
    for name, suggestion in suggestions.items():
        rate = "none" if suggestion.rate is None else f"{suggestion.rate:.4g}"
        mark = "*" if name == chosen.rule else " "
        say(f"{mark} {name:9} {rate:>9}  {suggestion.reason}")
    say(f"plot: {done.folder / 'plots' / 'range_test.png'}")
    show("none" if chosen.rate is None else f"{chosen.rate:.4g}")
    return 0
