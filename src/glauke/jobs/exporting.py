"""The commands that take a trained network out of its run: as a file for others, and to pictures of a person's own."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from glauke import images, insight, runs, training
from glauke.errors import DataError, UsageError
from glauke.files import own_folder
from glauke.images import Pack
from glauke.insight import Agreement, ExportKind, FilePrediction, Shown, Trained
from glauke.runs import RunRecord
from glauke.training import Stage, Watch

from ._packs import cached_pack

Weights = Literal["final", "best"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """An export that may be used."""

    folder: Path
    agreement: Agreement
    """With the original network, on pictures."""
    notes: tuple[str, ...]


def export(
    run: Path,
    *,
    kind: ExportKind,
    weights: Weights = "final",
    out: Path | None = None,
    pictures: int = 1000,
    opset: int | None = None,
    watch: Watch = training.unwatched,
) -> Exported:
    """Write the network of a run as a file, with all that is needed to use it, and compare it with the original.

    Raises:
        UsageError: a package is missing, or `out` (the run's export-<kind> if it is None) holds something else.
        CannotGoOnError: the file does not say what the network says; nothing is left of it.
    """
    if pictures < 1:
        raise UsageError(f"at least 1 picture must be compared, not {pictures}", place="--pictures")
    insight.require_export(kind, opset=opset)
    record = runs.read(run)
    run = record.folder or run
    pack = cached_pack(record.extra.get("pack"))
    trained = _with_facts(insight.load_trained(run, weights=weights), record, pack)
    notes = [] if record.final else ["this run has not ended: the card holds no accuracy of it"]
    if pack is None:
        notes.append(
            "the pictures of this run are not in the cache any more: compared on made pictures of noise, and it could "
            "not be seen whether these are the weights that the record's accuracy was measured on"
        )
        shown = insight.noise_pictures(trained, count=pictures)
    else:
        shown = insight.held_out_pictures(trained, pack, images.load_split(run / "split.npz", pack).val, count=pictures)
    weakest = ()
    if record.final and record.best and (weights == "final" or record.best.epoch == record.final.epoch):
        try:
            weakest = insight.weakest_classes(run / "predictions.csv", trained)
        except DataError as error:
            notes.append(f"the card names no classes that were recognised worst: {error}")
    folder = out or run / f"export-{kind}"
    with own_folder(folder, record=insight.EXPORT, what="an export") as fresh:
        found = insight.export(
            trained, record, fresh, kind=kind, shown=_told(shown, watch), opset=opset, weakest=weakest
        )
    return Exported(folder=folder, agreement=found, notes=tuple(notes))


def predict(
    model: Path,
    pictures: Sequence[Path],
    *,
    top: int = 5,
    weights: Weights | None = None,
    device: str = "auto",
    csv: Path | None = None,
    watch: Watch = training.unwatched,
) -> list[FilePrediction]:
    """Say what each picture shows to the network of a run, an exported safetensors folder or a weights file.

    The answers are written to `csv` too, in the place of nothing but an earlier table of this kind.

    Raises:
        DataError: there is no network, or the folders hold no pictures.
        UsageError: weights to choose from where there is one file, a device that is not there, or a `csv` that is
            something else; it is looked at before the pictures.
    """
    if csv is not None:
        insight.require_prediction_table(csv)
    if not pictures:
        raise UsageError(
            "there are no pictures to look at", fix=f"name them: glauke predict {shlex.quote(str(model))} picture.jpg"
        )
    chosen = training.choose_device(device)
    if model.name == "run.json":
        model = model.parent  # whatever takes a run takes its record too
    trained = insight.load_trained(model, weights=weights or "final", device=chosen)
    if (model / "run.json").is_file():
        record = runs.read(model)
        trained = _with_facts(trained, record, cached_pack(record.extra.get("pack")))
    elif weights is not None:
        raise UsageError("there is one file of weights here, and none to choose from", place="--weights")
    predictions = []
    for prediction in insight.predict_files(trained, pictures, top=top):
        predictions.append(prediction)
        watch(Stage(name="predict", done=len(predictions), total=None))
    if not predictions:
        raise DataError("no file here is called a picture", place=", ".join(map(str, pictures)))
    if csv is not None:
        insight.write_file_predictions(csv, predictions)
    return predictions


def _with_facts(trained: Trained, record: RunRecord, pack: Pack | None) -> Trained:
    """Add what weights of the first releases do not say by themselves: the pack's size and names for people."""
    trained = replace(trained, pack_size=trained.pack_size or record.data.size)
    if pack is None or pack.classes != trained.classes or trained.readable != trained.classes:
        return trained
    return replace(trained, readable=pack.readable)


def _told(shown: Shown, watch: Watch) -> Shown:
    def batches():
        done = 0
        for images_ in shown.batches:
            yield images_
            done += len(images_)
            watch(Stage(name="comparison", done=done, total=len(shown.names)))

    return replace(shown, batches=batches())
