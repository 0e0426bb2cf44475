"""Picture files become class names, whatever lies between them."""

import os
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from glauke.errors import UsageError
from glauke.files import read_csv
from glauke.insight import FilePrediction, Guess, Trained, predict_files, write_file_predictions
from glauke.insight import _predict_files as room


class Shades(nn.Module):
    """Logits that are known by hand: 4 times the mean of each channel, and how many pictures came at once."""

    def __init__(self) -> None:
        super().__init__()
        self.unit = nn.Parameter(torch.ones(1))
        self.batches: list[torch.Size] = []

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.batches.append(images.shape)
        return 4 * self.unit * images.mean(dim=(2, 3))


def network(channels: int = 3, *, size: int = 8, pack_size: int | None = None) -> Trained:
    return Trained(
        model=Shades(),
        name="shades",
        stem="full",
        classes=("r", "g", "b")[:channels],
        readable=("red", "green", "blue")[:channels],
        size=size,
        pack_size=pack_size,
        channels=channels,
        mean=(0.0,) * channels,
        std=(1.0,) * channels,
        file=Path("final.safetensors"),
    )


def flat(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (12, 9)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return path


RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def firsts(predictions: list[FilePrediction]) -> list[tuple[str, str | None]]:
    return [(Path(p.file).name, p.guesses[0].name if p.guesses else None) for p in predictions]


def test_worked_by_hand(tmp_path):
    (said,) = predict_files(network(), [flat(tmp_path / "a.png", (255, 0, 51))], top=2)
    powers = np.exp([4.0, 0.0, 0.8])
    assert [(g.id, g.name) for g in said.guesses] == [("r", "red"), ("b", "blue")]
    assert [g.probability for g in said.guesses] == pytest.approx([powers[0] / powers.sum(), powers[2] / powers.sum()])
    assert (said.file, said.problem) == (str(tmp_path / "a.png"), None)


def test_there_are_no_more_guesses_than_classes(tmp_path):
    (said,) = predict_files(network(), [flat(tmp_path / "a.png", RED)], top=9)
    assert len(said.guesses) == 3 and sum(g.probability for g in said.guesses) == pytest.approx(1)


def test_damage_stops_nothing_and_says_why(tmp_path):
    good, bad = flat(tmp_path / "1.png", BLUE), tmp_path / "2.png"
    bad.write_bytes(good.read_bytes()[:40])
    page = tmp_path / "3.jpg"
    page.write_text("<html>")
    said = list(predict_files(network(), [bad, good, page, tmp_path / "none.png", good], batch_size=2))
    assert firsts(said) == [("2.png", None), ("1.png", "blue"), ("3.jpg", None), ("none.png", None), ("1.png", "blue")]
    assert "HTML" in said[2].problem and said[3].problem == "there is no such file"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_nothing_waits_for_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (alone,) = predict_files(network(), [tmp_path / "pipe.png"])
    (within,) = predict_files(network(), [tmp_path])
    assert alone.problem == within.problem == "neither a file nor a folder"


def test_folders_are_searched_in_order_and_by_ending(tmp_path):
    flat(tmp_path / "b" / "2.JPG", GREEN), flat(tmp_path / "b" / "10.webp", BLUE), flat(tmp_path / "a.gif", RED)
    (tmp_path / "notes.txt").write_text("no picture")
    flat(tmp_path / ".hidden" / "1.png", RED)
    said = list(predict_files(network(), [tmp_path]))
    assert firsts(said) == [("a.gif", "red"), ("10.webp", "blue"), ("2.JPG", "green")]
    assert next(predict_files(network(), [tmp_path / "notes.txt"])).problem is not None


def test_an_archive_is_looked_into(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.write(flat(tmp_path / "a.png", GREEN), "x/a.png")
    (said,) = predict_files(network(), [tmp_path / "all.zip"])
    assert (said.file, said.guesses[0].name) == (str(tmp_path / "all.zip" / "x" / "a.png"), "green")
    (tmp_path / "cut.zip").write_bytes((tmp_path / "all.zip").read_bytes()[:80])
    assert [p.problem is None for p in predict_files(network(), [tmp_path / "cut.zip", tmp_path / "a.png"])] == [
        False,
        True,
    ]


def test_pictures_are_read_as_they_are_needed(tmp_path, monkeypatch):
    trained, read = network(), []
    reading = room._read
    monkeypatch.setattr(room, "_read", lambda path: read.append(path) or reading(path))
    paths = [flat(tmp_path / f"{i}.png", RED) for i in range(7)]
    said = predict_files(trained, paths, batch_size=3)
    assert read == []
    next(said)
    assert len(read) == 3
    list(said)
    assert [shape[0] for shape in trained.model.batches] == [3, 3, 1]


@pytest.mark.parametrize(("size", "pack_size", "sides"), [(8, None, 8), (8, 16, 8), (12, 8, 12)])
def test_pictures_come_at_the_networks_size(tmp_path, size, pack_size, sides):
    trained = network(size=size, pack_size=pack_size)
    list(predict_files(trained, [flat(tmp_path / "a.png", RED, (40, 30))]))
    assert trained.model.batches == [(1, 3, sides, sides)]


def test_the_way_is_that_of_training(tmp_path):
    """First the pack's size and then the network's: two steps give other pixels than one."""
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    one, two, same = (
        [next(predict_files(network(pack_size=side), [tmp_path / "a.png"])).guesses] for side in (None, 16, 8)
    )
    assert one == same != two


def test_grey_networks_see_grey(tmp_path):
    trained = replace(network(1), mean=(0.5,), std=(0.25,))
    (said,) = predict_files(trained, [flat(tmp_path / "a.png", GREEN)])
    assert [g.name for g in said.guesses] == ["red"] and trained.model.batches == [(1, 1, 8, 8)]


@pytest.mark.parametrize("wrong", [{"top": 0}, {"batch_size": 0}])
def test_wrong_numbers_are_told_at_once(wrong):
    with pytest.raises(UsageError, match="at least 1, not 0"):
        predict_files(network(), [], **wrong)


def guess(name: str, probability: float) -> Guess:
    return Guess(id=f"id of {name}", name=name, probability=probability)


def test_the_table_is_safe_and_whole(tmp_path):
    predictions = [
        FilePrediction(file="=1+1.png", guesses=(guess("cat", 2 / 3), guess("@dog", 1 / 3))),
        FilePrediction(file="bad.png", guesses=(), problem="the file is empty"),
    ]
    write_file_predictions(tmp_path / "p.csv", predictions)
    header, rows = read_csv(tmp_path / "p.csv")
    assert header == ["file", "id_1", "name_1", "probability_1", "id_2", "name_2", "probability_2", "problem"]
    assert rows[0] == ["=1+1.png", "id of cat", "cat", "0.666667", "id of @dog", "@dog", "0.333333", ""]
    assert rows[1] == ["bad.png", *[""] * 6, "the file is empty"]
    assert "'=1+1.png" in (tmp_path / "p.csv").read_text()
