"""`glauke export`."""

import shlex
from pathlib import Path
from typing import Literal

from ._output import say, show, show_json
from ._screen import Screen
from ._train import Switch


def export(
    run: Path,
    /,
    *,
    to: Literal["safetensors", "onnx", "pt2"],
    weights: Literal["final", "best"] = "final",
    out: Path | None = None,
    pictures: int = 1000,
    opset: int | None = None,
    json: Switch = False,
) -> int:
    """Write a run's network as a file for others, with a script and a card, and compare it with the original.

    Parameters
    ----------
    run
        The run's folder.
    to
        safetensors (weights for glauke and PyTorch), onnx (needs no PyTorch), or pt2 (PyTorch without glauke).
    weights
        final, or best: the epoch with the highest held-out accuracy.
    out
        Folder to make; the run's export-onnx, say, without it. An unchanged earlier export is replaced.
    pictures
        Held-out pictures on which both networks must agree.
    opset
        Version of the ONNX operators; the exporter's own without it.
    json
        Print the comparison as one JSON object.
    """
    from glauke import insight
    from glauke.jobs import exporting

    from ._progress import ProgressView

    with Screen() as screen:
        done = exporting.export(
            run, kind=to, weights=weights, out=out, pictures=pictures, opset=opset, watch=ProgressView(screen)
        )
    if json:
        check = insight.agreement_as_dict(done.agreement)
        show_json({"export": str(done.folder), "kind": to, "check": check, "notes": list(done.notes)})
        return 0
    for note in done.notes:
        say(f"note: {note}")
    say(f"checked: {done.agreement.sentence()}")
    for each in done.agreement.disagreements:
        say(f"a tie: {each.picture}: {each.original} or {each.exported}, logits {each.margin:.2g} apart")
    say(f"to try it: python {shlex.quote(str(done.folder / 'predict.py'))} picture.jpg")
    show(str(done.folder))
    return 0
