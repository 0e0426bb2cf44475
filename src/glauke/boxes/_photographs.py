"""Pictures with their boxes, and contact sheets of labels, as JPEG for a page.

They are drawn with Pillow alone: pixels of photographs have nothing to gain from axes.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from glauke.errors import DataError

from ._annotations import Annotations
from ._pictures import PictureFile, PictureFolder, match_pictures, renamed_pictures
from ._wording import bare, counted, tally, visible
from .cropping._crop_pixels import upright_picture

Ink = tuple[int, int, int]
Place = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels."""

MOST_CROPS = 60
MOST_SHEETS = 12
MOST_PICTURES = 6

_WIDEST, _HIGHEST = 960, 1280  # pixels of a picture with its boxes
_ACROSS, _CELL, _STRIP, _GAP = 8, 148, 18, 6  # a contact sheet: cells side by side, and the words below each
_MARGIN = 0.1
_SHEET_PAPER, _SHEET_WORDS = (27, 29, 33), (232, 232, 232)
_LONGEST_TAG = 32


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Lettering:
    """How words are set on photographs."""

    path: Path
    """A font file."""

    def at(self, size: int) -> ImageFont.FreeTypeFont:
        """The font in `size` pixels; without shaping by an outside library, so equal everywhere."""
        return ImageFont.truetype(self.path, size, layout_engine=ImageFont.Layout.BASIC)


def files_of(annotations: Annotations, pictures: PictureFolder) -> dict[int, PictureFile]:
    """The file of each picture of the annotations that has one, as `crops` finds it."""
    matches = match_pictures(annotations, pictures)
    renamed = renamed_pictures(annotations, pictures, matches)
    found = {i: renamed.get(i, match) for i, match in enumerate(matches)}
    return {i: pictures.files[match] for i, match in found.items() if match is not None}


def pictures_with_boxes(
    annotations: Annotations, files: dict[int, PictureFile], *, colours: Sequence[Ink], font: Path, most: int
) -> Iterator[tuple[str, bytes]]:
    """Caption and JPEG of the fullest pictures, then of the first ones; those that cannot be read are passed over."""
    rows_of = _rows_by_picture(annotations)
    first = [i for i in rows_of if i in files]
    fullest = sorted(first, key=lambda i: -len(rows_of[i]))
    half = (most + 1) // 2
    order = list(dict.fromkeys([*fullest[:half], *first, *fullest]))
    done = 0
    for i in order:
        if done == most:
            return
        picture = _opened(files[i])
        if picture is None:
            continue
        done += 1
        shown = _with_boxes(picture, annotations, rows_of[i], colours=colours, font=_Lettering(path=font))
        labels: dict[str, int] = {}
        for row in rows_of[i]:
            name = annotations.label_of(row) or "(no label)"
            labels[name] = labels.get(name, 0) + 1
        labels = dict(sorted(labels.items(), key=lambda pair: -pair[1]))
        told = tally(labels, total=len(labels))
        yield f"{visible(annotations.names[i])}: {counted(len(rows_of[i]), 'region')}, {told}.", _jpeg(shown)


def sheets_of_labels(
    annotations: Annotations, files: dict[int, PictureFile], *, font: Path, most: int
) -> Iterator[tuple[str, bytes]]:
    """Caption and JPEG of one sheet for each of the commonest labels; each picture is decoded once for all of them."""
    wanted = _wanted(annotations, files, most=most)
    by_picture: dict[int, list[int]] = defaultdict(list)
    for rows, _ in wanted.values():
        for row in rows:
            by_picture[int(annotations.image[row])].append(row)
    crops: dict[int, Image.Image] = {}
    for i, rows in by_picture.items():
        picture = _opened(files[i])
        if picture is not None:
            crops |= {row: crop for row in rows if (crop := _crop(picture, annotations, row)) is not None}
    for label, (rows, available) in wanted.items():
        cut = [row for row in rows if row in crops]
        if not cut:
            continue
        total = annotations.label_counts()[label]
        which = f"all {total:,}" if len(cut) == total else f"{len(cut):,} of {total:,}"
        how = ", evenly through the file" if available > len(rows) else ""
        caption = f"{bare(label)}: {which if total > 1 else 'the only'} {'boxes' if total > 1 else 'box'}{how}."
        yield caption, _jpeg(_sheet([(row, crops[row]) for row in cut], annotations, font=_Lettering(path=font)))


def _rows_by_picture(annotations: Annotations) -> dict[int, list[int]]:
    """The regions of each picture that enclose something, in the order of the pictures."""
    rows_of: dict[int, list[int]] = defaultdict(list)
    for row in np.flatnonzero(annotations.encloses).tolist():
        rows_of[int(annotations.image[row])].append(row)
    return dict(sorted(rows_of.items()))


def _wanted(annotations: Annotations, files: dict[int, PictureFile], *, most: int) -> dict[str, tuple[list[int], int]]:
    """The rows of each label's sheet, and how many there were to choose from."""
    there = annotations.encloses & np.isin(annotations.image, list(files))
    wanted: dict[str, tuple[list[int], int]] = {}
    for label, count in annotations.label_counts().items():
        rows = np.flatnonzero(there & (annotations.label == annotations.labels.index(label)))
        if count and len(rows) and len(wanted) < most:
            chosen = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MOST_CROPS)).astype(np.int64))
            wanted[label] = rows[chosen].tolist(), len(rows)
    return wanted


def _opened(file: PictureFile) -> Image.Image | None:
    if file.header is None:
        return None
    try:
        return upright_picture(file.folder / file.path, turn=file.header.turn).convert("RGB")
    except DataError:
        return None


def _with_boxes(
    picture: Image.Image, annotations: Annotations, rows: Sequence[int], *, colours: Sequence[Ink], font: _Lettering
) -> Image.Image:
    scale = min(1.0, _WIDEST / picture.width, _HIGHEST / picture.height)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    shown = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    draw = ImageDraw.Draw(shown)
    letters = font.at(max(11, round(max(size) / 60)))
    line = max(2, round(max(size) / 320))
    boxes: dict[int, Place] = {}
    for row in rows:
        x, y, w, h = (annotations.boxes_xywh[row] * scale).tolist()
        # Pillow takes no coordinates beyond 32 bits, and nothing out there is seen anyway.
        left, top = float(np.clip(x, -9, size[0])), float(np.clip(y, -9, size[1]))
        right, bottom = float(np.clip(x + w, left, size[0] + 9)), float(np.clip(y + h, top, size[1] + 9))
        boxes[row] = left, top, right, bottom
        draw.rectangle((left, top, right, bottom), outline=_colour(annotations, row, colours), width=line)
    tags: list[Place] = []
    for row, box in boxes.items():  # above all outlines
        text = bare(annotations.label_of(row) or "(no label)", most=_LONGEST_TAG)
        needed = draw.textlength(text, font=letters) + 6, 1.25 * letters.size
        place = _free_place(box, needed, within=size, tags=tags, boxes=[b for r, b in boxes.items() if r != row])
        tags.append(place)
        _tag(draw, text, place, ink=_colour(annotations, row, colours), letters=letters)
    return shown


def _free_place(
    box: Place, size: tuple[float, float], *, within: tuple[int, int], tags: Sequence[Place], boxes: Sequence[Place]
) -> Place:
    """Where the name of a box covers least: names before, then other boxes, then its own box."""
    left, top, right, bottom = box
    width, height = size
    corners = [
        (left, top - height), (right - width, top - height), (left, bottom), (right - width, bottom),
        (right, top), (left - width, top), (left, top), (left, bottom - height),
    ]  # fmt: skip
    places = []
    for x, y in corners:
        x, y = min(max(0.0, x), max(0.0, within[0] - width)), min(max(0.0, y), max(0.0, within[1] - height))
        places.append((x, y, x + width, y + height))
    area = width * height

    def cost(place: Place) -> float:
        return (
            9 * sum(_shared(place, tag) for tag in tags)
            + sum(_shared(place, other) for other in boxes)
            + 1.5 * _shared(place, box)
        ) / area

    return min(places, key=cost)  # the first of equally good ones: above, from the left edge on


def _shared(a: Place, b: Place) -> float:
    """Pixels that two places share."""
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


def _tag(draw: ImageDraw.ImageDraw, text: str, place: Place, *, ink: Ink, letters: ImageFont.FreeTypeFont) -> None:
    """A label on a ground of its colour."""
    left, top, _, bottom = place
    draw.rectangle(place, fill=ink)
    red, green, blue = ink
    words = (0, 0, 0) if 0.299 * red + 0.587 * green + 0.114 * blue > 115 else (255, 255, 255)
    draw.text((left + 3, (top + bottom) / 2), text, font=letters, fill=words, anchor="lm")


def _colour(annotations: Annotations, row: int, colours: Sequence[Ink]) -> Ink:
    label = int(annotations.label[row])
    return (255, 255, 255) if label < 0 else colours[label % len(colours)]


def _crop(picture: Image.Image, annotations: Annotations, row: int) -> Image.Image | None:
    """The box with a little around it, fitted into a cell; None where it lies outside its picture."""
    x, y, w, h = annotations.boxes_xywh[row].tolist()
    left, top = max(0.0, x - _MARGIN * w), max(0.0, y - _MARGIN * h)
    right, bottom = min(picture.width, x + (1 + _MARGIN) * w), min(picture.height, y + (1 + _MARGIN) * h)
    if right - left < 1 or bottom - top < 1:
        return None
    crop = picture.crop((int(left), int(top), round(right), round(bottom)))
    scale = _CELL / max(crop.size)
    size = max(1, round(crop.width * scale)), max(1, round(crop.height * scale))
    return crop.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)


def _sheet(crops: Sequence[tuple[int, Image.Image]], annotations: Annotations, *, font: _Lettering) -> Image.Image:
    across, down = min(_ACROSS, len(crops)), -(-len(crops) // _ACROSS)
    step = _CELL + _GAP, _CELL + _STRIP + _GAP
    # A sheet of few crops is as wide as one of many, so that a page shows all crops in one scale.
    sheet = Image.new("RGB", (_ACROSS * step[0] + _GAP, down * step[1] + _GAP), _SHEET_PAPER)
    draw, letters = ImageDraw.Draw(sheet), font.at(14)
    for i, (row, crop) in enumerate(crops):
        left, top = _GAP + i % across * step[0], _GAP + i // across * step[1]
        sheet.paste(crop, (left + (_CELL - crop.width) // 2, top + (_CELL - crop.height) // 2))
        text = _place(annotations, row, letters)
        middle = left + _CELL / 2, top + _CELL + _STRIP / 2 + 1
        draw.text(middle, text, font=letters, fill=_SHEET_WORDS, anchor="mm")
    return sheet


def _place(annotations: Annotations, row: int, letters: ImageFont.FreeTypeFont) -> str:
    """File and region, as much of the file's name as there is room for: names differ at their end."""
    name = visible(annotations.name_of(row).replace("\\", "/").rpartition("/")[2], most=200)
    stem, region = name.rpartition(".")[0] or name, f" #{annotations.region[row]}"
    if letters.getlength(stem + region) <= _CELL:
        return stem + region
    while stem and letters.getlength(f"…{stem}{region}") > _CELL:
        stem = stem[1:]
    return f"…{stem}{region}"


def _jpeg(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, format="JPEG", quality=80, optimize=True)
    return out.getvalue()
