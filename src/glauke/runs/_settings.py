"""What was chosen for a run, and in what several runs differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ._comparison import Compared, Setting
from ._fields import encode
from ._record import RunRecord


def flattened(values: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Names and values with mappings inside opened.

    >>> list(flattened({"epochs": 24, "augment": {"crop": 8}}))
    [('epochs', 24), ('augment.crop', 8)]
    """
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from flattened({str(key): item for key, item in value.items()}, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def settings_of(record: RunRecord) -> dict[str, object]:
    """Everything that was chosen or given for a run, by the name that a config file or the record has for it."""
    recipe = {name: value for name, value in record.recipe.items() if name not in ("name", "why")}
    machine = {name: value for name, value in encode(record.hardware).items() if name != "extra"}
    chosen = {
        "recipe": record.recipe.get("name"),
        **{"model": record.model, "stem": record.stem},
        **recipe,
        "peak_lr": record.max_lr,
        "epochs": record.epochs,
        "steps": record.steps,
        "seed": record.seed,
        "tta": record.extra.get("mirror"),
        "deterministic": record.extra.get("deterministic"),
        "data": record.data.name,
        "pictures": record.data.pictures,
        "classes": record.data.classes,
        "size": record.data.size,
        "data_fingerprint": record.data.fingerprint[:12],
        "split": record.split.kind,
        "split_seed": record.split.seed,
        "val_fraction": record.split.val_fraction,
        "train_pictures": record.split.train,
        "val_pictures": record.split.val,
        "split_fingerprint": record.split.fingerprint[:12],
        "device": record.device,
        "precision": record.precision,
        **machine,
        "glauke": record.glauke,
        "git": record.git,
        "python": record.python,
        "torch": record.torch,
    }
    return dict(flattened(chosen))


def settings_apart(runs: Sequence[Compared]) -> Iterator[Setting]:
    """Settings with more than one value; what a record of another version does not have counts as switched off."""
    chosen = [settings_of(run.record) for run in runs]
    if all(settings["peak_lr"] == settings.get("max_lr") for settings in chosen):
        for settings in chosen:
            del settings["peak_lr"]  # given to all, so that it says the same as max_lr
    for name in dict.fromkeys(name for settings in chosen for name in settings):
        values = [settings.get(name) for settings in chosen]
        has_it = [name in settings for settings in chosen]
        off = not all(has_it) and not any(values)
        if not off and any(value != values[0] or type(value) is not type(values[0]) for value in values[1:]):
            yield Setting(name=name, values=tuple(values))
