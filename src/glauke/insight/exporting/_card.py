"""The card of an exported model: what it is, what it was measured on, and what it is not good for.

The form is that of the model cards of Mitchell et al. ("Model Cards for Model Reporting", 2019, arXiv 1810.03993), with
the YAML header that model hubs read. Every number is the run record's, or the export's own check.
"""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from glauke.errors import DataError
from glauke.files import read_csv
from glauke.runs import RunRecord, Score
from glauke.training import make_plan, recipe_from_dict

from .._trained import Trained
from ..numbers._confusion import ClassScore, Confusion, per_class, worst_classes
from ._export_check import Agreement

WEAKEST = 5
"""How many of the classes that are recognised worst a card names."""

_NEEDS = {
    "onnx": "onnxruntime, Pillow and NumPy",
    "pt2": "torch, Pillow and NumPy",
    "safetensors": "glauke, which knows the network that the weights are for (and brings torch, Pillow and NumPy)",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Card:
    """What a card is written from."""

    record: RunRecord
    trained: Trained
    kind: str
    agreement: Agreement
    weakest: tuple[ClassScore, ...] = ()
    """The classes that were recognised worst, the worst first; empty where nobody looked at these very weights."""

    @property
    def score(self) -> Score | None:
        """How these weights were judged; None for those of a run that has not ended."""
        return self.record.best if self.trained.file.name == "best.safetensors" else self.record.final

    @property
    def top5(self) -> float | None:
        """Share of the pictures with their class among the first five; None where there are no more than five."""
        return self.score.val_top5 if self.score is not None and len(self.trained.classes) > 5 else None


def model_card(card: Card) -> str:
    """The card as Markdown with a YAML header; the licence is left to whoever publishes the model."""
    record, trained = card.record, card.trained
    parts = [
        _header(card),
        f"# {_plain(trained.name)} on {_plain(record.data.name)}\n",
        f"An image classifier for {len(trained.classes):,} classes, trained with glauke {_plain(record.glauke)}.\n",
        _measured(card),
        _use(card),
        _limits(card),
        _training(card),
        _exported(card),
    ]
    return "\n".join(parts)


def weakest_classes(predictions: Path, trained: Trained, *, count: int = WEAKEST) -> tuple[ClassScore, ...]:
    """The classes with the lowest recall in a run's predictions.csv, as `worst_classes` orders them.

    Raises:
        DataError: the table is missing, is damaged, or has other classes than the network.
    """
    header, rows = read_csv(predictions)
    if not {"label", "predicted"} <= set(header):
        raise DataError("the columns label and predicted are missing", place=str(predictions))
    label, predicted = header.index("label"), header.index("predicted")
    place = {each: index for index, each in enumerate(trained.classes)}
    matrix = np.zeros((len(place), len(place)), np.int64)
    try:
        for row in rows:
            matrix[place[row[label]], place[row[predicted]]] += 1
    except KeyError as error:
        raise DataError("the table has classes that the network does not know", place=str(predictions)) from error
    return worst_classes(per_class(Confusion(matrix=matrix, classes=trained.classes, readable=trained.readable)), count)


def _header(card: Card) -> str:
    record, score = card.record, card.score
    lines = [
        "---",
        "# license: yours to choose before you publish; mind the terms of the pictures it was trained on",
        "library_name: glauke",
        "pipeline_tag: image-classification",
        "tags:",
        *(f"- {_quoted(tag)}" for tag in ("image-classification", "vision", card.kind, card.trained.name)),
        "datasets:",
        f"- {_quoted(record.data.name)}",
        "metrics:",
        "- accuracy",
    ]
    if score is not None:
        lines += [
            "model-index:",
            f"- name: {_quoted(f'{card.trained.name} on {record.data.name}')}",
            "  results:",
            "  - task:",
            "      type: image-classification",
            "    dataset:",
            f"      name: {_quoted(record.data.name)}",
            f"      type: {_quoted(record.data.name)}",
            f"      split: {_quoted(_split(record))}",
            "    metrics:",
            "    - type: accuracy",
            f"      value: {score.val_accuracy!r}",
        ]
        if card.top5 is not None:
            lines += ["    - type: accuracy", "      name: top-5 accuracy", f"      value: {card.top5!r}"]
    return "\n".join([*lines, "---", ""])


def _measured(card: Card) -> str:
    record, score = card.record, card.score
    lines = ["## What was measured\n"]
    if score is None:
        return "\n".join(
            [*lines, "Nothing yet: the run has not ended, and its held-out pictures were not all judged.\n"]
        )
    lines += ["| what | value |", "| --- | --- |", f"| accuracy | {score.val_accuracy:.2%} |"]
    if card.top5 is not None:
        lines.append(f"| top-5 accuracy | {card.top5:.2%} |")
    lines += [
        f"| cross-entropy, in nats | {score.val_loss:.4f} |",
        f"| held-out pictures | {score.val_pictures:,} of {record.split.val:,} |",
        f"| data | {_plain(record.data.name)}, {record.data.pictures:,} pictures in {record.data.classes:,} classes |",
        f"| split | {_plain(_split(record))}, seed {record.split.seed} |",
        f"| fingerprint of the pictures | `{record.data.fingerprint}` |",
        f"| fingerprint of the split | `{record.split.fingerprint}` |",
        "\nWithout test-time augmentation.",
    ]
    if card.trained.file.name == "best.safetensors":
        lines.append(
            f"These are the weights after epoch {score.epoch}, which was chosen by these same held-out pictures: on "
            "new ones expect a little less."
        )
    return "\n".join([*lines, ""])


def _use(card: Card) -> str:
    return (
        "## How to use it\n\n"
        "```sh\npython predict.py picture.jpg\n```\n\n"
        f"prints the five most probable classes. The script needs {_NEEDS[card.kind]}. `model.json` says what the "
        f"network's input is: {card.trained.channels} channels at {card.trained.size} px; `labels.json` holds the "
        "names of the classes in the order of its output.\n\n"
        f"It is meant for pictures like those of {_plain(card.record.data.name)}, each of which shows one of its "
        "classes.\n"
    )


def _limits(card: Card) -> str:
    record, trained = card.record, card.trained
    lines = [
        "## What it is not good for\n",
        f"- It knows its {len(trained.classes):,} classes and nothing else: any picture is given one of them, and a "
        "picture of something else may be given it with confidence.",
        f"- It has seen pictures of {_plain(record.data.name)} alone. On others (another camera, another scale, "
        "drawings) the accuracy above does not hold; measure it on your own.",
        f"- Every picture is cut to the square in its middle and seen at {trained.size} x {trained.size} pixels; what "
        "is small or at the border is lost.",
        "- The probabilities are the network's own and were not calibrated.",
    ]
    if card.weakest:
        lines.append("- These classes were recognised worst among the held-out pictures:\n")
        lines += ["| class | accuracy | pictures | most often taken for |", "| --- | --- | --- | --- |"]
        for each in card.weakest:
            other = "" if each.taken_for is None else _plain(trained.readable[each.taken_for])
            lines.append(f"| {_plain(each.name)} | {each.hits / each.count:.1%} | {each.count:,} | {other} |")
    return "\n".join([*lines, ""])


def _training(card: Card) -> str:
    record = card.record
    recipe = recipe_from_dict(dict(record.recipe))
    plan = make_plan(recipe, num_pictures=record.split.train, pack_size=record.data.size)
    augmentation = [n if v is True else f"{n} {v}" for n, v in asdict(recipe.augmentation).items() if v]
    rate = "" if record.max_lr is None else f"; peak rate {record.max_lr:.4g} ({_plain(record.max_lr_rule or '')})"
    facts = {
        "network": f"{record.model}, {record.stem} stem, {record.parameters:,} parameters",
        "recipe": recipe.name,
        "cycle": f"One Cycle, {record.epochs} epochs of {record.steps_per_epoch:,} steps{rate}",
        "stopped": (
            f"at its target accuracy, after epoch {record.final.epoch} of the {record.epochs} planned"
            if record.status == "stopped" and record.final
            else None
        ),
        "sizes": f"{', '.join(map(str, dict.fromkeys(plan.sizes)))} px",
        "augmentation": ", ".join(augmentation) or "none",
        "batch size": ", ".join(map(str, dict.fromkeys(plan.batch_sizes))),
        "weight decay": recipe.weight_decay,
        "label smoothing": recipe.label_smoothing,
        "training pictures": f"{record.split.train:,}",
        "seed": record.seed,
        "numbers": f"{record.precision} on {record.hardware.gpu or record.hardware.cpu}",
        "time": f"{record.seconds / 60:.1f} minutes" if record.final else None,
        "glauke, torch, Python": f"{record.glauke}, {record.torch}, {record.python}",
    }
    rows = [f"| {what} | {_plain(str(value))} |" for what, value in facts.items() if value is not None]
    return "\n".join(["## How it was trained\n", "| what | value |", "| --- | --- |", *rows, ""])


def _exported(card: Card) -> str:
    return (
        "## How the file was checked\n\n"
        f"It was opened again and compared with the original network: {card.agreement.sentence()}. "
        "`export.json` has the details.\n"
    )


def _split(record: RunRecord) -> str:
    return f"{record.split.kind}, {record.split.val:,} of {record.split.train + record.split.val:,} held out"


def _quoted(text: str) -> str:
    """A JSON string, which YAML reads as the same text."""
    return json.dumps(text, ensure_ascii=False)


def _plain(text: str) -> str:
    """Text that Markdown shows as it is, on one line, also in a table."""
    return re.sub(r"([\\`*_\[\]<>|#~$])", r"\\\1", " ".join(text.split()))
