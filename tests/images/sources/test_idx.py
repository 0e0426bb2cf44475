"""IDX files and the two data sets in them: MNIST and Fashion-MNIST, on pictures of noise."""

import contextlib
import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from glauke.errors import CannotGoOnError, DataError
from glauke.images import find_source, make_split, open_pack, split_kinds
from glauke.images.packing._decode import decode
from glauke.images.sources import _published
from glauke.images.sources._idx import open_idx
from glauke.images.sources._mnist import CLOTHES, FILES, PUBLISHED, Mnist, idx_files

TRAIN, TEST = 20, 10


def head(*shape: int, kind: int = 8) -> bytes:
    return bytes([0, 0, kind, len(shape)]) + b"".join(side.to_bytes(4, "big") for side in shape)


def idx(array: np.ndarray) -> bytes:
    return head(*array.shape) + array.tobytes()


def drawn(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    pixels = np.random.default_rng(seed).integers(0, 256, (count, 28, 28), dtype=np.uint8)
    return pixels, (np.arange(count) * 7 % 10).astype(np.uint8)


ARRAYS = {"train": drawn(TRAIN, 0), "test": drawn(TEST, 1)}
TREE = dict(zip(FILES, (idx(each) for part in ARRAYS.values() for each in part), strict=True))
GZIPPED = {f"{name}.gz": gzip.compress(data, mtime=0) for name, data in TREE.items()}


def changed(drop: str = "\0", **files: bytes) -> dict[str, bytes]:
    return {name: data for name, data in TREE.items() if drop not in name} | {
        name.replace("_", "-"): data for name, data in files.items()
    }


def pixels_of(source) -> dict[str, np.ndarray]:
    return {each.name: decode(data, size=28, channels=1)[:, :, 0] for each, data in source.stream()}


def test_a_file_worked_by_hand():
    file = open_idx(bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6]), dimensions=2, place="x")
    assert file.shape == (2, 3)
    assert [block.tolist() for block in file.rows()] == [[[1, 2, 3], [4, 5, 6]]]


@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 3), st.integers(1, 3))), st.booleans())
def test_every_array_comes_back(array, zipped):
    data = idx(array)
    file = open_idx(gzip.compress(data, mtime=0) if zipped else data, dimensions=3, place="x")
    assert np.array_equal(np.concatenate(list(file.rows())), array)


def test_blocks_join_without_a_seam():
    labels = np.arange(9_000, dtype=np.uint8)
    blocks = list(open_idx(idx(labels), dimensions=1, place="x").rows())
    assert len(blocks) == 3 and np.array_equal(np.concatenate(blocks), labels)


@given(
    st.binary(max_size=80),
    st.sampled_from([b"", b"\x1f\x8b\x08\0", head(3, 2, 2), gzip.compress(head(3, 2, 2), mtime=0)[:-8]]),
)
def test_whatever_the_bytes_nothing_but_a_sentence_comes(data, start):
    with contextlib.suppress(DataError):
        for block in open_idx(start + data, dimensions=3, place="x").rows():
            assert block.shape[1:] == (2, 2) or not start


WHOLE = idx(np.zeros((4, 2, 2), np.uint8))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "has only 0 bytes"),
        (WHOLE[:3], "has only 3 bytes"),
        (b"\x89PNG" + WHOLE, "magic number 2051, and this one with 2303741511"),
        (idx(np.zeros(4, np.uint8)), "this one with 2049, that of labels"),
        (head(4, 2, 2, kind=13) + bytes(64), "this one with 3331"),
        (WHOLE[:9], "the head of the file is cut short"),
        (head(0, 2, 2), "names 0 rows"),
        (head(2**32 - 1, 28, 28), "names 4,294,967,295 rows"),
        (WHOLE[:-1], "cut short: it holds 3 of the 4 rows"),
        (WHOLE + b"\0", "more data follow after the 4 rows"),
        (gzip.compress(WHOLE, mtime=0)[:-9], "gzip data are damaged or cut short"),
        (gzip.compress(WHOLE, mtime=0)[:-8] + bytes(8), "gzip data are damaged or cut short"),
        (gzip.compress(WHOLE + b"\0", mtime=0), "more data follow after the 4 rows"),
    ],
)
def test_damaged_files_say_how(data, reason):
    with pytest.raises(DataError, match=reason) as caught:
        list(open_idx(data, dimensions=3, place="train.gz").rows())
    assert str(caught.value).startswith("train.gz: ") and "\n" not in str(caught.value)


@pytest.mark.parametrize("tree", [TREE, GZIPPED], ids=["plain", "gzip"])
@pytest.mark.parametrize("end", [None, ".zip", ".tar.gz"])
def test_folders_and_archives_give_every_picture(tmp_path, lay, archive, tree, end):
    reversed_ = dict(reversed(list(tree.items())))  # labels before pictures, test before train
    path = lay(tmp_path / "x", tree) if end is None else archive(tmp_path / f"x{end}", reversed_)
    source = find_source("mnist", path)
    expected = {
        f"{part}/{label}/{row:05}.png": picture
        for part, (pictures, labels) in ARRAYS.items()
        for row, (picture, label) in enumerate(zip(pictures, labels, strict=True))
    }
    found = pixels_of(source)
    assert found.keys() == expected.keys()
    assert all(np.array_equal(found[name], expected[name]) for name in expected)
    assert {(each.part, each.label) for each, _ in source.stream()} == {tuple(name.split("/")[:2]) for name in expected}


SPELLINGS = {
    "as published": "{}-{}-{}-ubyte",
    "unpacked by Windows": "{}-{}.{}-ubyte",
    "with underscores": "{}_{}_{}_ubyte",
    "below torchvision's folders": "MNIST/raw/{}-{}-{}-ubyte.gz",
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_every_spelling_is_known(spelling):
    names = [spelling.format(*name.split("-")) for name in FILES]
    assert set(idx_files([*names, "README", "train.csv"]).values()) == set(names)


def test_the_unpacked_file_and_the_upper_one_are_taken():
    nested = "train-labels-idx1-ubyte/train-labels-idx1-ubyte"
    assert idx_files([nested, "train-labels.idx1-ubyte"]) == {("train", "labels"): "train-labels.idx1-ubyte"}
    assert idx_files(["a/train-labels-idx1-ubyte.gz", "a/train-labels-idx1-ubyte"]) == {
        ("train", "labels"): "a/train-labels-idx1-ubyte"
    }


def test_two_sets_in_one_tree_are_never_mixed(tmp_path, lay):
    both = {f"{folder}/raw/{name}": data for folder in ("MNIST", "FashionMNIST") for name, data in TREE.items()}
    for data, source in (("mnist", lay(tmp_path / "x", both)), (str(tmp_path / "x"), None)):
        with pytest.raises(DataError, match=r"there are both FashionMNIST/raw/.* and MNIST/raw/"):
            list(find_source(data, source).stream())
    assert find_source(str(tmp_path / "x/FashionMNIST")).name == "fashion-mnist"
    assert find_source(str(tmp_path / "x/MNIST/raw")).name == "mnist"


@pytest.mark.parametrize(
    ("tree", "reason"),
    [
        (changed(drop="t10k-labels"), "has four files, and t10k-labels-idx1-ubyte .* cannot be found"),
        ({"train/1/a.png": b""}, "train-images-idx3-ubyte and .* cannot be found"),
        (changed(train_labels_idx1_ubyte=idx(np.zeros(19, np.uint8))), "19 labels for 20 pictures"),
        (changed(train_labels_idx1_ubyte=idx(np.full(20, 12, np.uint8))), "label 12 of picture 0 is not one of 0 to 9"),
        (changed(t10k_images_idx3_ubyte=idx(np.zeros((10, 32, 32), np.uint8))), "32 x 32 pixels, not 28 x 28"),
        (changed(train_images_idx3_ubyte=TREE[FILES[0]][:-1]), "it holds 19 of the 20 rows"),
    ],
)
def test_what_cannot_be_used_says_why(tmp_path, lay, tree, reason):
    with pytest.raises(DataError, match=reason) as caught:
        list(find_source("mnist", lay(tmp_path / "x", tree)).stream())
    assert str(tmp_path) in str(caught.value) and "\n" not in str(caught.value)


def test_what_is_not_as_published_is_noted(tmp_path, lay):
    source = Mnist(lay(tmp_path, TREE))
    assert sum(1 for _ in source.heads()) == TRAIN + TEST
    assert [note.message for note in source.notes] == [
        "the train part has 20 pictures; 60,000 were published",
        "the test part has 10 pictures; 10,000 were published",
    ]


def test_a_pack_has_the_official_test_part_held_out(cache, tmp_path, lay):
    pack = open_pack("fashion-mnist", lay(tmp_path / "x", GZIPPED))
    assert (pack.data, pack.size, pack.channels, pack.part_names) == ("fashion-mnist", 28, 1, ("train", "test"))
    assert (pack.classes, pack.readable) == (tuple("0123456789"), CLOTHES)
    assert split_kinds(pack) == ("pooled", "train-only", "official")
    split = make_split(pack)
    assert (split.kind, len(split.train), len(split.val)) == ("official", TRAIN, TEST)
    first = pack.images[int(np.flatnonzero(np.array(pack.names) == "train/7/00001.png")[0]), :, :, 0]
    assert np.array_equal(first, ARRAYS["train"][0][1])
    assert open_pack("fashion-mnist", tmp_path / "x").folder == pack.folder


def test_a_path_is_recognised(tmp_path, lay, archive, classes_of):
    assert isinstance(find_source(str(lay(tmp_path / "a/FashionMNIST/raw", GZIPPED).parent)), Mnist)
    assert find_source(str(archive(tmp_path / "mnist.zip", TREE))).name == "mnist"
    assert find_source(str(archive(tmp_path / "fashion-mnist.tar.gz", GZIPPED))).name == "fashion-mnist"
    pictures = archive(tmp_path / "mnist_png.zip", classes_of(["0", "1"], 2))
    assert not isinstance(find_source(str(pictures)), Mnist)
    with pytest.raises(DataError, match=r"name the data: mnist or fashion-mnist --source .*download\.zip"):
        list(find_source(str(archive(tmp_path / "download.zip", TREE))).stream())


@pytest.mark.parametrize("place", ["data/MNIST/raw", "data/mnist", "cache"])
def test_it_is_looked_for_where_people_keep_it(cache, lay, place):
    lay(cache / "downloads/mnist" if place == "cache" else Path(place), GZIPPED)
    assert len(pixels_of(find_source("mnist"))) == TRAIN + TEST


def test_four_files_are_fetched_and_a_half_fetched_set_is_completed(cache, lay, monkeypatch):
    fetched, seen = [], []

    def download(url, target, *, num_bytes, sha256, watch):
        assert url.startswith("https://") and len(sha256) == 64
        fetched.append((target.name, num_bytes))
        watch(num_bytes, num_bytes)
        lay(target.parent, {target.name: GZIPPED[target.name]})
        return target

    monkeypatch.setattr(_published.files, "download", download)
    lay(cache / "downloads/mnist", {f"{FILES[0]}.gz": b"left by an interrupted download"})
    source = find_source("mnist", watch=seen.append)
    assert source.path == cache / "downloads/mnist"
    assert fetched == [(each.name, each.num_bytes) for each in PUBLISHED["mnist"]]
    assert [each.done for each in seen] == [9_912_422, 9_941_303, 11_590_180, 11_594_722]
    assert {each.total for each in seen} == {11_594_722}
    assert find_source("mnist").path == source.path and len(fetched) == 4


def test_without_a_network_one_sentence_says_where_to_put_them(cache, monkeypatch):
    def offline(*arguments, **options):
        raise CannotGoOnError("no network", place="x")

    monkeypatch.setattr(_published.files, "download", offline)
    with pytest.raises(CannotGoOnError) as caught:
        find_source("fashion-mnist")
    sentence = str(caught.value)
    for part in ("fashion-mnist is neither in ./data", "its 4 files into ./data/fashion-mnist", "--source", "https://"):
        assert part in sentence
    assert "\n" not in sentence
