"""The command that explains where a trained network errs: predicted again, computed, drawn, written."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from glauke import images, insight, pages, runs, training
from glauke.errors import DataError, InputError, UsageError
from glauke.files import files_in, own_folder, write_json, write_text
from glauke.images import Pack
from glauke.insight import Explanation, Mistake, Trained
from glauke.pages import Looked
from glauke.runs import RunRecord
from glauke.training import Note, Stage, Watch

from ._explained_files import PAGE, RECORD, TOLD, maps_of, pictures_of, save_figures, write_tables
from ._packs import pack_of_run

MOST_ERRORS = 200
LOOKED_AT = 8
"""Mistakes with Grad-CAM on the page."""
DRIFT = 0.002  # of the accuracy; more is another machine's rounding no longer


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Explained:
    """What was found, and where it was written."""

    folder: Path
    page: Path
    explanation: Explanation
    weights: str
    layer: str | None
    """Of Grad-CAM; None where there was no mistake to look at."""
    notes: tuple[str, ...]


def explain(
    run: Path,
    *,
    data: str | None = None,
    source: Path | None = None,
    weights: Literal["final", "best"] = "final",
    errors: int = 24,
    layer: str | None = None,
    out: Path | None = None,
    device: str = "auto",
    command: str = "",
    watch: Watch = training.unwatched,
) -> Explained:
    """Ask a run's network about its held-out pictures again, and write what it gets wrong, in a page and in tables.

    The pictures come from the cache, else from `data` and `source` as for training. `errors` mistakes stand in each
    gallery. Nothing is written but `out` (the run's `explain` folder if it is None), where an earlier explanation is
    replaced and anything else refused.

    Raises:
        DataError: no run, no such weights, pictures that are not there or are others than the run's.
        UsageError: `errors` outside 1 to 200, an `out` that holds other files, or a layer without maps.
        UnknownNameError: no such layer, or device.
        CannotGoOnError: nothing can be written there; known before the predicting.
    """
    if not 1 <= errors <= MOST_ERRORS:
        raise UsageError(f"a gallery holds 1 to {MOST_ERRORS} mistakes, not {errors}", place="--errors")
    record = runs.read(run)
    run = record.folder or run
    folder = out or run / "explain"
    with own_folder(folder, record=RECORD, what="an explanation") as fresh:
        trained = _trained(run, weights, device)
        if layer is not None:
            _refuse_unknown(layer, trained)
        pack = pack_of_run(
            record.extra.get("pack"),
            record.extra.get("size"),
            run=run,
            data=data or (record.data.name if source else None),
            source=source,
            again=f"glauke explain {shlex.quote(str(run))} DATA",
            watch=watch,
        )
        split = images.load_split(run / "split.npz", pack)
        same_kind = trained.device.type == record.device.partition(":")[0]
        predictions = insight.predict(
            trained,
            pack,
            split.val,
            precision=record.precision if same_kind else "auto",
            watch=lambda done, total: watch(Stage(name="predict", done=done, total=total)),
        )
        found = insight.explain(predictions, surest=errors)
        notes = [*_drift(record, weights, found), *_chosen_here(record, weights)]
        looked = None
        try:
            looked = _looked(trained, pack, found.surest[:LOOKED_AT], layer=layer)
        except InputError as error:  # a network without maps to look at has its errors explained all the same
            notes.append(f"no Grad-CAM: {error.message}")
        for note in notes:
            watch(Note(note))
        write_tables(found, pack, fresh, shown=errors)
        page = pages.explain_page(
            record,
            found,
            weights=weights,
            pictures=pictures_of(found, pack, shown=errors),
            looked=looked,
            figures=save_figures(found, fresh),
            files={name: told for name, told in TOLD.items() if (fresh / name).exists()},
            shown=errors,
            notes=notes,
            command=command,
        )
        write_text(fresh / PAGE, page)
        write_json(fresh / RECORD, {"run": record.name, "weights": weights, "files": files_in(fresh, record=RECORD)})
    return Explained(
        folder=folder,
        page=folder / PAGE,
        explanation=found,
        weights=weights,
        layer=None if looked is None else looked.layer,
        notes=tuple(notes),
    )


def _trained(run: Path, weights: Literal["final", "best"], device: str) -> Trained:
    chosen = training.choose_device(device)
    other = "best" if weights == "final" else "final"
    if not (run / f"{weights}.safetensors").is_file() and (run / f"{other}.safetensors").is_file():
        raise DataError(
            f"this run has no {weights} weights", place=str(run), fix=f"give --weights {other}, or finish the run"
        )
    return insight.load_trained(run, weights=weights, device=chosen)


def _refuse_unknown(layer: str, trained: Trained) -> None:
    """Raise what Grad-CAM would, before minutes of predicting."""
    black = torch.zeros((1, trained.channels, trained.size, trained.size), device=trained.device)
    insight.grad_cam(trained.model, black, [0], layer=layer)


def _drift(record: RunRecord, weights: str, found: Explanation) -> list[str]:
    """A note where the network is not as good as its record says: other rounding, or something is wrong."""
    score = record.final if weights == "final" else None
    accuracy = found.predictions.accuracy()
    if score is None or abs(accuracy - score.val_accuracy) <= DRIFT:
        return []
    return [f"the run's record has an accuracy of {score.val_accuracy:.2%}, but asked again it is {accuracy:.2%}"]


def _chosen_here(record: RunRecord, weights: str) -> list[str]:
    """A note where the epoch was picked by the very pictures on which its weights are now judged."""
    best, final = record.best, record.final
    if weights != "best" or best is None or (final is not None and best.epoch == final.epoch):
        return []
    return [
        f"these weights are those after epoch {best.epoch}, which was chosen by its accuracy on these same held-out "
        "pictures: on new ones expect a little less"
    ]


def _looked(trained: Trained, pack: Pack, mistakes: Sequence[Mistake], *, layer: str | None) -> Looked | None:
    """Grad-CAM of each mistake, for what it was called and for its label."""
    if not mistakes:
        return None
    samples = np.array([mistake.sample for mistake in mistakes], np.int64)
    (batch,) = insight.batches_for(trained, pack, samples, batch_size=len(samples))

    of_predicted, of_label = (
        insight.grad_cam(trained.model, batch.images, classes, layer=layer)
        for classes in ([mistake.predicted for mistake in mistakes], [mistake.label for mistake in mistakes])
    )
    return Looked(
        layer=of_predicted.layer,
        cells=of_predicted.map_size,
        maps=maps_of(pack, samples, [of_predicted.maps, of_label.maps]),
        note=of_predicted.note,
    )
