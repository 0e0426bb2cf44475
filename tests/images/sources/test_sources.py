"""A name or a path leads to its source, or one sentence says why not."""

import pytest

from glauke.errors import DataError, UnknownNameError, UsageError
from glauke.images import SOURCES, Source, find_source
from glauke.images.sources._cifar import CIFAR10, CIFAR100
from glauke.images.sources._folder import ClassFolders
from glauke.images.sources._tiny_imagenet import TinyImageNet


def test_names_and_paths_lead_to_their_sources(cache, tmp_path, lay, archive, classes_of, tiny_tree):
    pets = classes_of(["a", "b"], 2)
    tiny = lay(tmp_path / "t", tiny_tree)
    assert isinstance(find_source(str(lay(tmp_path / "pets", pets))), ClassFolders)
    assert isinstance(find_source(str(archive(tmp_path / "pets.zip", pets))), ClassFolders)
    assert isinstance(find_source(str(tiny)), TinyImageNet)
    assert isinstance(find_source(str(tiny / "tiny-imagenet-200")), TinyImageNet)
    assert isinstance(find_source(str(archive(tmp_path / "tiny-imagenet-200.tar.gz", tiny_tree))), TinyImageNet)
    assert isinstance(find_source("tiny-imagenet", tiny), TinyImageNet)
    assert find_source("digits").name == "digits"


def raw_sets() -> dict[str, bytes]:
    """MNIST, Fashion-MNIST and both CIFARs as they may lie in ./data, with two black pictures in every file."""
    tree = {}
    for part in ("train", "t10k"):
        for folder in ("MNIST/raw", "FashionMNIST/raw"):
            tree[f"{folder}/{part}-images-idx3-ubyte"] = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28]) + (
                bytes(2 * 28 * 28)
            )
            tree[f"{folder}/{part}-labels-idx1-ubyte"] = bytes([0, 0, 8, 1, 0, 0, 0, 2, 4, 9])
    for form in (CIFAR10, CIFAR100):
        record = bytes(len(form.label_limits) + 3072)
        tree |= {f"{form.folder}/{name}": 2 * record for name in form.parts}
    return tree


def test_every_named_source_keeps_the_protocol(cache, tmp_path, lay, tiny_tree):
    lay(tmp_path / "empty/data", tiny_tree | raw_sets())
    for name in SOURCES:
        source = find_source(name)
        assert isinstance(source, Source)
        assert source.name == name
        assert source.identity() == find_source(name).identity()
        pictures = [picture for picture, _ in source.stream()]
        assert len({picture.name for picture in pictures}) == len(pictures) > 0
        assert {picture.label for picture in pictures} <= set(source.classes)
        assert {picture.part for picture in pictures} == set(source.parts)
        assert source.classes == tuple(sorted(source.classes))
        assert len(set(source.readable)) == len(source.classes)


def test_a_name_that_is_none_gets_the_nearest(cache):
    with pytest.raises(UnknownNameError, match="did you mean 'tiny-imagenet'"):
        find_source("tiny-imagent")


@pytest.mark.parametrize("data", ["./absent", "pictures/absent", "absent.zip"])
def test_a_path_that_is_none_is_a_missing_file(cache, data):
    with pytest.raises(DataError, match="no such file or folder"):
        find_source(data)


def test_an_archive_of_tiny_imagenet_under_another_name_asks_for_its_name(cache, tmp_path, archive, tiny_tree):
    source = find_source(str(archive(tmp_path / "download.zip", tiny_tree)))
    with pytest.raises(DataError, match="tiny-imagenet --source"):
        list(source.stream())


def test_a_source_beside_a_path_or_for_the_digits_is_refused(cache, tmp_path):
    for data in ("digits", str(tmp_path)):
        with pytest.raises(UsageError, match="leave --source out"):
            find_source(data, tmp_path)


def test_a_source_that_is_not_there_is_named(cache, tmp_path):
    with pytest.raises(DataError, match="no such file") as caught:
        find_source("tiny-imagenet", tmp_path / "absent.zip")
    assert "absent.zip" in str(caught.value)
