"""What a training run does, as one complete value."""

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, get_args

from glauke.errors import UnknownNameError, UsageError

AUTO = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that decides the outcome, apart from the data, the seed and the hardware.

    Recipes are made by the functions of `glauke.training.recipes`; change one with `dataclasses.replace`.
    """

    name: str
    """The recipe's name on the command line."""
    why: str
    """When it pays, in a sentence."""
    model: str = "resnet18"
    """A name in `glauke.models.MODELS`."""
    stem: str = "maxpool"
    """"full" for the reports' network, "maxpool" for the same parameters at a quarter of the cost."""
    epochs: int
    """Passes over the training pictures."""
    batch_size: int = 128
    """Pictures per step; the short last batch of an epoch is trained on too."""

    max_lr: float | str = AUTO
    """Rate at the peak of the cycle, or "auto" to take it from the LR range test."""
    lr_rule: str = "steepest"
    """The rule by which the range test suggests the peak: "steepest", "minimum" or "valley"."""
    lr_from: float = 1e-4
    """Where the range test begins."""
    lr_to: float = 1.0
    """Where the range test ends."""
    lr_steps: int = 100
    """Iterations of the range test."""
    lr_ramp: str = "linear"
    """"linear" as in the reports and in Smith's paper, or "exponential"."""

    peak: float = 0.2
    """Part of the run after which the rate is highest: 0.2 of 50 epochs is the end of epoch 10."""
    anneal: str = "linear"
    """"linear" or "cosine", both ways."""
    start_div: float = 25.0
    """The cycle starts at max_lr / start_div."""
    end_div: float = 1e4
    """The cycle ends at its starting rate / end_div."""

    momentum: float = 0.9
    """Momentum of SGD, or its highest value where it is cycled."""
    momentum_low: float | None = None
    """Momentum at the peak of the rate, cycled inversely to it (Smith, arXiv 1803.09820); None keeps it constant."""
    nesterov: bool = True
    """Nesterov's form of momentum."""
    weight_decay: float = 5e-4
    """Decay of the convolutions' and the last layer's weights; norms and biases have none."""
    label_smoothing: float = 0.1
    """Share of each label spread evenly over all classes."""
    clip: float | None = None
    """Largest norm of the gradient; None does not clip."""

    pad: int = 4
    """Random shift in pixels, at the size of training."""
    flip: bool = True
    """Mirror half of the pictures."""
    cutout: int = 0
    """Side of the blanked square in pixels; 0 is none."""
    sizes: tuple[tuple[float, int], ...] = ()
    """Side of the training pictures as (part, pixels): that many pixels from that part of the epochs on, where the
    first epoch is part 0 and the last is part 1; empty trains at the pack's size."""
    eval_size: int | None = None
    """Side of the pictures in evaluation; None is the last training size."""
    eval_pictures: int | None = None
    """How many held-out pictures the curve uses between epochs; None is all. After the last epoch all are used."""
    minutes: float | None = None
    """Shorten the cycle so that the run fits into this time on the machine at hand; None never shortens."""

    def __post_init__(self) -> None:
        """Refuse values that no run can use, naming each with its option."""
        _require(self.epochs >= 1, "--epochs", "must be at least 1", self.epochs)
        _require(self.batch_size >= 2, "--batch-size", "must be at least 2, for batch norm", self.batch_size)
        if self.max_lr != AUTO:
            _require(_positive(self.max_lr), "--max-lr", "must be a rate above 0, or auto", self.max_lr)
        _require(
            _positive(self.lr_from) and _positive(self.lr_to) and self.lr_from < self.lr_to,
            "--from/--to",
            "must be two rates above 0, the first below the second",
            f"{self.lr_from} and {self.lr_to}",
        )
        _require(self.lr_steps >= 2, "--steps", "must be at least 2", self.lr_steps)
        _require(0 <= self.peak <= 1, "peak", "must be a part of the run from 0 to 1", self.peak)
        _require(_positive(self.start_div) and self.start_div >= 1, "start_div", "must be 1 or more", self.start_div)
        _require(_positive(self.end_div), "end_div", "must be above 0", self.end_div)
        _require(0 <= self.momentum < 1, "momentum", "must lie in [0, 1)", self.momentum)
        _require(self.weight_decay >= 0, "weight_decay", "must be 0 or more", self.weight_decay)
        _require(0 <= self.label_smoothing < 1, "label_smoothing", "must lie in [0, 1)", self.label_smoothing)
        _require(self.clip is None or _positive(self.clip), "clip", "must be above 0", self.clip)
        _require(min(self.pad, self.cutout) >= 0, "pad/cutout", "must be 0 or more", (self.pad, self.cutout))
        _require(self.minutes is None or _positive(self.minutes), "--minutes", "must be above 0", self.minutes)
        _require(
            self.eval_pictures is None or self.eval_pictures >= 1,
            "eval_pictures",
            "must be at least 1",
            self.eval_pictures,
        )
        _require(self.eval_size is None or self.eval_size >= 1, "eval_size", "must be at least 1", self.eval_size)
        _require(
            all(0 <= part <= 1 and side >= 8 for part, side in self.sizes),
            "sizes",
            "must be parts of the run in [0, 1] with sides of at least 8 pixels",
            self.sizes,
        )
        for value, known, kind in (
            (self.anneal, ("linear", "cosine"), "anneal"),
            (self.lr_ramp, ("linear", "exponential"), "ramp"),
            (self.lr_rule, ("steepest", "minimum", "valley"), "rule"),
            (self.stem, ("full", "maxpool"), "stem"),
        ):
            if value not in known:
                raise UnknownNameError(value, kind=kind, known=known)

    def as_dict(self) -> dict[str, Any]:
        """All fields as plain values, for run.json and config.toml."""
        values = asdict(self)
        values["sizes"] = [list(pair) for pair in self.sizes]
        return values


def recipe_from_dict(values: dict[str, Any], *, place: str | None = None) -> Recipe:
    """Read back what `Recipe.as_dict` gave; unknown and missing keys are errors that name the nearest."""
    kinds = {field.name: field.type for field in fields(Recipe)}
    for key, value in values.items():
        if key not in kinds:
            raise UnknownNameError(key, kind="setting of a recipe", known=kinds)
        if key == "sizes":  # a list of pairs, which the recipe itself looks at
            continue
        fits = isinstance(value, _allowed(kinds[key])) and (type(value) is not bool or kinds[key] is bool)
        if not fits:
            raise UsageError(f"{key} must be of the kind {_name(kinds[key])}, not {value!r}", place=place)
    values = dict(values)
    try:
        values["sizes"] = tuple((float(part), int(side)) for part, side in values.get("sizes", ()))
        return Recipe(**values)
    except (TypeError, ValueError) as error:
        raise UsageError(f"the recipe is not complete: {error}", place=place) from error


def _allowed(kind: Any) -> Any:
    # A whole number is a number, as in TOML's `minutes = 30`.
    return kind | int if kind is float or float in get_args(kind) else kind


def _name(kind: Any) -> str:
    return " or ".join(getattr(each, "__name__", str(each)) for each in get_args(kind) or (kind,))


def _positive(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and value > 0


def _require(holds: bool, place: str, rule: str, value: object) -> None:
    if not holds:
        raise UsageError(f"{rule}, not {value}", place=place)
