"""The commands on boxes: annotations of objects in pictures. Works without torch."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from glauke import boxes
from glauke.boxes import Annotations, Description, Finding, Prepared
from glauke.errors import InputError, UsageError
from glauke.options import BoxOptions

NOTHING_BESIDE = BoxOptions()


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
    options: BoxOptions = NOTHING_BESIDE,
    *,
    labels: Sequence[str] | None = None,
    fix: Path | None = None,
) -> Checked:
    """Find what is wrong with a file of annotations; with `fix`, write a mended copy there."""
    if fix is not None and fix.exists():
        raise UsageError("it exists already, and a check overwrites nothing", place=str(fix), fix="give another --fix")
    prepared = prepare(file, options, labels=labels)
    findings = boxes.check(prepared.annotations, labels=labels, pictures=prepared.pictures, unrepaired=prepared.as_read)
    applied, remaining = (), ()
    if fix is not None:
        applied = boxes.fix(file, prepared.annotations, findings, out=fix)
        try:
            again = check(fix, replace(options, repair_from=None), labels=labels)
        except InputError:  # no region that is left has the attribute
            again = check(fix, replace(options, repair_from=None, attribute=None), labels=labels)
        remaining = tuple(finding for finding in again.findings if finding.severity != "note")
    return Checked(
        annotations=prepared.annotations,
        findings=findings,
        notes=origins(prepared),
        applied=applied,
        remaining=remaining,
    )


def convert(
    files: Sequence[Path], options: BoxOptions = NOTHING_BESIDE, *, to: str, out: Path
) -> tuple[boxes.Converted, tuple[Finding, ...]]:
    """Write annotations in another format; several files are joined first, as `merge` does."""
    if not files:
        raise UsageError("no file to convert was given", place="convert", fix="name one: glauke boxes convert FILE")
    conflicts: tuple[Finding, ...] = ()
    if len(files) == 1:
        prepared = prepare(files[0], options)
    else:
        merged = boxes.joined(_via_documents(files, options), name=out.stem)
        path, conflicts = Path(" + ".join(map(str, files))), merged.findings
        via = boxes.via_document(merged.project, kind="via2-project", path=path)
        document = boxes.Document(kind="via2-project", path=path, via=via, json=merged.project)
        prepared = boxes.prepare_document(
            document, attribute=options.attribute, images=options.images, sizes=options.sizes
        )
    annotations = boxes.sound(prepared)
    # As it was read, a VIA file keeps its shapes and attributes; a repaired one has only boxes and labels to give.
    via = prepared.document.via if prepared.donor is None else None
    return boxes.convert(annotations, to=to, out=out, document=via), (*conflicts, *origins(prepared))


def merge(files: Sequence[Path], *, out: Path) -> boxes.Merged:
    """Join several annotators' files into one VIA project."""
    return boxes.merge(_via_documents(files, NOTHING_BESIDE), out=out)


def project(images: Path, *, labels: Sequence[str], out: Path, at_least: int | None = None) -> boxes.Project:
    """Write a VIA project that is ready to be annotated, after a look at its pictures."""
    return boxes.project(images, labels=labels, out=out, at_least=at_least)


def prepare(file: Path, options: BoxOptions, *, labels: Sequence[str] | None = None) -> Prepared:
    """Open a file with what stands beside it."""
    return boxes.prepare(file, labels=labels, **asdict(options))


def _via_documents(files: Sequence[Path], options: BoxOptions) -> list[boxes.ViaDocument]:
    """Each file in VIA's form; the labels of other kinds go into the attribute that the VIA files have them in."""
    prepared = [prepare(file, options) for file in files]
    named = (p.annotations.class_attribute for p in prepared if p.document.via is not None)
    attribute = options.attribute or next((name for name in named if name), None)
    return [p.document.via or boxes.via_document_of(boxes.sound(p), attribute=attribute) for p in prepared]


def origins(prepared: Prepared) -> tuple[Finding, ...]:
    """Where labels and pictures came from that the file itself has lost."""
    if prepared.donor is None:
        return prepared.notes
    origin = Finding(rule="repaired", severity="note", message=f"repaired from {prepared.donor}")
    return (origin, *prepared.notes)
