"""Tiny ImageNet from each of its containers, and the ways in which it can be incomplete."""

from pathlib import Path

import pytest

from glauke.errors import CannotGoOnError, DataError
from glauke.images import find_source
from glauke.images.sources import _published
from glauke.images.sources._tiny_imagenet import ARCHIVE, TinyImageNet, readable_names

CRANE, MACHINE = "n01000001", "n02000001"


def streamed(source) -> dict[str, tuple[str, str]]:
    return {each.name: (each.part, each.label) for each, _ in source.stream()}


def expected(tree) -> dict[str, tuple[str, str]]:
    names = [
        name.removeprefix("tiny-imagenet-200/") for name in tree if name.endswith(".JPEG") and "/test/" not in name
    ]
    labels = {f"val_{i}.JPEG": (MACHINE, CRANE)[i % 2] for i in range(4)}
    return {
        name: ("train", name.split("/")[1]) if name.startswith("train") else ("val", labels[name.split("/")[-1]])
        for name in names
    }


def orders(tree) -> dict[str, dict[str, bytes]]:
    """The same members in the order of the official archive, backwards, and with the texts last or first."""
    names = list(tree)
    texts = [name for name in names if name.endswith(".txt")]
    rest = [name for name in names if name not in texts]
    return {
        key: {name: tree[name] for name in order}
        for key, order in {
            "as it is": names,
            "backwards": names[::-1],
            "texts last": [*rest, *texts],
            "texts first": [*texts, *rest],
        }.items()
    }


@pytest.mark.parametrize("order", ["as it is", "backwards", "texts last", "texts first"])
@pytest.mark.parametrize("end", [".zip", ".tar", ".tar.xz", ".tar.gz"])
def test_every_archive_in_any_order_gives_the_same(tmp_path, archive, tiny_tree, end, order):
    source = TinyImageNet(archive(tmp_path / f"x{end}", orders(tiny_tree)[order]))
    assert streamed(source) == expected(tiny_tree)
    assert (source.classes, source.parts, source.notes) == ((CRANE, MACHINE), ("train", "val"), ())
    assert source.readable == ("crane, bird", "crane, machine")


@pytest.mark.parametrize("inside", ["", "tiny-imagenet-200"])
def test_the_folder_and_the_folder_around_it_give_the_same(tmp_path, lay, tiny_tree, inside):
    source = find_source("tiny-imagenet", lay(tmp_path, tiny_tree) / inside)
    assert streamed(source) == expected(tiny_tree)
    assert {name: data for each, data in source.stream() for name in [each.name]} == {
        name: tiny_tree[f"tiny-imagenet-200/{name}"] for name in expected(tiny_tree)
    }


def test_the_test_part_makes_no_difference(tmp_path, lay, archive, tiny_tree):
    without = {name: data for name, data in tiny_tree.items() if "/test/" not in name}
    assert streamed(TinyImageNet(archive(tmp_path / "x.zip", without))) == expected(tiny_tree)
    folder = lay(tmp_path / "x", tiny_tree)
    before = TinyImageNet(folder).identity()
    (folder / "tiny-imagenet-200/test/images/test_0.JPEG").unlink()
    assert TinyImageNet(folder).identity() == before
    assert sum(1 for _ in TinyImageNet(folder).heads()) == 12


def changed(tree, drop: str = "\0", **texts: str) -> dict[str, bytes]:
    kept = {name: data for name, data in tree.items() if drop not in name}
    names = {"annotations": "val/val_annotations.txt", "wnids": "wnids.txt", "words": "words.txt"}
    return kept | {f"tiny-imagenet-200/{names[key]}": text.encode() for key, text in texts.items()}


def test_classes_come_from_the_train_folders_without_wnids(tmp_path, archive, tiny_tree):
    source = TinyImageNet(archive(tmp_path / "x.zip", changed(tiny_tree, "w")))  # neither wnids.txt nor words.txt
    assert streamed(source) == expected(tiny_tree)
    assert source.classes == source.readable == (CRANE, MACHINE)


def test_pictures_without_a_label_and_labels_without_a_picture_are_listed(tmp_path, archive, tiny_tree):
    rows = "".join(f"val_{i}.JPEG\t{CRANE}\t0\t0\t1\t1\n" for i in (0, 1, 2, 9))
    source = TinyImageNet(archive(tmp_path / "x.zip", changed(tiny_tree, annotations=rows)))
    assert len(streamed(source)) == 11
    assert [(note.rule, note.files) for note in source.notes] == [
        ("unlabelled", ("val/images/val_3.JPEG",)),
        ("missing-picture", ("val_9.JPEG",)),
    ]


def test_validation_pictures_in_class_folders_are_understood(tmp_path, lay, tiny_tree):
    tree = changed(tiny_tree, "/val/")
    for i, label in enumerate((CRANE, MACHINE)):
        tree[f"tiny-imagenet-200/val/{label}/images/val_{i}.JPEG"] = tiny_tree[
            f"tiny-imagenet-200/val/images/val_{i}.JPEG"
        ]
    names = streamed(TinyImageNet(lay(tmp_path, tree)))
    assert {name: label for name, (part, label) in names.items() if part == "val"} == {
        f"val/{CRANE}/images/val_0.JPEG": CRANE,
        f"val/{MACHINE}/images/val_1.JPEG": MACHINE,
    }


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"drop": "val_annotations"}, "4 validation pictures but no val/val_annotations.txt"),
        ({"drop": "/train/"}, "no training pictures; expected train/<class>/images/"),
        ({"wnids": f"{CRANE}\n"}, f"classes that wnids.txt does not list: 1, such as '{MACHINE}'"),
        ({"annotations": "val_0.JPEG n1\n"}, "line 1 is not 'picture<tab>class<tab>box'"),
    ],
)
def test_what_cannot_be_used_says_why(tmp_path, archive, tiny_tree, change, reason):
    with pytest.raises(DataError, match=reason):
        streamed(TinyImageNet(archive(tmp_path / "x.zip", changed(tiny_tree, **change))))


def test_readable_names_are_unique():
    words = "n1\tcat, puss\nn2\tcat, puss\nn3\tcat, tom\nn4\tdog\nn9\tother\nbroken line\n"
    assert readable_names(("n1", "n2", "n3", "n4", "n5"), words) == (
        "cat, puss (n1)",
        "cat, puss (n2)",
        "cat, tom",
        "dog",
        "n5",
    )


@pytest.mark.parametrize("name", ["tiny-imagenet-200.zip", "tiny-imagenet-200.tar.xz"])
@pytest.mark.parametrize("where", ["data", "cache"])
def test_it_is_looked_for_in_data_and_in_the_cache(cache, archive, tiny_tree, name, where):
    folder = Path("data") if where == "data" else cache / "downloads"
    folder.mkdir(parents=True)
    source = find_source("tiny-imagenet") if archive(folder / name, tiny_tree) else None
    assert source is not None and source.path == folder / name


def test_it_is_downloaded_where_it_is_nowhere(cache, archive, tiny_tree, monkeypatch):
    def download(url, target, *, num_bytes, sha256, watch):
        assert (url, num_bytes, sha256) == (ARCHIVE.url, 248_100_043, ARCHIVE.sha256)
        assert url.startswith("https://")
        watch(7, num_bytes)
        target.parent.mkdir(parents=True)
        return archive(target, tiny_tree)

    monkeypatch.setattr(_published.files, "download", download)
    seen = []
    source = find_source("tiny-imagenet", watch=seen.append)
    assert source.path == cache / "downloads" / "tiny-imagenet-200.zip"
    assert [(each.stage, each.done, each.total) for each in seen] == [("download", 7, 248_100_043)]
    assert find_source("tiny-imagenet").path == source.path  # the second time it is there


def test_without_a_network_one_sentence_says_where_to_put_it(cache, monkeypatch):
    def offline(*arguments, **options):
        raise CannotGoOnError("no network", place="x")

    monkeypatch.setattr(_published.files, "download", offline)
    with pytest.raises(CannotGoOnError) as caught:
        find_source("tiny-imagenet")
    sentence = str(caught.value)
    assert "\n" not in sentence
    for part in ("./data", str(cache / "downloads"), "no network", "tiny-imagenet-200.zip", "--source", ARCHIVE.url):
        assert part in sentence
