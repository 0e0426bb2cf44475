"""VIA 3's attributes, which stand under numbers, by their names and as VIA 2 declares them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

_TYPES = {1: "text", 2: "checkbox", 3: "radio", 4: "dropdown", 5: "image"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Via3Attributes:
    """All attributes of a project."""

    names: Mapping[str, str]
    """Name by number, made different where two attributes share one."""

    declarations: Mapping[str, dict]
    """By name, in VIA 2's form."""

    of_regions: Collection[str]
    """Names of those that are asked of every region."""

    def declared(self, used: Collection[str]) -> dict[str, dict]:
        """Declarations of the attributes that regions may have or do have."""
        return {name: value for name, value in self.declarations.items() if name in self.of_regions or name in used}

    def values(self, av: Mapping[str, object]) -> dict[str, object]:
        """What is said, by name; a checkbox, which VIA 3 writes as "0,2", as VIA 2's object of ticked options."""
        said: dict[str, object] = {}
        for number, value in av.items():
            name = self.names.get(number, number)
            declaration = self.declarations.get(name, {})
            if declaration.get("type") == "checkbox" and isinstance(value, str):
                value = {each.strip(): True for each in value.split(",") if each.strip()}
            elif isinstance(value, int) and not isinstance(value, bool):
                value = str(value)
            said[name] = value
        return said


def via3_attributes(attributes: Mapping[str, object]) -> Via3Attributes:
    """The attributes of a project, by the part of it that declares them."""
    names: dict[str, str] = {}
    declarations: dict[str, dict] = {}
    of_regions: list[str] = []
    for number, value in attributes.items():
        if not isinstance(value, dict):
            continue
        name = value.get("aname")
        name = name if isinstance(name, str) and name else number
        if name in declarations:
            name = f"{name} ({number})"
        names[number] = name
        kind, options, chosen = value.get("type"), value.get("options"), value.get("default_option_id")
        description = value.get("desc")
        declarations[name] = {
            "type": _TYPES.get(kind, "text") if isinstance(kind, int) else "text",
            "description": description if isinstance(description, str) else "",
            "options": options if isinstance(options, dict) else {},
            "default_options": {chosen: True} if isinstance(chosen, str) and chosen else {},
        }
        anchor = value.get("anchor_id")
        if not isinstance(anchor, str) or "_XY1" in anchor:  # FILE1_Z0_XY0 asks about the file as a whole
            of_regions.append(name)
    return Via3Attributes(names=names, declarations=declarations, of_regions=frozenset(of_regions))
