"""Folders and archives look the same; what cannot be read is named and never waited for."""

import os
import sys
from pathlib import Path

import pytest

from glauke.errors import DataError
from glauke.images.sources import _tree
from glauke.images.sources._tree import ArchiveTree, FolderTree, open_tree

TREE = {"b/2.png": b"22", "a/1.png": b"1", "a/deep/3.png": b"333", "notes.txt": b"n"}
HIDDEN = {".git/config": b"", "a/.hidden.png": b"", "__MACOSX/a/._1.png": b"", "a/Thumbs.db": b"", "b/desktop.ini": b""}

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="POSIX file systems only")


def everything(tree: FolderTree | ArchiveTree) -> dict[str, bytes]:
    return dict(tree.read(lambda name: True))


def test_a_folder_and_its_archives_hold_the_same(tmp_path, lay, archive):
    trees = [open_tree(lay(tmp_path / "folder", TREE | HIDDEN))]
    trees += [open_tree(archive(tmp_path / f"x{end}", TREE | HIDDEN)) for end in (".zip", ".tar", ".tar.xz", ".tar.gz")]
    for tree in trees:
        assert sorted(tree.names()) == sorted(TREE)
        assert sorted(tree.folders()) == ["a", "a/deep", "b"]
        assert everything(tree) == TREE
        assert dict(tree.read("a/1.png".__eq__)) == {"a/1.png": b"1"}


def test_a_folder_is_read_in_sorted_order_however_the_system_lists_it(tmp_path, lay, monkeypatch):
    folder = lay(tmp_path / "x", TREE)
    expected, identity = FolderTree(folder).names(), FolderTree(folder).identity()
    real = os.scandir

    class Backwards:
        def __init__(self, path):
            self.entries = sorted(real(path), key=lambda e: e.name, reverse=True)

        def __enter__(self):
            return iter(self.entries)

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(_tree.os, "scandir", Backwards)
    assert FolderTree(folder).names() == expected == sorted(TREE)
    assert FolderTree(folder).identity() == identity


def test_identity_changes_with_every_change(tmp_path, lay):
    folder = lay(tmp_path / "x", TREE)
    seen = {FolderTree(folder).identity()}
    assert FolderTree(folder).identity() in seen

    def changed() -> None:
        now = FolderTree(folder).identity()
        assert now not in seen
        seen.add(now)

    picture = folder / "a/1.png"
    picture.write_bytes(b"9")  # in place, same size
    os.utime(picture, ns=(1, 1))
    changed()
    picture.write_bytes(b"99")
    os.utime(picture, ns=(1, 1))
    changed()
    picture.rename(folder / "b/1.png")
    changed()
    (folder / "empty").mkdir()
    changed()
    (folder / "b/1.png").unlink()
    changed()


def test_an_archive_is_known_by_place_size_and_time(tmp_path, archive):
    path = archive(tmp_path / "x.zip", TREE)
    first = ArchiveTree(path).identity()
    os.utime(path, ns=(1, 1))
    assert ArchiveTree(path).identity() != first
    assert ArchiveTree(path.rename(tmp_path / "y.zip")).identity() != first


@posix_only
def test_what_is_no_file_is_named_and_never_waited_for(tmp_path, lay):
    folder = lay(tmp_path / "x", TREE)
    os.mkfifo(folder / "a/fifo.jpg")
    (folder / "a/dangling.jpg").symlink_to("nowhere")
    (folder / "a/self.jpg").symlink_to("self.jpg")
    (folder / "b/up").symlink_to("..")
    (folder / os.fsdecode(b"b/\xff.jpg")).write_bytes(b"")
    tree = FolderTree(folder)
    assert everything(tree) == TREE
    assert {name: reason.split(";")[0] for name, reason in tree.unreadable.items()} == {
        "a/fifo.jpg": "neither a file nor a folder",
        "a/dangling.jpg": "a link to nothing",
        "a/self.jpg": "a link to nothing",
        "b/up": "a link to a folder that it lies in",
        "b/\\xff.jpg": "the name is not valid text",
    }


@posix_only
def test_links_to_files_and_folders_are_followed(tmp_path, lay):
    folder = lay(tmp_path / "x", {"a/1.png": b"1"})
    lay(tmp_path / "elsewhere", {"2.png": b"2"})
    (folder / "b").symlink_to(tmp_path / "elsewhere")
    (folder / "a/3.png").symlink_to(tmp_path / "elsewhere/2.png")
    assert everything(FolderTree(folder)) == {"a/1.png": b"1", "a/3.png": b"2", "b/2.png": b"2"}


@posix_only
def test_a_file_that_changes_under_our_hands_is_named(tmp_path, lay):
    tree = FolderTree(lay(tmp_path / "x", TREE))
    assert tree.names() == sorted(TREE)
    (tmp_path / "x/a/1.png").unlink()
    (tmp_path / "x/b/2.png").unlink()
    os.mkfifo(tmp_path / "x/b/2.png")
    assert sorted(everything(tree)) == ["a/deep/3.png", "notes.txt"]
    assert tree.unreadable == {"a/1.png": "No such file or directory", "b/2.png": "neither a file nor a folder"}


def test_no_permission_is_named(tmp_path, lay, monkeypatch):
    folder = lay(tmp_path / "x", TREE)
    real_open, real_scandir = os.open, os.scandir

    def denied(real, word):
        def guarded(path, *arguments):
            if word in str(path):
                raise PermissionError(13, "Permission denied")
            return real(path, *arguments)

        return guarded

    monkeypatch.setattr(_tree.os, "open", denied(real_open, "2.png"))
    monkeypatch.setattr(_tree.os, "scandir", denied(real_scandir, "deep"))
    tree = FolderTree(folder)
    assert everything(tree) == {"a/1.png": b"1", "notes.txt": b"n"}
    assert tree.unreadable == {"a/deep": "Permission denied", "b/2.png": "Permission denied"}


def test_a_file_beyond_the_cap_is_named_and_heads_are_short(tmp_path, lay, monkeypatch):
    monkeypatch.setattr(_tree, "MAX_FILE_BYTES", 100)
    monkeypatch.setattr(_tree, "_HEAD_BYTES", 10)
    tree = FolderTree(lay(tmp_path / "x", {"a": bytes(101), "b": bytes(100)}))
    assert {name: len(data) for name, data in tree.read(lambda name: True, heads=True)} == {"a": 10, "b": 10}
    assert list(everything(tree)) == ["b"]
    assert tree.unreadable == {"a": "101 bytes; at most 100 are read"}


@pytest.mark.parametrize(("name", "reason"), [("absent", "no such"), ("file.jpg", "neither a folder nor")])
def test_anything_else_is_refused(tmp_path, name, reason):
    (tmp_path / "file.jpg").write_bytes(b"x")
    with pytest.raises(DataError, match=reason) as caught:
        open_tree(tmp_path / name)
    assert caught.value.place == str(Path(tmp_path, name))
