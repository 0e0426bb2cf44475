import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from glauke.errors import CannotGoOnError, DiskFullError
from glauke.files import new_folder, require_space, sha256, sweep, write_bytes, write_json, write_text

SOURCE = Path(__file__).parents[2] / "src"
POSIX = pytest.mark.skipif(os.name == "nt", reason="POSIX system calls")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def failing(monkeypatch, function, *, on_call, code):
    """Let `os.<function>` fail with `code` at the call number `on_call`, and work before and after."""
    original, calls = getattr(os, function), []

    def instead(*args, **kwargs):
        calls.append(args)
        if len(calls) == on_call:
            raise OSError(code, os.strerror(code))
        return original(*args, **kwargs)

    monkeypatch.setattr(os, function, instead)
    return calls


def test_a_file_is_written_and_replaced(tmp_path):
    path = tmp_path / "a.bin"

    write_bytes(path, b"old")
    write_bytes(path, b"new\r\n")

    assert path.read_bytes() == b"new\r\n"
    assert names(tmp_path) == ["a.bin"]


@POSIX
def test_the_order_is_content_then_name_then_folder(tmp_path, monkeypatch):
    log = []
    fsync, replace = os.fsync, os.replace

    def logged_fsync(handle):
        kind = "folder" if os.path.isdir(f"/proc/self/fd/{handle}") else "file"  # noqa: PTH112
        log.append(f"fsync {kind}")
        fsync(handle)

    def logged_replace(old, new):
        log.append("replace")
        assert Path(old).parent == Path(new).parent
        assert Path(old).read_bytes() == b"new"  # nothing is left in a buffer
        replace(old, new)

    monkeypatch.setattr(os, "fsync", logged_fsync)
    monkeypatch.setattr(os, "replace", logged_replace)
    write_bytes(tmp_path / "a", b"new")

    assert log == (["fsync file", "replace", "fsync folder"] if Path("/proc/self/fd").exists() else log)


@POSIX
@pytest.mark.parametrize(
    ("code", "error"),
    [
        (errno.ENOSPC, DiskFullError),
        (errno.EDQUOT, DiskFullError),
        (errno.EIO, CannotGoOnError),
        (errno.EACCES, CannotGoOnError),
        (errno.EXDEV, CannotGoOnError),
        (errno.EBUSY, CannotGoOnError),
    ],
)
@pytest.mark.parametrize(("function", "on_call"), [("fsync", 1), ("replace", 1)])
def test_a_failure_before_the_rename_leaves_the_old_file(tmp_path, monkeypatch, function, on_call, code, error):
    path = tmp_path / "a.json"
    path.write_bytes(b"old")
    failing(monkeypatch, function, on_call=on_call, code=code)

    with pytest.raises(error) as caught:
        write_bytes(path, b"new")

    assert type(caught.value) is error
    assert str(path) in str(caught.value)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a.json"]


@POSIX
def test_a_failing_fsync_of_the_folder_is_reported_and_leaves_a_whole_file(tmp_path, monkeypatch):
    failing(monkeypatch, "fsync", on_call=2, code=errno.EIO)

    with pytest.raises(CannotGoOnError, match="error"):
        write_bytes(tmp_path / "a", b"new")

    assert (tmp_path / "a").read_bytes() == b"new"
    assert names(tmp_path) == ["a"]


@POSIX
def test_a_folder_that_cannot_be_synced_is_no_failure(tmp_path, monkeypatch):
    failing(monkeypatch, "fsync", on_call=2, code=errno.EINVAL)

    write_bytes(tmp_path / "a", b"new")

    assert (tmp_path / "a").read_bytes() == b"new"


def test_windows_is_not_asked_to_sync_folders(tmp_path, monkeypatch):
    calls = failing(monkeypatch, "fsync", on_call=-1, code=0)
    monkeypatch.setattr("glauke.files._durable.os.name", "nt")
    write_bytes(tmp_path / "a", b"new")
    monkeypatch.undo()  # before pytest makes its next path

    assert len(calls) == 1


def test_a_missing_folder_and_a_folder_in_the_way_are_sentences(tmp_path):
    with pytest.raises(CannotGoOnError, match=r"missing.a: it cannot be written \(No such file"):
        write_bytes(tmp_path / "missing" / "a", b"")

    (tmp_path / "b").mkdir()
    with pytest.raises(CannotGoOnError, match=r"b: it cannot be written"):
        write_bytes(tmp_path / "b", b"")
    assert names(tmp_path) == ["b"]


@POSIX
def test_a_link_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "other").write_bytes(b"theirs")
    (tmp_path / "a").symlink_to(tmp_path / "other")

    write_bytes(tmp_path / "a", b"ours")

    assert (tmp_path / "other").read_bytes() == b"theirs"
    assert not (tmp_path / "a").is_symlink()


def run_python(code, *arguments, **options):
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    return subprocess.Popen([sys.executable, "-c", code, *arguments], env=environment, **options)


@POSIX
def test_a_write_that_the_system_cuts_short_leaves_the_old_file(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    code = """
import resource, sys
from pathlib import Path
from glauke.errors import CannotGoOnError
from glauke.files import write_bytes
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_bytes(Path(sys.argv[1]), bytes(5000))
except CannotGoOnError as error:
    print(error)
"""
    process = run_python(code, str(path), stdout=subprocess.PIPE, text=True)
    output, _ = process.communicate(timeout=30)

    assert "it cannot be written (File too large)" in output
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


@POSIX
@pytest.mark.parametrize("trial", range(6))
def test_kill_9_leaves_the_old_or_the_new_file(tmp_path, trial):
    path = tmp_path / "a"
    path.write_bytes(bytes([255]) * 2_000_000)
    code = """
import sys
from pathlib import Path
from glauke.files import write_bytes
print("ready", flush=True)
for number in range(100_000):
    write_bytes(Path(sys.argv[1]), bytes([number % 256]) * 2_000_000)
"""
    process = run_python(code, str(path), stdout=subprocess.PIPE)
    process.stdout.readline()
    time.sleep(0.013 * trial)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)
    process.stdout.close()

    content = path.read_bytes()
    assert len(content) == 2_000_000
    assert len(set(content)) == 1
    leftovers = [name for name in names(tmp_path) if name != "a"]
    assert all(name.startswith(".tmp-") for name in leftovers)
    assert len(leftovers) <= 1
    sweep(tmp_path, older_than_seconds=-1.0)
    assert names(tmp_path) == ["a"]


def test_text_is_utf8_with_its_own_line_ends(tmp_path):
    write_text(tmp_path / "a.txt", "γλαυκή\n")

    assert (tmp_path / "a.txt").read_bytes() == "γλαυκή\n".encode()


def test_json_keeps_order_and_letters_and_refuses_nan(tmp_path):
    path = tmp_path / "a.json"
    value = {"z": "γ", "a": [1, 2.5, None, True], "undecodable": "a\udcff"}

    write_json(path, value)

    assert json.loads(path.read_text(encoding="utf-8")) == value
    assert path.read_text(encoding="utf-8").startswith('{\n  "z": "γ",')
    assert path.read_bytes().endswith(b"}\n")
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, float("nan"))
    assert json.loads(path.read_text(encoding="utf-8")) == value


def test_sha256_is_hashlibs(tmp_path):
    data = bytes(range(256)) * 5000
    (tmp_path / "a").write_bytes(data)

    assert sha256(tmp_path / "a") == hashlib.sha256(data).hexdigest()


def test_a_new_folder_appears_complete_under_its_name(tmp_path):
    target = tmp_path / "cache" / "packs" / "pack"

    with new_folder(target) as folder:
        assert folder.parent == target.parent
        assert folder.name.startswith(".tmp-")
        (folder / "plots").mkdir()
        (folder / "plots" / "a").write_bytes(b"1")
        assert not target.exists()

    assert (target / "plots" / "a").read_bytes() == b"1"
    assert names(target.parent) == ["pack"]


@POSIX
def test_a_new_folder_syncs_every_file_and_folder_before_the_rename(tmp_path, monkeypatch):
    log = []
    fsync, rename = os.fsync, os.rename

    def logged_fsync(handle):
        log.append(os.fstat(handle).st_ino)
        fsync(handle)

    def logged_rename(old, new, **options):
        log.append("rename")
        rename(old, new, **options)

    with new_folder(tmp_path / "pack") as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "a").write_bytes(b"1")
        (folder / "b").write_bytes(b"2")
        inodes = {p.stat().st_ino for p in (folder, *folder.rglob("*"))}
        monkeypatch.setattr(os, "fsync", logged_fsync)
        monkeypatch.setattr(os, "rename", logged_rename)

    at = log.index("rename")
    assert set(log[:at]) == inodes
    assert log[at + 1 :] == [tmp_path.stat().st_ino]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, PermissionError])
def test_a_new_folder_vanishes_when_its_block_fails(tmp_path, error):
    with pytest.raises(error), new_folder(tmp_path / "pack") as folder:
        (folder / "a").write_bytes(b"1")
        raise error

    assert names(tmp_path) == []


def test_a_full_disk_in_the_block_is_said_so(tmp_path):
    with pytest.raises(DiskFullError, match="pack: the disk is full"), new_folder(tmp_path / "pack"):
        raise OSError(errno.ENOSPC, "No space left on device")

    assert names(tmp_path) == []


@POSIX
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_really_full_device_is_said_so(tmp_path):
    with pytest.raises(DiskFullError, match="the disk is full"), new_folder(tmp_path / "pack"):
        Path("/dev/full").write_bytes(b"1")


@POSIX
@pytest.mark.parametrize(("function", "on_call"), [("mkdir", 2), ("fsync", 1), ("fsync", 2), ("rename", 1)])
def test_a_new_folder_that_cannot_be_finished_leaves_nothing(tmp_path, monkeypatch, function, on_call):
    failing(monkeypatch, function, on_call=on_call, code=errno.EIO)

    with pytest.raises(CannotGoOnError, match="pack: it cannot be written"), new_folder(tmp_path / "pack") as f:
        (f / "a").write_bytes(b"1")

    assert names(tmp_path) == []


@pytest.mark.parametrize("content", [["theirs"], []])
def test_an_existing_folder_is_never_replaced(tmp_path, content):
    target = tmp_path / "pack"

    with pytest.raises(FileExistsError), new_folder(target):
        target.mkdir()
        for name in content:
            (target / name).touch()
    with new_folder(target, keep_existing=True) as folder:
        (folder / "ours").touch()

    assert names(target) == content
    assert names(tmp_path) == ["pack"]


@POSIX
def test_a_target_that_appears_at_the_last_moment_is_kept(tmp_path, monkeypatch):
    target = tmp_path / "pack"
    answers = iter([False])
    monkeypatch.setattr(os.path, "lexists", lambda path: next(answers, True))

    with new_folder(target, keep_existing=True):
        target.mkdir()
        (target / "theirs").touch()

    assert names(target) == ["theirs"]
    assert names(tmp_path) == ["pack"]


def test_sweep_removes_what_is_old_and_nothing_else(tmp_path):
    now = time.time()
    for name, age in [(".tmp-old", 90000), (".tmp-new", 80000), ("kept", 90000)]:
        (tmp_path / name).write_bytes(b"")
        os.utime(tmp_path / name, (now - age, now - age))
    for name, age in [(".tmp-old-folder", 90000), (".tmp-busy-folder", 10)]:
        (tmp_path / name / "deep").mkdir(parents=True)
        (tmp_path / name / "deep" / "a").touch()
        for path, seconds in [("deep/a", age), ("deep", 90000), (".", 90000)]:
            os.utime(tmp_path / name / path, (now - seconds, now - seconds))

    sweep(tmp_path)
    sweep(tmp_path / "missing")

    assert names(tmp_path) == [".tmp-busy-folder", ".tmp-new", "kept"]


@POSIX
def test_sweep_removes_links_and_never_what_they_lead_to(tmp_path):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "a").touch()
    (tmp_path / ".tmp-link").symlink_to(tmp_path / "theirs")
    (tmp_path / ".tmp-dangling").symlink_to(tmp_path / "nowhere")

    sweep(tmp_path, older_than_seconds=-1.0)

    assert names(tmp_path) == ["theirs"]
    assert names(tmp_path / "theirs") == ["a"]


def test_space_is_asked_of_the_nearest_folder_that_exists(tmp_path):
    require_space(tmp_path / "not" / "yet", 1)

    with pytest.raises(DiskFullError, match=r"yet: 1,000,000,000,000,000,000 bytes are needed and [\d,]+ are free"):
        require_space(tmp_path / "not" / "yet", 10**18)
