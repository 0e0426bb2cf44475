"""Every rule of a check, with what it means in one sentence."""

from collections.abc import Mapping
from types import MappingProxyType

_IN_FILES = {
    "bad-entry": "Something in the file is not of the type that its format has there.",
    "bad-row": "A line of a table or text file cannot be read.",
    "bad-shape": "No box can be made of a region: numbers are missing, negative or no numbers.",
    "several-labels": "A region ticks several options of the attribute that holds the class.",
    "size-unknown": "A picture is not there or cannot be read, so that fractions of its size say nothing.",
    "not-a-picture": "An entry is a film or a sound, or a region of VIA 3 has several moments.",
    "not-looked-into": "Something in a folder was left out: a link that leads out of it, or what cannot be read.",
}
_IN_LABELS = {
    "unlabelled": "A region has no label.",
    "unknown-label": "A label is none of those that are expected, or a rare spelling of a common one.",
    "unsafe-label": "A label holds control characters or < > \" ' &, which VIA puts into its page unescaped.",
    "missing-label": "No region has a label that is expected.",
}
_IN_BOXES = {
    "empty-box": "A shape that should enclose something has a width or height of 0.",
    "tiny-box": "A side of a box is 3 pixels or less, which VIA does not let anybody draw.",
    "outside-picture": "A box reaches beyond its picture; up to 2 pixels are a slip of the hand.",
    "duplicate": "Two regions of a picture have the same shape, box and label.",
    "near-duplicate": "Two boxes of a picture overlap by an IoU of 0.9 or more.",
    "other-shape": "Regions are not rectangles; the box around each is used.",
}
_IN_PICTURES = {
    "missing-picture": "The picture of an entry is not in the folder.",
    "never-annotated": "A picture has no region.",
    "key-mismatch": "The key of an entry in a VIA file is not made of its name and size.",
    "size-mismatch": "An entry is of a file of another length, or states other pixels than its picture has.",
    "same-name": "Two entries have one name, so that their regions cannot be told apart.",
    "unsafe-name": "A file name leads out of the folder, or holds control characters or < > \" ' &.",
    "unreadable-picture": "A file is no picture, or is damaged.",
    "wrong-ending": "A file is of another kind than its ending says.",
    "turned-picture": "A picture asks to be turned when it is shown, which not every program does.",
    "unlisted-picture": "Pictures of the folder have no entry in the file.",
}
_IN_COCO = {
    "null-category": "Annotations have no category: VIA 2.0.10 writes null where an option's id is no number.",
    "unknown-category": "Annotations are of a category that is not listed.",
    "blank-category": "A category has no name: VIA writes the description of an option, which may be blank.",
    "category-id-collision": "Two categories share an id.",
    "repeated-category": "Categories are listed again and again, as VIA 2.0.8 does for each picture.",
    "image-id-collision": "Pictures share an id, so that nothing says in which of them an annotation lies.",
    "repeated-annotation": "An annotation is written twice with one id, as VIA does for each matching attribute.",
    "id-as-text": "Numbers of ids are written as text.",
    "flat-segmentation": "Outlines are one list of numbers where COCO has a list of lists.",
    "crowd": "Annotations are groups of objects, each with one box around all.",
}
_IN_REPAIRS = {
    "repaired": "Labels or pictures were taken from another file.",
    "not-repaired": "The other file has no counterpart for what was lost.",
    "not-exported": "The other file has regions that this one lacks.",
    "label-differs": "The other file has a different label for a region.",
}
_IN_MERGES = {
    "annotated-twice": "Two files have regions in one picture.",
    "label-conflict": "Two files have different labels for one object.",
    "attribute-conflict": "Two files declare an attribute differently.",
    "file-attribute-conflict": "Two files say different things about a picture.",
    "folder-conflict": "Two projects have their pictures in different folders.",
    "name-conflict": "Two files mean different pictures by one name.",
}
_IN_PROJECTS = {
    "awkward-name": "A file name makes trouble on some system or in some program.",
    "near-same-picture": "Two pictures look nearly the same.",
    "not-shown": "Browsers do not show pictures of this kind.",
    "same-picture": "Two files are the same, byte for byte.",
    "small-picture": "A picture is too small to annotate objects in.",
    "too-few-pictures": "There are fewer pictures than asked for.",
}
RULES: Mapping[str, str] = MappingProxyType(
    _IN_FILES | _IN_LABELS | _IN_BOXES | _IN_PICTURES | _IN_COCO | _IN_REPAIRS | _IN_MERGES | _IN_PROJECTS
)
"""What each rule of `check`, `repaired`, `merge` and `project` means."""
