"""CIFAR-10 and CIFAR-100 in the binary version, on pictures of noise; the pickled ones are refused unread."""

import numpy as np
import pytest

from glauke.errors import DataError
from glauke.images import find_source, make_split, open_pack
from glauke.images.packing._decode import decode
from glauke.images.sources import _published
from glauke.images.sources._cifar import CIFAR10, CIFAR100, Cifar

NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
FINE = tuple(f"kind_{i:02}" for i in range(100))


def drawn(count: int, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels (n), every class in turn, and pixels (n, 32, 32, 3)."""
    pixels = np.random.default_rng(seed).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
    return np.arange(count) % classes, pixels


def records(labels: np.ndarray, pixels: np.ndarray, *, coarse: bool) -> bytes:
    rows = []
    for label, picture in zip(labels.tolist(), pixels, strict=True):
        planes = b"".join(picture[:, :, channel].tobytes() for channel in range(3))
        rows.append((bytes([label // 5, label]) if coarse else bytes([label])) + planes)
    return b"".join(rows)


TEN = {name: drawn(10, 10, seed) for seed, name in enumerate(CIFAR10.parts)}
HUNDRED = {name: drawn(count, 100, count) for name, count in (("train.bin", 200), ("test.bin", 100))}
TREE10 = {name: records(*each, coarse=False) for name, each in TEN.items()} | {
    "batches.meta.txt": ("\n".join(NAMES) + "\n\n").encode(),
    "readme.html": b"<html>",
}
TREE100 = {name: records(*each, coarse=True) for name, each in HUNDRED.items()} | {
    "fine_label_names.txt": "\n".join(FINE).encode(),
    "coarse_label_names.txt": "\n".join(f"group_{i}" for i in range(20)).encode(),
}


def below(folder: str, tree: dict[str, bytes], **changes: bytes | None) -> dict[str, bytes]:
    changes = {name.replace("__", "."): data for name, data in changes.items()}
    return {f"{folder}/{name}": data for name, data in (tree | changes).items() if data is not None}


def test_a_record_worked_by_hand(tmp_path, lay):
    red_corner = bytearray(3073)
    red_corner[0], red_corner[1], red_corner[1 + 1024 + 33] = 7, 200, 100  # red at (0, 0), green at (1, 1)
    source = Cifar(lay(tmp_path, TREE10 | {"test_batch.bin": bytes(red_corner)}), CIFAR10)
    (picture, data), *more = [each for each in source.stream() if each[0].part == "test"]
    pixels = decode(data, size=32, channels=3)
    assert (picture.name, picture.label, more) == ("test/7/test_batch-00000.png", "7", [])
    assert pixels[0, 0].tolist() == [200, 0, 0] and pixels[1, 1].tolist() == [0, 100, 0]
    assert pixels.sum() == 300


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("end", [None, ".zip", ".tar.gz"])
@pytest.mark.parametrize(
    ("form", "tree", "arrays", "readable"), [(CIFAR10, TREE10, TEN, NAMES), (CIFAR100, TREE100, HUNDRED, FINE)]
)
def test_every_picture_comes_out_of_every_container(tmp_path, lay, archive, form, tree, arrays, readable, end, order):
    tree = dict(list(below(form.folder, tree).items())[::order])
    path = lay(tmp_path / "x", tree) if end is None else archive(tmp_path / f"x{end}", tree)
    source = find_source(form.name, path)
    found = {each.name: decode(data, size=32, channels=3) for each, data in source.stream()}
    expected = {
        f"{form.parts[name]}/{source.classes[label]}/{name.removesuffix('.bin')}-{row:05}.png": picture
        for name, (labels, pictures) in arrays.items()
        for row, (label, picture) in enumerate(zip(labels, pictures, strict=True))
    }
    assert found.keys() == expected.keys()
    assert all(np.array_equal(found[name], expected[name]) for name in expected)
    assert source.readable == readable and source.classes == tuple(sorted(source.classes))
    assert [note.rule for note in source.notes] == ["other-count", "other-count"]


def test_a_pack_has_the_official_test_part_held_out(cache, tmp_path, lay):
    pack = open_pack("cifar10", lay(tmp_path / "x", TREE10))
    assert (pack.size, pack.channels, pack.part_names, pack.readable) == (32, 3, ("train", "test"), NAMES)
    split = make_split(pack)
    assert (split.kind, len(split.train), len(split.val)) == ("official", 50, 10)
    assert len(make_split(pack, kind="train-only", val_fraction=0.2).val) == 10
    labels, pictures = TEN["data_batch_2.bin"]
    row = list(pack.names).index("train/4/data_batch_2-00004.png")
    assert np.array_equal(pack.images[row], pictures[4]) and pack.labels[row] == labels[4] == 4


CUT = TREE10["data_batch_3.bin"][:-1]


@pytest.mark.parametrize(
    ("form", "tree", "changes", "reason"),
    [
        (CIFAR10, TREE10, {"data_batch_3__bin": CUT}, "data_batch_3.bin: 30,729 bytes are not a whole number of pic"),
        (CIFAR10, TREE10, {"data_batch_3__bin": b""}, "0 bytes are not a whole number of pictures of 3,073 bytes"),
        (CIFAR10, TREE10, {"test_batch__bin": bytes([10]) + bytes(3072)}, "label 10 of picture 0 is not one of 0 to 9"),
        (CIFAR10, TREE10, {"data_batch_4__bin": None, "test_batch__bin": None}, "data_batch_4.bin and test_batch.bin"),
        (CIFAR10, TREE10, {"batches__meta__txt": b"cat\ndog\ncat"}, "3 names, 2 of them different, for 10 classes"),
        (CIFAR10, TREE10, {"batches__meta__txt": b"\xff"}, "not UTF-8 text"),
        (CIFAR100, TREE100, {"test__bin": bytes([20, 0]) + bytes(3072)}, "coarse label 20 of picture 0 .* 0 to 19"),
        (
            CIFAR100,
            TREE100,
            {"test__bin": bytes([0, 100]) + bytes(3072)},
            "label 100 of picture 0 is not one of 0 to 99",
        ),
        (CIFAR100, TREE10, {}, "train.bin and test.bin of cifar100 cannot be found among 8 files"),
    ],
)
def test_what_cannot_be_used_says_why(tmp_path, lay, form, tree, changes, reason):
    with pytest.raises(DataError, match=reason) as caught:
        list(find_source(form.name, lay(tmp_path / "x", below(form.folder, tree, **changes))).stream())
    assert str(tmp_path) in str(caught.value) and "\n" not in str(caught.value)


def test_without_their_names_the_classes_are_numbers(tmp_path, lay):
    source = Cifar(
        lay(tmp_path, {name: data for name, data in TREE100.items() if name != "fine_label_names.txt"}), CIFAR100
    )
    assert sum(1 for _ in source.heads()) == 300
    assert source.readable == source.classes == tuple(f"{i:02}" for i in range(100))
    assert [note.rule for note in source.notes] == ["no-names", "other-count", "other-count"]


PICKLED = {
    "cifar-10-batches-py": {**{f"data_batch_{i}": b"\x80\x02" for i in range(1, 6)}, "batches.meta": b"\x80\x02"},
    "cifar-100-python": {"train": b"\x80\x02", "test": b"\x80\x02", "meta": b"\x80\x02", "file.txt~": b""},
    "cifar-10-batches-mat": {f"data_batch_{i}.mat": b"MATLAB" for i in range(1, 6)},
}


@pytest.mark.parametrize("folder", PICKLED)
@pytest.mark.parametrize("container", ["folder", "parent", "archive", "by name"])
def test_pickles_are_refused_with_the_archive_to_get_instead(tmp_path, lay, archive, folder, container):
    form = CIFAR100 if "100" in folder else CIFAR10
    tree = below(folder, PICKLED[folder])
    if container == "archive":
        path = archive(
            tmp_path / f"{folder.replace('-batches-py', '-python').replace('-batches-mat', '-matlab')}.tar.gz", tree
        )
    else:
        path = lay(tmp_path / "x", tree) / (folder if container == "folder" else "")
    name, place = (form.name, path) if container == "by name" else (str(path), None)
    if container == "parent":
        with pytest.raises(DataError, match=f"name the data: {form.name} --source"):
            list(find_source(name, place).stream())
        return
    with pytest.raises(DataError, match=r"to unpickle a file is to run .*; get the binary version, https://") as caught:
        list(find_source(name, place).stream())
    assert form.archive.name in str(caught.value) and "\n" not in str(caught.value)


def test_a_path_is_recognised(tmp_path, lay, archive):
    for form, tree in ((CIFAR10, TREE10), (CIFAR100, TREE100)):
        root = lay(tmp_path / form.name, below(form.folder, tree))
        for path in (root, root / form.folder, archive(tmp_path / form.archive.name, below(form.folder, tree))):
            assert find_source(str(path)).name == form.name
    with pytest.raises(DataError, match=r"name the data: cifar10 --source .*x\.zip"):
        list(find_source(str(archive(tmp_path / "x.zip", below("a", TREE10)))).stream())


@pytest.mark.parametrize("form", [CIFAR10, CIFAR100])
def test_the_archive_is_downloaded_where_it_is_nowhere(cache, archive, form, monkeypatch):
    tree = below(form.folder, TREE10 if form is CIFAR10 else TREE100)

    def download(url, target, *, num_bytes, sha256, watch):
        assert (url, num_bytes, len(sha256)) == (form.archive.url, form.archive.num_bytes, 64)
        target.parent.mkdir(parents=True)
        return archive(target, tree)

    monkeypatch.setattr(_published.files, "download", download)
    source = find_source(form.name)
    assert source.path == cache / "downloads" / form.archive.name
    assert sum(1 for _ in source.stream()) == (60 if form is CIFAR10 else 300)
    assert find_source(form.name).path == source.path


def test_the_folder_in_data_is_found(cache, tmp_path, lay):
    lay(tmp_path / "empty/data", below(CIFAR10.folder, TREE10))
    assert find_source("cifar10").path is not None
    assert str(find_source("cifar10").path).endswith("data/cifar-10-batches-bin")
