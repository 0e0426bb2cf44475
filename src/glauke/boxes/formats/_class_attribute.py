"""Which attribute of the regions is their class, and what its values mean.

VIA has no notion of a class: people declare any attribute they like, of type text, dropdown, radio, checkbox or image.
A dropdown or radio stores the id of the option, a checkbox an object of the ids that are ticked, the others a text.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from .._annotations import Attribute

Value = str | tuple[str, ...]
"""What one region says: a text, "" for nothing, or the ids of several ticked options."""

SEVERAL = -2
"""Code of a region with several ticked options, which has no label."""

MOST_COUNTS = 1_000
"""How many different values of an attribute are kept with their counts."""

_WITH_IDS = ("dropdown", "radio", "checkbox")
_CLASS_NAMES = ("class", "classname", "classlabel", "label", "labels", "labelname", "category", "categories", "object")
"""What people call the attribute that is the class, without case and punctuation, likeliest first."""
_DEMO_NAMES = ("name", "type")
"""Attributes of VIA's online demo page, which people use for the class as well."""
_DEMO_DEFAULTS = ("not_defined", "unknown", "undefined")


@dataclass(frozen=True, slots=True, kw_only=True)
class Meanings:
    """What the values of one attribute mean."""

    type: str | None
    options: Mapping[str, str]
    """As declared: description by id."""

    labels: Mapping[str, str]
    """What each id stands for: its description, or itself where the description is blank."""

    def of(self, value: str) -> str:
        """The label that a stored value stands for, as written; "" if it is blank."""
        label = self.labels.get(value, value)
        return "" if not label or label.isspace() else label


def meanings(declaration: Mapping[str, object] | None) -> Meanings:
    """The meanings that a declaration of VIA 2 gives; without one, every value stands for itself.

    >>> meanings({"type": "radio", "options": {"1": "boots", "2": ""}}).labels
    {'1': 'boots', '2': '2'}
    """
    declaration = declaration or {}
    kind, declared = declaration.get("type"), declaration.get("options")
    options = {
        key: text if isinstance(text, str) else "" if text is None else str(text)[:200]
        for key, text in (declared.items() if isinstance(declared, dict) else ())
    }
    labels = {key: key if not text.strip() else text for key, text in options.items()} if kind in _WITH_IDS else {}
    return Meanings(type=kind if isinstance(kind, str) else None, options=options, labels=labels)


def plain_values(values: list) -> list[Value]:
    """Values as VIA or a script stored them, with checkbox objects as the ids that are ticked.

    >>> plain_values(["mask", {"boots": True}, {"boots": True, "mask": True}, {}, None, 3])
    ['mask', 'boots', ('boots', 'mask'), '', '', '3']
    """
    return values if set(map(type, values)) <= {str} else [plain_value(value) for value in values]


def plain_value(value: object) -> Value:
    """One value as `plain_values` gives it."""
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case dict():
            ticked = tuple(str(key) for key, on in value.items() if on not in (False, None, "", "false"))
        case list():
            ticked = tuple(item for item in value if isinstance(item, str) and item.strip())
        case _:
            ticked = ()
    return ticked if len(ticked) > 1 else "".join(ticked)


def counted_attribute(name: str, tally: Mapping[Value, int], meaning: Meanings) -> Attribute:
    """How often each value of an attribute is used; a region with several ticked options counts for each of them.

    `tally` holds how many regions have each plain value, in the order of appearance.
    """
    counts: Counter[str] = Counter()
    regions = 0
    for value, count in tally.items():
        labels = [label for each in ((value,) if isinstance(value, str) else value) if (label := meaning.of(each))]
        regions += count if labels else 0
        for label in labels:
            counts[label] += count
    return Attribute(
        name=name,
        type=meaning.type,
        options=meaning.options,
        counts=dict(counts.most_common(MOST_COUNTS)),
        regions=regions,
    )


def label_codes(values: Iterable[Value], meaning: Meanings) -> tuple[dict[Value, int], tuple[str, ...]]:
    """The label of each different value as an index into labels: -1 for none, `SEVERAL` for several.

    Labels are the declared ones in their order, then others in the order of `values`.
    """
    index: dict[str, int] = {}
    for declared in meaning.labels:
        if label := meaning.of(declared):
            index.setdefault(label, len(index))
    codes: dict[Value, int] = {}
    for value in values:
        if not isinstance(value, str):
            codes[value] = SEVERAL
        else:
            codes[value] = index.setdefault(label, len(index)) if (label := meaning.of(value)) else -1
    return codes, tuple(index)


def choose_class_attribute(attributes: Sequence[Attribute], *, expected: Collection[str] | None = None) -> str | None:
    """The attribute that holds the class, by how the values are used; None if none qualifies.

    Attributes with one value per region come first. Of those with two or more different values it is the one that
    overlaps best with the `expected` labels, then the one that is called like a class, is chosen from options, covers
    most regions and repeats its values most. Without such, it is the only attribute there is. Where some region ticks
    several options, an attribute qualifies only if it alone overlaps with the `expected` labels, or if it is the only
    one and most of its regions tick one. One constant value
    (VIA's demo page gives every region type="unknown") is a class beside others only if the attribute is called so
    and covers more than twice as many regions. Where no region has any value, it is the one that offers options.

    >>> made = dict(type=None, options={}, regions=9)
    >>> kind = Attribute(name="type", counts={"unknown": 9}, **made)
    >>> choose_class_attribute([kind, Attribute(name="name", counts={"boots": 4, "mask": 5}, **made)])
    'name'
    """
    used = [each for each in attributes if each.regions]
    if not used:
        return _declared_class(attributes)
    single = [each for each in used if not ticks_several(each)]
    varied = [each for each in single if len(each.counts) > 1]
    wanted = {label.strip().casefold() for label in expected or ()}
    for group in (varied, single, used) if wanted else ():
        overlapping = [each for each in group if _overlap(each, wanted)]
        if overlapping:
            return max(overlapping, key=lambda each: (_overlap(each, wanted), _likeness(each))).name
    most = max((each.regions for each in varied), default=0)
    called_so = [each for each in single if _constant_class(each) and each.regions > 2 * most]
    if called_so or varied:
        return max(called_so or varied, key=_likeness).name
    if len(single) == 1:
        return single[0].name
    return used[0].name if len(used) == 1 and 2 * _surplus(used[0]) < used[0].regions else None


def ticks_several(attribute: Attribute) -> bool:
    """Whether some region ticks more than one option at once."""
    return _surplus(attribute) > 0


def _surplus(attribute: Attribute) -> int:
    """How many ticks there are beyond the first of each region."""
    return sum(attribute.counts.values()) - attribute.regions


def _declared_class(attributes: Sequence[Attribute]) -> str | None:
    """Of attributes that nobody has used yet, the one with options, or the one of these that is called like a class."""
    offering = [each for each in attributes if each.type in ("dropdown", "radio") and each.options]
    if len(offering) > 1:
        offering = [each for each in offering if _rank(each)]
    return max(offering, key=_likeness).name if offering else None


def _overlap(attribute: Attribute, wanted: set[str]) -> int:
    return sum(count for value, count in attribute.counts.items() if value.strip().casefold() in wanted)


def _constant_class(attribute: Attribute) -> bool:
    called_so = _plain_name(attribute.name) in _CLASS_NAMES
    return len(attribute.counts) == 1 and called_so and not attribute.counts.keys() & set(_DEMO_DEFAULTS)


def _likeness(attribute: Attribute) -> tuple[float | int, ...]:
    """How much an attribute looks like the class; the largest wins, the first of equals."""
    return _rank(attribute), attribute.type in _WITH_IDS, attribute.regions, -len(attribute.counts)


def _rank(attribute: Attribute) -> int:
    """How likely an attribute of this name is the class; 0 for any other name."""
    names = (*_CLASS_NAMES, *_DEMO_NAMES)
    name = _plain_name(attribute.name)
    return len(names) - names.index(name) if name in names else 0


def _plain_name(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()
