"""What a training run does, as one complete value."""

import math
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any, get_args

from glauke.errors import UnknownNameError, UsageError
from glauke.images import Augmentation

AUTO = "auto"
PHASES = ("sizes", "batches")  # fields that are pairs of a part of the run and a whole number


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that decides the outcome, apart from the data, the seed and the hardware.

    Recipes are made by the functions of `glauke.training.recipes`; change one with `dataclasses.replace`. What a field
    is worth is told in docs/training.md; every default is the plain choice.
    """

    name: str
    """The recipe's name on the command line."""
    why: str
    """When it pays, in a sentence."""
    model: str = "resnet18"
    """A name in `glauke.models.MODELS`."""
    stem: str = "maxpool"
    """"full" for the reports' network, "maxpool" for the same parameters at a quarter of the cost."""
    zero_gamma: bool = False
    """Let each residual block begin as the identity: the scale of its last norm starts at 0 (Goyal et al., arXiv
    1706.02677, section 5.1). Pays with large batches and rates, whose first steps it steadies; costs nothing."""
    grow: float = 0.0
    """Train a shallow network, of one block a stage, in the epochs before this part of the run (counted as in `sizes`);
    the other blocks join as the identity (arXiv 1511.05641), at the latest in the last epoch. A shallow network learns
    faster and costs half (of ResNet-18): it pays where time allows a few epochs only. 0 trains the whole throughout."""
    epochs: int
    """Passes over the training pictures."""
    batch_size: int = 128
    """Pictures per step; the short last batch of an epoch is trained on too."""
    batches: tuple[tuple[float, int], ...] = ()
    """Pictures per step as (part, pictures), counted as in `sizes`; empty is `batch_size` throughout. A batch that
    grows late does what a falling rate does, in fewer steps (Smith et al., arXiv 1711.00489): it pays where a GPU
    is idle at `batch_size`, and not on CPUs, where a picture costs the same in any batch."""

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
    """Part of the epochs after which the rate is highest: 0.2 of 50 epochs is the end of epoch 10."""
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
    ema: float | None = None
    """Judge and keep a running average of the weights that keeps this share of itself at each step: 0.999 looks back
    about 1,000 steps. Pays where the rate is still high at the end of the run (a target, a time limit); a cycle that
    ends near 0 has averaged already. Costs one more copy of the weights and a pass over them each step."""

    pad: int = 4
    """Random shift in pixels, at the size of training; not used where `area` is given."""
    area: float | None = None
    """Crop a part of each picture, of this share of its area at least, and stretch it to the whole (Szegedy et al.,
    arXiv 1409.4842, section 6). Pays in runs of about 50 epochs and more; in short ones the network does not see enough
    whole pictures. None shifts by `pad` instead."""
    flip: bool = True
    """Mirror half of the pictures."""
    alternate: bool = False
    """Mirror each picture in every other epoch, at first at random, instead of by a new draw (Jordan, arXiv 2404.00498,
    section 3.6): two epochs then show both sides of every picture. Pays wherever `flip` does, and costs nothing."""
    trivial: bool = False
    """One random operation on colour or shape for each picture (TrivialAugment, arXiv 2103.10158). Pays against
    over-fitting, in runs of about 50 epochs and more; costs about as much as cropping."""
    cutout: int = 0
    """Side of the blanked square in pixels; 0 is none."""
    mixup: float = 0.0
    """Blend each picture with another of its batch, in shares from Beta(a, a) with this a (Zhang et al., arXiv
    1710.09412); 0 does not. 0.2 is usual. Pays in runs of 100 epochs and more, and where calibration matters."""
    cutmix: float = 0.0
    """Paste a rectangle of another picture over each, with an area from Beta(a, a) with this a (Yun et al., arXiv
    1905.04899); 0 does not. 1.0 is usual. Pays in runs of 100 epochs and more. With `mixup`, each picture draws one
    of the two."""
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
        _check_cycle(self)
        _check_pictures(self)
        for value, known, kind in (
            (self.anneal, ("linear", "cosine"), "anneal"),
            (self.lr_ramp, ("linear", "exponential"), "ramp"),
            (self.lr_rule, ("steepest", "minimum", "valley"), "rule"),
            (self.stem, ("full", "maxpool"), "stem"),
        ):
            if value not in known:
                raise UnknownNameError(value, kind=kind, known=known)

    @property
    def augmentation(self) -> Augmentation:
        """What happens to the training pictures."""
        return Augmentation(**{field.name: getattr(self, field.name) for field in fields(Augmentation)})

    def as_dict(self) -> dict[str, Any]:
        """All fields as plain values, for run.json and config.toml."""
        return asdict(self) | {name: [list(pair) for pair in getattr(self, name)] for name in PHASES}


def recipe_from_dict(values: dict[str, Any], *, place: str | None = None) -> Recipe:
    """Read back what `Recipe.as_dict` gave; unknown and missing keys are errors that name the nearest."""
    kinds = {field.name: field.type for field in fields(Recipe)}
    for key, value in values.items():
        if key not in kinds:
            raise UnknownNameError(key, kind="setting of a recipe", known=kinds)
        if key in PHASES:  # a list of pairs, which the recipe itself looks at
            continue
        fits = isinstance(value, _allowed(kinds[key])) and (type(value) is not bool or kinds[key] is bool)
        if not fits:
            raise UsageError(f"{key} must be of the kind {_name(kinds[key])}, not {value!r}", place=place)
    missing = [field.name for field in fields(Recipe) if field.default is MISSING and field.name not in values]
    if missing:
        raise UsageError(f"the recipe is not complete: {', '.join(missing)} missing", place=place)
    try:
        pairs = {name: tuple((float(part), int(n)) for part, n in values.get(name, ())) for name in PHASES}
        return Recipe(**{**values, **pairs})
    except (TypeError, ValueError) as error:
        raise UsageError(f"the recipe is not complete: {error}", place=place) from error


def _check_cycle(recipe: Recipe) -> None:
    _require(recipe.epochs >= 1, "--epochs", "must be at least 1", recipe.epochs)
    _require(0 <= recipe.grow <= 1, "grow", "must be a part of the run from 0 to 1", recipe.grow)
    _require(recipe.batch_size >= 2, "--batch-size", "must be at least 2, for batch norm", recipe.batch_size)
    _require(
        all(0 <= part <= 1 and pictures >= 2 for part, pictures in recipe.batches),
        "batches",
        "must be parts of the run in [0, 1] with at least 2 pictures",
        recipe.batches,
    )
    if recipe.max_lr != AUTO:
        _require(_positive(recipe.max_lr), "--max-lr", "must be a rate above 0, or auto", recipe.max_lr)
    _require(
        _positive(recipe.lr_from) and _positive(recipe.lr_to) and recipe.lr_from < recipe.lr_to,
        "--from/--to",
        "must be two rates above 0, the first below the second",
        f"{recipe.lr_from} and {recipe.lr_to}",
    )
    _require(recipe.lr_steps >= 2, "--steps", "must be at least 2", recipe.lr_steps)
    _require(0 <= recipe.peak <= 1, "peak", "must be a part of the run from 0 to 1", recipe.peak)
    _require(_positive(recipe.start_div) and recipe.start_div >= 1, "start_div", "must be 1 or more", recipe.start_div)
    _require(_positive(recipe.end_div), "end_div", "must be above 0", recipe.end_div)
    _require(0 <= recipe.momentum < 1, "momentum", "must lie in [0, 1)", recipe.momentum)
    _require(recipe.weight_decay >= 0, "--weight-decay", "must be 0 or more", recipe.weight_decay)
    _require(0 <= recipe.label_smoothing < 1, "--label-smoothing", "must lie in [0, 1)", recipe.label_smoothing)
    _require(recipe.clip is None or _positive(recipe.clip), "clip", "must be above 0", recipe.clip)
    if recipe.grow and recipe.ema is not None:
        raise UsageError(
            "an average of the weights would hold blocks that are half grown",
            place="grow/ema",
            fix="leave one of the two out",
        )
    _require(recipe.ema is None or 0 < recipe.ema < 1, "--ema", "must lie between 0 and 1, such as 0.999", recipe.ema)
    _require(recipe.minutes is None or _positive(recipe.minutes), "--minutes", "must be above 0", recipe.minutes)


def _check_pictures(recipe: Recipe) -> None:
    shifts = (recipe.pad, recipe.cutout)
    _require(min(shifts) >= 0, "pad/cutout", "must be 0 or more", shifts)
    _require(recipe.area is None or 0 < recipe.area <= 1, "area", "must be a share above 0, at most 1", recipe.area)
    for name in ("mixup", "cutmix"):
        alpha = getattr(recipe, name)
        _require(alpha == 0 or _positive(alpha), f"--{name}", "must be 0 or more", alpha)
    least = recipe.eval_pictures
    _require(least is None or least >= 1, "eval_pictures", "must be at least 1", least)
    _require(recipe.eval_size is None or recipe.eval_size >= 1, "eval_size", "must be at least 1", recipe.eval_size)
    _require(
        all(0 <= part <= 1 and side >= 8 for part, side in recipe.sizes),
        "--sizes",
        "must be parts of the run in [0, 1] with sides of at least 8 pixels",
        recipe.sizes,
    )


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
