"""Pictures of an explained run: mistakes, suspected labels, confused pairs, and where the network looked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from glauke.insight import Explanation, LabelSuspects, Mistake, PairExamples, Predictions

from ._html import Child, Markup, element
from ._photographs import Tile, tile_grid
from ._words import amount, count, percent

LOOKED = (
    "Grad-CAM marks the cells of a layer that speak for a class, by the gradient of its score: dark blue for little, "
    "yellow for much. Each map is scaled by itself, so two maps do not compare in strength. It is not a proof of what "
    "caused the answer: it sees one layer only, nothing finer than its cells, and may point at the right place for a "
    "wrong reason."
)
SUSPECTED = (
    "at least as much like another class as that class's own pictures do on average (confident learning). That is "
    "a reason to look, not a proof: the weaker the network, the more often the label is right and the network wrong. "
    "All are in "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """Where a network looked, as pictures for the page."""

    layer: str
    """The layer whose maps they are."""
    cells: tuple[int, int]
    """Height and width of its maps."""
    maps: Mapping[int, tuple[bytes, bytes]]
    """By the picture's index in the pack: the map of the predicted class and that of the label."""
    note: str | None = None
    """What a person should know about the layer."""


def galleries(
    explanation: Explanation, *, pictures: Mapping[int, bytes], looked: Looked | None, shown: int
) -> Iterator[tuple[str, list[Child]]]:
    """Heading and content of each; `shown` mistakes in each of the first three."""
    said = explanation.predictions
    surest, worst = explanation.surest[:shown], explanation.mistakes[:shown]
    yield "Surest mistakes", _mistakes(surest, said, pictures, told="Wrong, and most confident of it.")
    told = "Their labels have the lowest probability; wrong labels gather here too."
    if {each.sample for each in surest} != {each.sample for each in worst}:  # of few mistakes both galleries are all
        yield "Largest losses", _mistakes(worst, said, pictures, told=told)
    yield "Labels that may be wrong", _suspects(explanation.suspects, said, pictures, shown=shown)
    yield "Confused pairs side by side", [_side_by_side(each, said, pictures) for each in explanation.examples]
    if looked is not None:
        by_sample = {mistake.sample: mistake for mistake in explanation.mistakes}
        yield "Where it looked", _looked(looked, by_sample, said, pictures)


def _mistakes(
    mistakes: Sequence[Mistake], said: Predictions, pictures: Mapping[int, bytes], *, told: str
) -> list[Child]:
    tiles: list[Tile] = []
    for each in mistakes:
        label, predicted = said.readable[each.label], said.readable[each.predicted]
        lines = [_called(predicted, each.confidence), _labelled(label, each.label_probability), _file(each.name)]
        if each.sample in pictures:
            tiles.append((pictures[each.sample], f"{label} taken for {predicted}", lines))
    if not tiles:
        return []
    below = "Below each: what it is called, its label, the probability of both, and its file. All mistakes are in "
    link = element("a", "mistakes.csv", href="mistakes.csv")
    return [element("p", f"{told} {below}", link, "."), tile_grid(tiles)]


def _suspects(suspects: LabelSuspects, said: Predictions, pictures: Mapping[int, bytes], *, shown: int) -> list[Child]:
    tiles: list[Tile] = []
    for each in suspects.suspects[:shown]:
        label, suggested = said.readable[each.label], said.readable[each.suggested]
        lines = [
            _called(f"{suggested}?", each.suggested_probability),
            _labelled(label, each.label_probability),
            _file(each.name),
        ]
        if each.sample in pictures:
            tiles.append((pictures[each.sample], f"labelled {label}, looks like {suggested}", lines))
    if not tiles:
        return []
    link = element("a", "label_suspects.csv", href="label_suspects.csv")
    told = f"{amount(suspects.total, 'picture')} {'looks' if suspects.total == 1 else 'look'} {SUSPECTED}"
    return [element("p", told, link, "."), tile_grid(tiles)]


def _side_by_side(examples: PairExamples, said: Predictions, pictures: Mapping[int, bytes]) -> Markup | None:
    pair = examples.pair
    first, second = said.readable[pair.first], said.readable[pair.second]
    there, back = pair.first_as_second, pair.second_as_first
    columns = (
        ((first, second, there, examples.first_as_second), (first, first, None, examples.first_right)),
        ((second, first, back, examples.second_as_first), (second, second, None, examples.second_right)),
    )
    strips = [[_strip(*strip, said, pictures) for strip in column] for column in columns]
    if not any(strip for column in strips for strip in column):
        return None
    title = element("h3", element("bdi", first), " and ", element("bdi", second))
    return element("div", title, element("div", [element("div", column) for column in strips], class_="beside"))


def _strip(
    label: str, called: str, times: int | None, rows: Sequence[int], said: Predictions, pictures: Mapping[int, bytes]
) -> Markup | None:
    """A few pictures of one class that are called one thing; `times` it happens, None where it is right."""
    tiles: list[Tile] = []
    for row in rows:
        sample = int(said.samples[row])
        if sample in pictures:
            alt = f"{label} taken for {called}" if times is not None else f"{label}, recognised"
            lines = [percent(float(said.confidence[row]), digits=0)]
            tiles.append((pictures[sample], f"{alt}: {_end(said.names[row])}", lines))
    if not tiles:
        return None
    heading: list[Child] = [element("bdi", label), " recognised"]
    if times is not None:
        heading = [element("bdi", label), " called ", element("bdi", called), f" ({count(times)})"]
    return element("div", element("h4", heading), tile_grid(tiles, kind="small tiles"))


def _looked(
    looked: Looked, mistakes: Mapping[int, Mistake], said: Predictions, pictures: Mapping[int, bytes]
) -> list[Child]:
    made: list[Child] = []
    for sample, (of_predicted, of_label) in looked.maps.items():
        each = mistakes[sample]
        label, predicted = said.readable[each.label], said.readable[each.predicted]
        tiles: list[Tile] = [
            (pictures[sample], f"{label} taken for {predicted}: {_end(each.name)}", ["the picture"]),
            (of_predicted, f"Where it looked for {predicted}", [_called(predicted, each.confidence)]),
            (of_label, f"Where it looked for {label}", [_labelled(label, each.label_probability)]),
        ]
        made.append(tile_grid(tiles, kind="wide tiles"))
    if not made:
        return []
    height, width = looked.cells
    told = (
        "The picture, the map of what it was called, and the map of its label, for the surest mistakes. "
        f"Layer {looked.layer}, {height} × {width} cells"
    )
    told += f": {looked.note}." if looked.note else "."
    return [element("p", told), element("div", made, class_="beside"), element("p", LOOKED)]


def _called(name: str, probability: float) -> list[Child]:
    return [element("strong", element("bdi", name)), f" {_chance(probability)}"]


def _labelled(name: str, probability: float) -> list[Child]:
    return ["label: ", element("bdi", name), f" {_chance(probability)}"]


def _chance(probability: float) -> str:
    """In per cent; what would be rounded to nothing is not nothing."""
    return percent(probability, digits=1) if probability >= 0.0005 else "<0.1%"


def _file(name: str) -> Markup:
    """The end of a picture's name, which differs from its neighbours'; the whole name when it is pointed at."""
    return element("span", _end(name), title=name)


def _end(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2]
