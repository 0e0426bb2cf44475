"""What lies in a pack: every picture that can be read, in a fixed order, and a finding for every other."""

import hashlib
import os
import struct
import sys
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from glauke.errors import DataError
from glauke.images import Finding, PackProgress, open_pack
from glauke.images.packing import _packing as packing


def rules(findings: tuple[Finding, ...]) -> dict[tuple[str, str], list[str]]:
    told: dict[tuple[str, str], list[str]] = {}
    for each in findings:
        told.setdefault((each.rule, each.severity), []).extend(each.files)
    return told


def digest(folder: Path) -> str:
    rows = [
        f"{path.relative_to(folder)} {path.lstat().st_mode} {path.lstat().st_mtime_ns}" for path in folder.rglob("*")
    ]
    rows += [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*")) if path.is_file()]
    return "\n".join(sorted(rows))


def test_the_same_pictures_make_the_same_pack_from_every_container(cache, tmp_path, lay, archive, classes_of):
    tree = classes_of(["b", "a"], 3, prefix="p/val/") | classes_of(["b", "a"], 5, prefix="p/train/")
    paths = [lay(tmp_path / "p", tree), tmp_path / "p/p"]
    paths += [archive(tmp_path / f"p{end}", tree) for end in (".zip", ".tar", ".tar.xz", ".tar.gz")]
    paths.append(archive(tmp_path / "q.zip", dict(reversed(tree.items()))))
    packs = [open_pack(str(path)) for path in paths]
    assert len({pack.folder for pack in packs}) == len(paths)
    assert len({pack.fingerprint for pack in packs}) == 1
    first = packs[0]
    assert list(first.names) == sorted(name[2:] for name in tree)  # train before val, a before b
    assert first.part_names == ("train", "val") and first.classes == first.readable == ("a", "b")
    assert first.labels.tolist() == [0] * 5 + [1] * 5 + [0] * 3 + [1] * 3
    assert first.parts.tolist() == [0] * 10 + [1] * 6
    for pack in packs:
        assert list(pack.names) == list(first.names)
        for name, pixels in zip(pack.names, pack.images, strict=True):
            assert np.array_equal(pixels, np.asarray(Image.open(BytesIO(tree[f"p/{name}"])))), name
        for column in ("labels", "parts", "duplicates"):
            assert np.array_equal(getattr(pack, column), getattr(first, column))
    assert [pack.source_sha256 is None for pack in packs] == [True, True, *[False] * 5]
    assert packs[2].source_sha256 == hashlib.sha256(paths[2].read_bytes()).hexdigest()


def test_another_picture_label_name_or_size_has_another_fingerprint(cache, tmp_path, lay, classes_of, picture):
    tree = classes_of(["a", "b"], 3)
    one = tree["a/0.png"]
    others = [
        tree,
        tree | {"a/0.png": picture("other")},
        {name: data for name, data in tree.items() if name != "a/0.png"} | {"b/0.png": one},
        {name: data for name, data in tree.items() if name != "a/0.png"} | {"a/9.png": one},
        tree | {"c/0.png": picture("c")},
    ]
    packs = [open_pack(str(lay(tmp_path / str(i), each))) for i, each in enumerate(others)]
    packs.append(open_pack(str(tmp_path / "0"), size=4))
    assert len({pack.fingerprint for pack in packs}) == 6


def test_mean_and_std_are_over_all_pixels(cache, tmp_path, lay, classes_of):
    pack = open_pack(str(lay(tmp_path / "x", classes_of(["a", "b"], 4))))
    pixels = pack.images.reshape(-1, 3) / 255
    assert pack.mean == pytest.approx(pixels.mean(axis=0), abs=1e-12)
    assert pack.std == pytest.approx(pixels.std(axis=0), abs=1e-12)


def test_many_pictures_go_through_processes_and_come_out_the_same(cache, tmp_path, lay, classes_of, monkeypatch):
    tree = classes_of(["a", "b", "c"], 20) | {"c/broken.png": b"\x89PNG broken"}
    alone = open_pack(str(lay(tmp_path / "x", tree)))
    monkeypatch.setattr(packing, "_ALONE_FILES", 10)
    monkeypatch.setattr(packing, "_CHUNK_FILES", 7)
    monkeypatch.setattr(packing, "_num_cores", lambda: 2)
    started = []
    real = packing.Decoders
    monkeypatch.setattr(packing, "Decoders", lambda *a, **k: started.append(1) or real(*a, **k))
    together = open_pack(str(lay(tmp_path / "y/x", tree)))
    assert started == [1]
    assert together.fingerprint == alone.fingerprint and np.array_equal(together.images, alone.images)
    assert (together.mean, together.std, together.findings) == (alone.mean, alone.std, alone.findings)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def hostile(lay, folder: Path, tree: dict[str, bytes]) -> tuple[Path, dict[str, str]]:
    """A folder with every kind of bad file, and the rule that each must be listed under."""
    noise = BytesIO()
    Image.effect_noise((64, 64), 60).save(noise, "JPEG")
    whole = noise.getvalue()
    tiff = BytesIO()
    Image.new("L", (8, 8)).save(tiff, "TIFF")
    bad = {
        "a/cut.jpg": (whole[: len(whole) // 2], "damaged"),
        "a/start only.jpg": (whole[:10], "damaged"),
        "a/zero.jpg": (b"", "empty"),
        "a/page.jpg": (b"<html>not found</html>", "not-a-picture"),
        "a/drawing.png": (b"<svg/>", "not-a-picture"),
        "b/print.jpg": (b"%!PS-Adobe EPSF", "not-a-picture"),
        "b/scan.tif": (tiff.getvalue(), "not-a-picture"),
        "b/noise": (bytes(range(256)), "not-a-picture"),
        "b/bomb.png": (
            b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", bytes.fromhex("00007530000075300100000000")) + chunk(b"IDAT", b""),
            "too-large",
        ),
    }
    lay(folder, tree | {name: data for name, (data, _) in bad.items()})
    listed = {name: rule for name, (_, rule) in bad.items()}
    (folder / "a/folder.jpg").mkdir()
    listed["a/folder.jpg"] = "not-a-picture"
    if sys.platform != "win32":
        os.mkfifo(folder / "b/fifo.jpg")
        (folder / "b/gone.jpg").symlink_to("nowhere.jpg")
        listed |= {"b/fifo.jpg": "unreadable", "b/gone.jpg": "unreadable"}
    return folder, listed


def test_every_bad_file_is_listed_and_none_is_packed_or_changed(cache, tmp_path, lay, classes_of, picture):
    tree = classes_of(["a", "b"], 3)
    tree["a/png called.jpg"] = picture("named wrongly")
    folder, listed = hostile(lay, tmp_path / "x", tree)
    before = digest(folder)
    pack = open_pack(str(folder))
    assert digest(folder) == before
    assert list(pack.names) == sorted(tree)
    told = {name: each for each in pack.findings for name in each.files}
    assert {name: each.rule for name, each in told.items()} == listed
    for name, each in told.items():
        assert each.severity == "warning"
        assert each.message.startswith(f"{name}: ") and len(each.message) > len(name) + 8


def test_a_file_that_vanishes_while_packing_is_listed(cache, tmp_path, lay, classes_of):
    folder = lay(tmp_path / "x", classes_of(["a", "b"], 3))

    def watch(progress: PackProgress) -> None:
        (folder / "b/2.png").unlink(missing_ok=True)

    pack = open_pack(str(folder), watch=watch)
    assert len(pack.names) == 5
    assert rules(pack.findings) == {("unreadable", "warning"): ["b/2.png"]}


def test_same_pictures_and_groups_are_found_over_parts_and_formats(cache, tmp_path, lay, classes_of):
    tree = classes_of(["a", "b"], 3, prefix="train/") | classes_of(["a", "b"], 2, prefix="val/")
    tree["val/a/0.png"] = tree["train/a/0.png"]
    bitmap = BytesIO()
    Image.open(BytesIO(tree["train/b/1.png"])).save(bitmap, "BMP")
    tree["val/a/1.png"] = bitmap.getvalue()
    tree["groups.csv"] = b"file,group\ntrain/b/1.png,g\ntrain/b/2.png,g\n"
    pack = open_pack(str(lay(tmp_path / "x", tree)))
    assert rules(pack.findings) == {
        ("same-content", "note"): ["train/a/0.png", "val/a/0.png"],
        ("same-content-other-label", "warning"): ["train/b/1.png", "val/a/1.png"],
    }
    together = {}
    for name, number in zip(pack.names, pack.duplicates.tolist(), strict=True):
        together.setdefault(number, []).append(name)
    assert [each for each in together.values() if len(each) > 1] == [
        ["train/a/0.png", "val/a/0.png"],
        ["train/b/1.png", "train/b/2.png", "val/a/1.png"],
    ]


def test_classes_that_are_small_or_missing_in_a_part_are_told(cache, tmp_path, lay, classes_of, picture):
    tree = classes_of(["a", "b"], 3, prefix="train/") | classes_of(["b"], 2, prefix="val/")
    tree["train/c/1.png"] = picture("c")
    folder = lay(tmp_path / "x", tree)
    (folder / "train/d").mkdir()
    told = [each.message for each in open_pack(str(folder)).findings]
    assert told == [
        "the class 'c' has 1 picture; training needs two",
        "the class 'd' has no pictures; training needs two",
        "the class 'd' has no pictures in the train part",
        "the class 'a' has no pictures in the val part",
        "the class 'c' has no pictures in the val part",
        "the class 'd' has no pictures in the val part",
    ]


def test_nothing_that_can_be_read_is_an_error_with_a_reason(cache, tmp_path, lay, picture):
    tree = {"a/1.jpg": b"<html>", "b/2.jpg": b""}
    with pytest.raises(DataError, match=r"no picture that can be read; for example a/1.jpg: it is an HTML page"):
        open_pack(str(lay(tmp_path / "x", tree)))
    with pytest.raises(DataError, match=r"only the class 'a' has pictures that can be read; for example a/1.jpg: it"):
        open_pack(str(lay(tmp_path / "y", tree | {"a/3.png": picture(1)})))
    assert not list((cache / "packs").iterdir())


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([(8, 8), (8, 8)], 8),
        ([(256, 256)] * 2, 256),
        ([(257, 257)] * 2, 128),
        ([(32, 24), (32, 24)], 64),
        ([(96, 200), (96, 96), (500, 500)], 64),
        ([(97, 97), (97, 98), (10, 10)], 128),
    ],
)
def test_the_size_comes_from_the_pictures(cache, tmp_path, lay, picture, sizes, expected):
    tree = {f"{'ab'[i % 2]}/{i}.png": picture(i, size=size) for i, size in enumerate(sizes)}
    tree |= {"a/broken.png": b"\x89PNG", "b/5.png": picture(5, size=sizes[0])}
    pack = open_pack(str(lay(tmp_path / "x", tree)))
    assert pack.size == expected and pack.images.shape[1:] == (expected, expected, 3)


def test_a_size_that_is_asked_for_holds(cache, tmp_path, lay, classes_of, tiny_tree):
    folder = lay(tmp_path / "x", classes_of(["a", "b"], 2))
    assert open_pack(str(folder), size=5).images.shape == (4, 5, 5, 3)
    lay(tmp_path / "t", tiny_tree)
    assert open_pack("tiny-imagenet", tmp_path / "t").images.shape == (12, 64, 64, 3)
    assert open_pack("tiny-imagenet", tmp_path / "t", size=32).images.shape == (12, 32, 32, 3)


def test_progress_is_told_in_order_and_to_the_end(cache, tmp_path, lay, classes_of):
    seen: list[PackProgress] = []
    open_pack(str(lay(tmp_path / "x", classes_of(["a", "b"], 6))), watch=seen.append)
    assert list(dict.fromkeys(each.stage for each in seen)) == ["look", "decode", "write"]
    for stage in ("decode", "write"):
        done = [each.done for each in seen if each.stage == stage]
        assert done == sorted(done) and done[-1] == 12
        assert all(each.total in (None, 12) for each in seen if each.stage == stage)
