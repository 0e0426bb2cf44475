"""A pack is built once, found again, and never trusted when it is damaged."""

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from glauke.errors import DataError, DiskFullError, UsageError
from glauke.images import Pack, make_split, open_pack, read_pack, verify
from glauke.images.packing import _pack
from glauke.images.packing import _packing as packing


@pytest.fixture
def pets(cache, tmp_path, lay, classes_of) -> Path:
    return lay(tmp_path / "pets", classes_of(["a", "b"], 4))


@pytest.fixture
def builds(monkeypatch) -> list[str]:
    """The data whose pack was built, in order."""
    built = []
    real = _pack.build_pack

    def build(source, folder, **options):
        built.append(source.name)
        real(source, folder, **options)

    monkeypatch.setattr(_pack, "build_pack", build)
    return built


def same(a: Pack, b: Pack) -> bool:
    return (a.fingerprint, a.findings, a.mean, list(a.names)) == (
        b.fingerprint,
        b.findings,
        b.mean,
        list(b.names),
    ) and np.array_equal(a.images, b.images)


def test_a_pack_is_built_once_and_the_second_time_nothing_is_read(pets, builds, monkeypatch):
    first = open_pack(str(pets))
    monkeypatch.setattr(_pack, "build_pack", None)
    second = open_pack(str(pets))
    assert builds == ["pets"]
    assert same(first, second)
    assert first.folder.parent.name == "packs" and [p.name for p in first.folder.parent.iterdir()] == [
        first.folder.name
    ]
    assert sorted(p.name for p in first.folder.iterdir()) == [
        "duplicates.npy",
        "images.npy",
        "labels.npy",
        "manifest.json",
        "names.json",
        "parts.npy",
    ]


def test_names_are_read_when_they_are_first_used(pets):
    open_pack(str(pets))
    pack = open_pack(str(pets))
    path = pack.folder / "names.json"
    text = path.read_bytes()
    path.unlink()
    assert len(pack.names) == 8
    path.write_bytes(text.replace(b"a/0", b"a/9"))
    with pytest.raises(DataError, match="names do not have their checksum"):
        list(pack.names)
    path.write_bytes(text)
    assert (pack.names[0], pack.names[-1], pack.names[2:4]) == ("a/0.png", "b/3.png", ["a/2.png", "a/3.png"])
    assert "b/0.png" in pack.names and pack.names.index("b/0.png") == 4


def test_a_picture_edited_in_place_leads_to_a_new_pack(pets, builds, picture):
    before = open_pack(str(pets))
    path = pets / "a/0.png"
    old = path.stat()
    path.write_bytes(picture("another").ljust(old.st_size, b"\0"))
    assert path.stat().st_size == old.st_size
    os.utime(path, ns=(old.st_atime_ns, old.st_mtime_ns + 1))
    after = open_pack(str(pets))
    assert builds == ["pets", "pets"]
    assert before.fingerprint != after.fingerprint and before.folder != after.folder


def test_adding_removing_and_grouping_lead_to_new_packs(pets, builds, picture):
    seen = {open_pack(str(pets)).folder}
    (pets / "b/9.png").write_bytes(picture(9))
    seen.add(open_pack(str(pets)).folder)
    (pets / "b/9.png").unlink()
    (pets / "b/0.png").unlink()
    seen.add(open_pack(str(pets)).folder)
    (pets / "groups.csv").write_text("file,group\na/0.png,g\na/1.png,g\n")
    grouped = open_pack(str(pets))
    seen.add(grouped.folder)
    assert len(builds) == len(seen) == 4
    assert grouped.duplicates.tolist() == [0, 0, 2, 3, 4, 5, 6]


def test_a_finished_pack_opens_quickly(pets):
    open_pack(str(pets))
    start = time.perf_counter()
    open_pack(str(pets))
    assert time.perf_counter() - start < 0.2


DAMAGES = {
    "images cut": lambda f: os.truncate(f / "images.npy", (f / "images.npy").stat().st_size - 1),
    "images longer": lambda f: (f / "images.npy").write_bytes((f / "images.npy").read_bytes() + b"x"),
    "images gone": lambda f: (f / "images.npy").unlink(),
    "images empty": lambda f: (f / "images.npy").write_bytes(b""),
    "images of another shape": lambda f: np.save(f / "images.npy", np.zeros((8, 8, 8, 1), np.uint8)),
    "images of another kind": lambda f: np.save(f / "images.npy", np.zeros((8, 8, 8, 3), np.int8)),
    "images no array": lambda f: (f / "images.npy").write_bytes(bytes(2000)),
    "labels changed": lambda f: np.save(f / "labels.npy", np.zeros(8, np.int64)),
    "labels gone": lambda f: (f / "labels.npy").unlink(),
    "duplicates cut": lambda f: os.truncate(f / "duplicates.npy", 100),
    "manifest gone": lambda f: (f / "manifest.json").unlink(),
    "manifest cut": lambda f: os.truncate(f / "manifest.json", 50),
    "manifest no JSON": lambda f: (f / "manifest.json").write_text("hello"),
    "manifest a list": lambda f: (f / "manifest.json").write_text("[]"),
    "manifest edited": lambda f: (f / "manifest.json").write_text(
        (f / "manifest.json").read_text().replace('"pictures": 8', '"pictures": 7')
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_pack_is_refused_and_rebuilt(pets, builds, damage):
    whole = open_pack(str(pets))
    pixels = np.array(whole.images)
    DAMAGES[damage](whole.folder)
    with pytest.raises(DataError, match="the pack is damaged"):
        read_pack(whole.folder)
    again = open_pack(str(pets))
    assert builds == ["pets", "pets"]
    assert again.fingerprint == whole.fingerprint and np.array_equal(again.images, pixels)
    verify(again)
    assert [path.name for path in whole.folder.parent.iterdir()] == [whole.folder.name]


def test_any_flipped_bit_is_found_at_opening_or_by_verify(pets, monkeypatch):
    monkeypatch.setattr(packing, "_BLOCK_BYTES", 500)  # several blocks
    pack = open_pack(str(pets))
    verify(pack)
    rng = np.random.default_rng(0)
    for name in ("images.npy", "labels.npy", "parts.npy", "duplicates.npy", "names.json", "manifest.json"):
        path = pack.folder / name
        whole = path.read_bytes()
        for place in rng.integers(0, len(whole), 12).tolist():
            flipped = bytearray(whole)
            flipped[place] ^= 1 << int(rng.integers(8))
            path.write_bytes(flipped)
            try:
                damaged = read_pack(pack.folder)
                verify(damaged)
                unchanged = same(damaged, pack) and np.array_equal(damaged.labels, pack.labels)
                assert unchanged, f"byte {place} of {name}"  # a space of the manifest or of the header
            except DataError as error:
                assert "the pack is damaged" in str(error)
            path.write_bytes(whole)


def test_verify_names_the_pictures(pets, monkeypatch):
    monkeypatch.setattr(packing, "_BLOCK_BYTES", 2 * 8 * 8 * 3)  # two pictures
    pack = open_pack(str(pets))
    seen = []
    verify(pack, watch=seen.append)
    assert [(each.stage, each.done, each.total) for each in seen] == [("verify", n, 8) for n in (2, 4, 6, 8)]
    path = pack.folder / "images.npy"
    data = bytearray(path.read_bytes())
    data[-3 * 8 * 8 * 3 - 1] ^= 1  # in the fifth picture
    path.write_bytes(data)
    with pytest.raises(DataError, match="pictures 4 to 5 do not have their checksum"):
        verify(read_pack(pack.folder))


def test_a_build_that_fails_leaves_nothing(pets, monkeypatch):
    def fail(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(packing, "_write_images", fail)
    with pytest.raises(KeyboardInterrupt):
        open_pack(str(pets))
    monkeypatch.undo()
    assert list((pets.parent / "cache/packs").iterdir()) == []


def test_a_full_disk_is_told_as_such(pets, monkeypatch):
    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(packing, "decode_chunk", full)
    with pytest.raises(DiskFullError):
        open_pack(str(pets))
    monkeypatch.setattr(packing.files, "require_space", full)
    with pytest.raises(DiskFullError):
        open_pack(str(pets))


@pytest.mark.parametrize("size", [0, -1, 1025])
def test_an_impossible_size_is_refused(pets, size):
    with pytest.raises(UsageError, match="1 to 1024"):
        open_pack(str(pets), size=size)


def test_two_processes_at_once_end_with_one_valid_pack(pets, cache):
    code = (
        "import sys; from glauke import images; sys.stdin.read(1)\n"
        f"pack = images.open_pack({str(pets)!r}); images.verify(pack); print(pack.fingerprint, *pack.names)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    processes = [
        subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        for _ in range(2)
    ]
    for process in processes:
        process.stdin.write(b"x")
        process.stdin.flush()
    told = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert told[0] == told[1] != b""
    assert len(list((cache / "packs").iterdir())) == 1
    assert open_pack(str(pets)).fingerprint == told[0].decode().split()[0]


def test_a_pack_lost_to_a_faster_process_is_not_missed(pets, monkeypatch):
    real = _pack.build_pack

    def slow(source, folder, **options):
        real(source, folder, **options)
        monkeypatch.setattr(_pack, "build_pack", real)
        faster.append(open_pack(str(pets)))

    faster: list[Pack] = []
    monkeypatch.setattr(_pack, "build_pack", slow)
    assert same(open_pack(str(pets)), faster[0])


def test_images_works_without_torch():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from glauke import images\n"
        "assert 'Batches' in dir(images)\n"
        "try: images.Batches\n"
        "except ImportError: print('without')\n"
        "try: images.nonsense\n"
        "except AttributeError: print('torch')\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.stdout.split() == ["without", "torch"], done.stderr


@pytest.mark.slow
def test_tiny_imagenet_is_what_it_is_known_to_be(datasets):
    """The published numbers, and the 27 pairs of equal pictures under two labels, from the archive itself."""
    path = datasets / "tiny-imagenet-200.tar.xz"
    # In a process without the type checks of the tests, under which it takes three times as long.
    code = (
        f"from pathlib import Path; from glauke import images; images.open_pack('tiny-imagenet', Path({str(path)!r}))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    pack = open_pack("tiny-imagenet", path)
    assert pack.images.shape == (110_000, 64, 64, 3)
    assert (np.bincount(pack.labels[pack.parts == 0]) == 500).all()
    assert (np.bincount(pack.labels[pack.parts == 1]) == 50).all()
    assert len(set(pack.readable)) == len(pack.classes) == 200
    assert pack.readable[pack.classes.index("n01443537")] == "goldfish"
    assert pack.mean == pytest.approx((0.4804, 0.4482, 0.3976), abs=2e-4)
    assert pack.std == pytest.approx((0.2764, 0.2689, 0.2817), abs=2e-4)
    assert [each.rule for each in pack.findings] == ["same-content-other-label"] * 27
    assert (np.unique(pack.duplicates, return_counts=True)[1] > 1).sum() == 27
    pooled, alone, official = (make_split(pack, kind=kind) for kind in (None, "train-only", "official"))
    assert (pooled.kind, len(pooled.train), len(pooled.val)) == ("pooled", 77_000, 33_000)
    assert (len(alone.train), len(alone.val)) == (70_000, 30_000)
    assert (np.bincount(pack.labels[pooled.val]) == 165).all() and (np.bincount(pack.labels[alone.val]) == 150).all()
    assert (len(official.train), len(official.val)) == (99_993, 10_000)
    assert official.notes == ("7 pictures of the training part are left out: the val part has them too",)
