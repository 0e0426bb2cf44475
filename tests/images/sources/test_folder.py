"""Any folder of class folders, whatever wraps it; and what is said where it is none."""

import pytest

from glauke.errors import DataError
from glauke.images.sources._folder import ClassFolders, lay_out


def found(names: list[str], folders: list[str] | None = None) -> dict[str, tuple[str, str]]:
    layout = lay_out(names, folders or [], place="here")
    return {each.name: (each.part, each.label) for each in layout.pictures.values()}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["cat/1.jpg", "dog/1.jpg"], {"cat/1.jpg": ("train", "cat"), "dog/1.jpg": ("train", "dog")}),
        (["pets/cat/1.jpg", "pets/dog/1"], {"cat/1.jpg": ("train", "cat"), "dog/1": ("train", "dog")}),
        (["a/b/cat/x/1.jpg", "a/b/dog/1.jpg"], {"cat/x/1.jpg": ("train", "cat"), "dog/1.jpg": ("train", "dog")}),
        (
            ["pets/LICENSE", "pets/cat/1.jpg", "pets/dog/1.jpg"],
            {"cat/1.jpg": ("train", "cat"), "dog/1.jpg": ("train", "dog")},
        ),
        (
            ["train/cat/1.jpg", "train/dog/1.jpg", "val/cat/1.jpg", "test/dog/1.jpg"],
            {
                "train/cat/1.jpg": ("train", "cat"),
                "train/dog/1.jpg": ("train", "dog"),
                "val/cat/1.jpg": ("val", "cat"),
                "test/dog/1.jpg": ("test", "dog"),
            },
        ),
        (
            ["set/Training/cat/1.jpg", "set/Training/dog/1.jpg", "set/validation/cat/1.jpg"],
            {
                "Training/cat/1.jpg": ("train", "cat"),
                "Training/dog/1.jpg": ("train", "dog"),
                "validation/cat/1.jpg": ("val", "cat"),
            },
        ),
        # Pictures of trains, which are no training pictures.
        (["train/1.jpg", "bus/1.jpg"], {"train/1.jpg": ("train", "train"), "bus/1.jpg": ("train", "bus")}),
        (
            ["train/cat/1.jpg", "train/dog/1.jpg"],
            {"train/cat/1.jpg": ("train", "cat"), "train/dog/1.jpg": ("train", "dog")},
        ),
    ],
)
def test_classes_and_parts_are_found(names, expected):
    assert found(names) == expected


def test_the_order_of_names_does_not_matter():
    names = ["s/train/b/1.jpg", "s/train/a/1.jpg", "s/valid/a/2.jpg", "s/valid/c/2.jpg", "s/notes.txt"]
    forward, backward = (lay_out(each, [], place="here") for each in (names, names[::-1]))
    assert forward.classes == backward.classes == ("a", "b", "c")
    assert forward.parts == backward.parts == ("train", "val")
    assert forward.pictures == backward.pictures


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ([], "no pictures among 0 files"),
        (["a.txt", "b/c.csv"], "no pictures among 2 files"),
        (["1.jpg", "2.jpg"], "2 pictures such as '1.jpg' lie in no class folder"),
        (["cat/1.jpg"], "one class, 'cat'"),
        (["train/cat/1.jpg"], "one class, 'cat'"),
        (["val/cat/1.jpg", "test/dog/1.jpg"], "there is test/ and val/ but no folder of training pictures"),
        (["train/1.jpg", "val/1.jpg"], "train/ holds pictures but no class folders"),
        (["train/a/1.jpg", "val/a/1.jpg", "valid/b/1.jpg"], "val/ and valid/ would both be the val part"),
        (["train/n1/images/1.JPEG", "val/val_annotations.txt"], "this is Tiny ImageNet"),
    ],
)
def test_what_is_no_set_of_class_folders_says_what_it_is(names, reason):
    with pytest.raises(DataError, match=reason) as caught:
        lay_out(names, [], place="here")
    assert caught.value.place == "here"
    if "pictures" in reason or "class" in reason:
        assert "expected one folder of pictures per class (flowers/rose/1.jpg" in str(caught.value)


def test_what_is_left_out_is_listed():
    names = ["cat/1.jpg", "dog/1.jpg", "Dog/1.jpg", "loose.png", "README", "about.txt", "cat/list.csv", "groups.csv"]
    layout = lay_out(names, ["cat", "dog", "Dog", "cat/odd.jpg", "empty", "x.png"], place="here")
    assert layout.classes == ("Dog", "cat", "dog", "empty")
    assert {note.rule: (note.severity, note.files) for note in layout.notes if note.rule != "not-a-picture"} == {
        "no-class": ("warning", ("loose.png",)),
        "other-files": ("note", ("about.txt", "cat/list.csv")),
        "similar-classes": ("warning", ()),
    }
    assert [note.files for note in layout.notes if note.rule == "not-a-picture"] == [("cat/odd.jpg",), ("x.png",)]


def test_folders_that_hold_other_things_are_no_classes():
    layout = lay_out(["cat/1.jpg", "dog/1.jpg", "docs/a.txt"], ["cat", "dog", "docs"], place="here")
    assert layout.classes == ("cat", "dog")


def test_a_folder_and_its_archives_stream_the_same(tmp_path, lay, archive, classes_of):
    tree = classes_of(["b", "a"], 3, prefix="pets/train/") | classes_of(["a", "c"], 2, prefix="pets/val/")
    sources = [ClassFolders(lay(tmp_path / "pets", tree)), ClassFolders(tmp_path / "pets" / "pets")]
    sources += [ClassFolders(archive(tmp_path / f"pets{end}", tree)) for end in (".zip", ".tar", ".tar.xz", ".tar.gz")]
    for source in sources:
        streamed = {(each.name, each.part, each.label): data for each, data in source.stream()}
        assert streamed == {(name[5:], name.split("/")[1], name.split("/")[2]): data for name, data in tree.items()}
        assert (source.name, source.classes, source.readable) == ("pets", ("a", "b", "c"), ("a", "b", "c"))
        assert (source.parts, source.expected, source.notes) == (("train", "val"), 10, ())


def grouped(folder, lay, classes_of, text: str | bytes) -> ClassFolders:
    data = text if isinstance(text, bytes) else text.encode()
    return ClassFolders(lay(folder, classes_of(["a", "b"], 2) | {"groups.csv": data}))


def test_groups_come_from_groups_csv(tmp_path, lay, classes_of):
    text = "\ufefffile, group\r\na/0.png,anna\r\n\r\nb\\1.png,anna\r\na/1.png,\r\nc/9.png,x\r\n"
    source = grouped(tmp_path / "x", lay, classes_of, text)
    groups = {each.name: each.group for each, _ in source.stream()}
    assert groups == {"a/0.png": "anna", "b/1.png": "anna", "a/1.png": None, "b/0.png": None}
    assert [(note.rule, note.files) for note in source.notes] == [("unknown-file", ("c/9.png",))]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name,group\na/0.png,x\n", "first line must be 'file,group', not 'name,group'"),
        ("", "first line must be"),
        ("file,group\na/0.png,x,y\n", "line 2 has 3 cells"),
        ('file,group\n"a/0.png,x\n', "not a CSV"),
        (b"file,group\n\xff,x\n", "not a CSV file in UTF-8"),
    ],
)
def test_a_bad_groups_csv_is_refused(tmp_path, lay, classes_of, text, reason):
    with pytest.raises(DataError, match=reason) as caught:
        list(grouped(tmp_path / "x", lay, classes_of, text).stream())
    assert "groups.csv" in str(caught.value.place)
