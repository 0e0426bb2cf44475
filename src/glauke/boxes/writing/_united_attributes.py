"""Attribute declarations of several VIA files become one, without changing what any region says.

VIA stores the id of an option, and files made apart use one id for different things ("1" is a vest here, a mask there).
Such ids are given anew in the later file, so that every region keeps its meaning.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .._findings import Finding
from .._wording import listed, quoted
from ..formats._class_attribute import meanings, plain_value
from ..formats._via_document import ViaDocument

_CHOICES = ("dropdown", "radio", "checkbox", "image")


@dataclass(frozen=True, slots=True, kw_only=True)
class United:
    """One set of declarations for several documents."""

    declared: Mapping[str, dict]
    """Declaration of each attribute, in VIA 2's form."""

    new_ids: Sequence[Mapping[str, Mapping[str, str]]]
    """For each document: new value by old value, by attribute; only what changes."""

    findings: tuple[Finding, ...]


@dataclass(slots=True)
class _Target:
    """The one declaration that several become; `owner` is the file that declared it first."""

    declaration: dict
    owner: str
    options: dict[str, str] = field(default_factory=dict)


def united(
    declarations: Sequence[Mapping[str, object]],
    values: Sequence[Mapping[str, Sequence[str]]],
    *,
    names: Sequence[str],
) -> United:
    """Unite declarations; `values` are those in use, by attribute, and `names` say which file is which."""
    targets: dict[str, _Target] = {}
    findings: list[Finding] = []
    new_ids: list[dict[str, dict[str, str]]] = []
    for declared, name in zip(declarations, names, strict=True):
        for attribute, declaration in declared.items():
            if isinstance(declaration, dict):
                findings += _declare(targets, attribute, declaration, name)
    # Meanings second, when it is known which attributes are choices.
    for declared, used, name in zip(declarations, values, names, strict=True):
        changed = {}
        for attribute in dict.fromkeys([*declared, *used]):
            if attribute not in targets:
                # What VIA itself makes of an attribute that is used and not declared.
                targets[attribute] = _Target({"type": "text", "description": "", "default_value": ""}, name)
            target = targets[attribute]
            if target.declaration.get("type") in _CHOICES:
                own = options_of(declared.get(attribute))
                ids = _new_ids(target, own, used.get(attribute, ()), is_declared=attribute in declared)
                if ids:
                    changed[attribute] = ids
                    findings.append(_renamed(attribute, ids, target, name))
        new_ids.append(changed)
    return United(
        declared={attribute: _with_options(t) for attribute, t in targets.items()},
        new_ids=new_ids,
        findings=tuple(findings),
    )


def options_of(declaration: object) -> dict[str, str]:
    """Description by id, blank where there is none."""
    return dict(meanings(declaration if isinstance(declaration, dict) else None).options)


def values_in_use(document: ViaDocument, *, of_files: bool = False) -> dict[str, list[str]]:
    """Every value of every attribute once, in order of appearance; for checkboxes the ids that they list."""
    seen: dict[str, dict[str, None]] = {}
    for attributes in _attribute_sets(document, of_files=of_files):
        for attribute, value in attributes.items():
            known = seen.setdefault(attribute, {})
            known |= dict.fromkeys(_ids(value))
    return {attribute: list(known) for attribute, known in seen.items()}


def with_new_ids(attributes: dict, new_ids: Mapping[str, Mapping[str, str]]) -> dict:
    """`attributes` of one region, its ids replaced."""
    changed = dict(attributes)
    for attribute, ids in new_ids.items():
        if attribute not in changed:
            continue
        match changed[attribute]:
            case dict() as ticks:
                changed[attribute] = {ids.get(key, key): ticked for key, ticked in ticks.items()}
            case list() as ticked:
                changed[attribute] = [ids.get(each, each) if isinstance(each, str) else each for each in ticked]
            case value:
                for one in _ids(value):
                    changed[attribute] = ids.get(one, value)
    return changed


def _ids(value: object) -> tuple[str, ...]:
    """The ids that a region stores, as the reader takes them: 1 is "1"; of a checkbox also those not ticked."""
    if isinstance(value, dict):
        return tuple(value)
    ids = plain_value(value)
    return (ids,) if isinstance(ids, str) else ids


def _attribute_sets(document: ViaDocument, *, of_files: bool) -> Iterator[dict[str, object]]:
    for entry in document.entries.values():
        if of_files:
            regions: object = [{"region_attributes": entry.get("file_attributes")}]
        else:
            regions = entry.get("regions")
        for region in regions.values() if isinstance(regions, dict) else regions if isinstance(regions, list) else ():
            attributes = region.get("region_attributes") if isinstance(region, dict) else None
            if isinstance(attributes, dict):
                yield attributes


def _declare(targets: dict[str, _Target], attribute: str, declaration: dict, name: str) -> Iterator[Finding]:
    target = targets.get(attribute)
    if target is None:
        targets[attribute] = _Target(dict(declaration), name, options_of(declaration))
        return
    first, second = target.declaration.get("type"), declaration.get("type")
    if first != second:
        # A choice can hold any text as an option; the other way round its options would be lost.
        kept = second if first not in _CHOICES and second in _CHOICES else first
        yield Finding(
            rule="attribute-conflict",
            severity="error",
            message=f"the attribute {attribute!r} is a {first} in {target.owner} and a {second} in {name}; it is "
            f"written as a {kept}",
            fix="decide on one type, and look at the values in VIA",
        )
        if kept != first:
            target.declaration = dict(declaration)
    here, there = options_of(declaration), target.options
    missing = [_meaning(key, text) for key, text in here.items()]
    if here and there and sorted(missing) != sorted(_meaning(k, t) for k, t in there.items()):
        yield Finding(
            rule="attribute-conflict",
            severity="warning",
            message=f"the attribute {attribute!r} offers {_options(missing)} in {name}, and in {target.owner} "
            f"{_options([_meaning(k, t) for k, t in there.items()])}; all are kept",
            fix="take out in VIA what is a misspelling",
        )


def _new_ids(target: _Target, own: Mapping[str, str], used: Sequence[str], *, is_declared: bool) -> dict[str, str]:
    """Which ids of one file must change so that they mean in `target` what they mean there; adds options to it."""
    changed = {}
    undeclared = [value for value in used if value.strip() and value not in own]
    for key, text in [*own.items(), *((value, "") for value in undeclared)]:
        meaning = _meaning(key, text)
        if key not in target.options:
            same = [k for k, t in target.options.items() if _meaning(k, t) == meaning]
            if same:
                changed[key] = same[0]
            else:
                target.options[key] = text
        # A file without declarations was exported from some project: its ids are taken for those of this one.
        elif _meaning(key, target.options[key]) != meaning and not (key in undeclared and not is_declared):
            same = [k for k, t in target.options.items() if _meaning(k, t) == meaning]
            changed[key] = same[0] if same else _free_id(meaning, target.options)
            target.options.setdefault(changed[key], meaning)
    return changed


def _with_options(target: _Target) -> dict:
    if target.declaration.get("type") not in _CHOICES:
        return target.declaration
    chosen = target.declaration.get("default_options")
    chosen = {key: on for key, on in chosen.items() if key in target.options} if isinstance(chosen, dict) else {}
    return {**target.declaration, "options": target.options, "default_options": chosen}


def _meaning(key: str, text: str) -> str:
    return text if text.strip() else key


def _free_id(meaning: str, options: Mapping[str, str]) -> str:
    free, number = meaning, 1
    while free in options:
        number += 1
        free = f"{meaning} {number}"
    return free


def _renamed(attribute: str, ids: Mapping[str, str], target: _Target, name: str) -> Finding:
    listed = ", ".join(f"{old!r} is now {new!r}" for old, new in list(ids.items())[:5])
    more = f" and {len(ids) - 5} more" if len(ids) > 5 else ""
    return Finding(
        rule="attribute-conflict",
        severity="note",
        message=f"options of {attribute!r} in {name} have other ids than in {target.owner}: {listed}{more}; every "
        "region keeps its meaning",
    )


def _options(meanings: Sequence[str]) -> str:
    return listed([quoted(meaning) for meaning in meanings])
