"""The commands on boxes: annotations of objects in pictures. Works without torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from glauke import boxes
from glauke.boxes import Annotations, Description, Finding, Prepared
from glauke.errors import InputError, UsageError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Checked:
    """What `glauke boxes check` found, and what it mended."""

    annotations: Annotations
    findings: tuple[Finding, ...]
    notes: tuple[Finding, ...]
    """Where picture sizes and repairs came from."""
    applied: tuple[boxes.Applied, ...]
    """The edits in the fixed copy; empty without one."""
    remaining: tuple[Finding, ...]
    """What a check of the fixed copy still finds, notes apart; empty without one."""


def describe(file: Path) -> Description:
    """Explain a file of annotations in words, with its own values."""
    document = boxes.open_document(file)
    annotations = boxes.annotations_of(document)
    return boxes.describe(annotations, document=document.json, text=document.text, findings=boxes.check(annotations))


def check(
    file: Path,
    *,
    labels: Sequence[str] | None = None,
    attribute: str | None = None,
    images: Path | None = None,
    sizes: Path | None = None,
    repair_from: Path | None = None,
    fix: Path | None = None,
) -> Checked:
    """Find what is wrong with a file of annotations; with `fix`, write a mended copy there."""
    if fix is not None and fix.exists():
        raise UsageError("it exists already, and a check overwrites nothing", place=str(fix), fix="give another --fix")
    prepared = boxes.prepare(
        file, attribute=attribute, labels=labels, images=images, sizes=sizes, repair_from=repair_from
    )
    findings = boxes.check(prepared.annotations, labels=labels, pictures=prepared.pictures, unrepaired=prepared.as_read)
    applied, remaining = (), ()
    if fix is not None:
        applied = boxes.fix(file, prepared.annotations, findings, out=fix)
        try:
            again = check(fix, labels=labels, attribute=attribute, images=images, sizes=sizes)
        except InputError:  # no region that is left has the attribute
            again = check(fix, labels=labels, images=images, sizes=sizes)
        remaining = tuple(finding for finding in again.findings if finding.severity != "note")
    return Checked(
        annotations=prepared.annotations,
        findings=findings,
        notes=_origins(prepared),
        applied=applied,
        remaining=remaining,
    )


def convert(
    files: Sequence[Path],
    *,
    to: str,
    out: Path,
    attribute: str | None = None,
    images: Path | None = None,
    sizes: Path | None = None,
    repair_from: Path | None = None,
) -> tuple[boxes.Converted, tuple[Finding, ...]]:
    """Write annotations in another format; several files are joined first."""
    if not files:
        raise UsageError("no file to convert was given", place="convert", fix="name one: glauke boxes convert FILE")
    if len(files) > 1:
        raise UsageError(
            f"{len(files)} files were given, and each is converted by itself",
            place="convert",
            fix="join them first: glauke boxes merge FILE... --out project.json",
        )
    prepared = boxes.prepare(files[0], attribute=attribute, images=images, sizes=sizes, repair_from=repair_from)
    annotations = boxes.sound(prepared)
    # As it was read, a VIA file keeps its shapes and attributes; a repaired one has only boxes and labels to give.
    document = prepared.document.via if prepared.donor is None else None
    return boxes.convert(annotations, to=to, out=out, document=document), _origins(prepared)


def merge(files: Sequence[Path], *, out: Path) -> boxes.Merged:
    """Join several annotators' files into one VIA project."""
    prepared = [boxes.prepare(file) for file in files]
    named = (p.annotations.class_attribute for p in prepared if p.document.via is not None)
    attribute = next((name for name in named if name), None)  # where the others' labels go too
    return boxes.merge(
        [p.document.via or boxes.via_document_of(boxes.sound(p), attribute=attribute) for p in prepared], out=out
    )


def project(images: Path, *, labels: Sequence[str], out: Path, at_least: int | None = None) -> boxes.Project:
    """Write a VIA project that is ready to be annotated, after a look at its pictures."""
    return boxes.project(images, labels=labels, out=out, at_least=at_least)


def _origins(prepared: Prepared) -> tuple[Finding, ...]:
    if prepared.donor is None:
        return prepared.notes
    origin = Finding(rule="repaired", severity="note", message=f"repaired from {prepared.donor}")
    return (origin, *prepared.notes)
