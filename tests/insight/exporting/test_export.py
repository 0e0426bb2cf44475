"""A network as a file: the same answers, opened by the programs of others, with nothing of this machine in it."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from glauke.errors import CannotGoOnError, DataError, UsageError
from glauke.images import Pack, make_split, open_pack
from glauke.insight import Trained, load_trained, predict, predict_files
from glauke.insight.exporting import _export as room
from glauke.insight.exporting import _onnx
from glauke.insight.exporting import _script as script
from glauke.models import _registry
from glauke.models._convolution import Conv3x3
from glauke.runs import DataFacts, Hardware, RunRecord, Score, SplitFacts
from glauke.training import Recipe, save_weights

KINDS = ("safetensors", "onnx", "pt2")
OPSETS = {"safetensors": None, "onnx": 19, "pt2": None}


def small(num_classes: int, in_channels: int = 3, stem: str = "full") -> nn.Module:
    """Convolutions on maps of at most four pixels: on a CPU they learn by a path of their own."""
    return nn.Sequential(
        Conv3x3(in_channels, 8, 2),
        nn.BatchNorm2d(8),
        nn.ReLU(inplace=True),
        Conv3x3(8, 8),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, num_classes),
    )


@pytest.fixture(scope="module", autouse=True)
def small_model() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_registry, "MODELS", {**_registry.MODELS, "small": small})
        yield


@pytest.fixture(scope="module")
def pack() -> Pack:
    return open_pack("digits")


@pytest.fixture(scope="module")
def trained(pack: Pack, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A network with drawn weights that tells the digits apart a little, judged at another size than the pack's."""
    torch.manual_seed(0)
    network = small(10, 1)
    for value in network.state_dict().values():
        if value.is_floating_point():
            value.copy_(torch.rand_like(value) + 0.1 if value.ndim == 1 else torch.randn_like(value))
    file = tmp_path_factory.mktemp("run") / "final.safetensors"
    said = {
        "model": "small",
        "stem": "full",
        "classes": pack.classes,
        "readable": [f"digit {name}" for name in pack.classes],
        "channels": 1,
        "size": 10,
        "pack_size": 8,
        "mean": pack.mean,
        "std": pack.std,
    }
    save_weights(file, network, about=said)
    return load_trained(file)


@pytest.fixture(scope="module")
def record(trained: Trained, pack: Pack) -> RunRecord:
    recipe = Recipe(name="t", why="t", model="small", epochs=1, batch_size=64, max_lr=0.1, momentum=0.9)
    accuracy = predict(trained, pack, make_split(pack).val).accuracy()
    score = Score(epoch=1, val_accuracy=accuracy, val_loss=1.0, val_pictures=539, val_top5=0.9)
    data = DataFacts(
        name=pack.data, fingerprint=pack.fingerprint, source_sha256=None, pictures=1797, classes=10, size=8,
        mean=pack.mean, std=pack.std,
    )  # fmt: skip
    return RunRecord(
        name="run", status="done", command="", glauke="0", git=None, python="3", torch="2", started="", data=data,
        split=SplitFacts(kind="pooled", seed=0, val_fraction=0.3, train=1258, val=539, fingerprint="0"),
        model="small", stem="full", parameters=1, recipe=recipe.as_dict(), epochs=1, steps_per_epoch=20, steps=20,
        seed=0, device="cpu", precision="fp32", hardware=Hardware(cpu="CPU", cores=1, memory_gib=1.0), best=score,
        final=score,
    )  # fmt: skip


def made(trained: Trained, record: RunRecord, pack: Pack, folder: Path, kind: str) -> Path:
    shown = room.held_out_pictures(trained, pack, make_split(pack).val, count=200)
    found = room.export(trained, record, folder, kind=kind, shown=shown, opset=OPSETS[kind])
    assert (found.pictures, found.agreeing) == (200, 200)
    assert found.max_logit_difference < 1e-4
    return folder


@pytest.fixture(scope="module")
def exports(trained, record, pack, tmp_path_factory) -> dict[str, Path]:
    return {kind: made(trained, record, pack, tmp_path_factory.mktemp(kind), kind) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_the_folder_is_complete_and_says_the_same_as_the_network(exports, trained, kind):
    folder = exports[kind]
    names = {path.name for path in folder.iterdir()}
    assert names == {f"model.{kind}", "model.json", "labels.json", "MODEL_CARD.md", "predict.py", "export.json"}
    about = json.loads((folder / "model.json").read_text())
    assert (about["model"], about["size"], about["pack_size"], about["channels"]) == ("small", 10, 8, 1)
    assert json.loads((folder / "labels.json").read_text())["readable"][3] == "digit 3"
    record = json.loads((folder / "export.json").read_text())
    assert set(record["files"]) == names - {"export.json"}
    assert (record["check"]["agreeing"], record["check"]["kind"]) == (200, "held-out pictures")
    assert record["opset"] == OPSETS[kind]
    assert record["versions"]["torch"] == torch.__version__
    images = np.random.default_rng(0).standard_normal((5, 1, 10, 10)).astype(np.float32)
    with torch.inference_mode():
        expected = trained.model(torch.from_numpy(images)).numpy()
    assert script.open_network(folder)(images) == pytest.approx(expected, abs=1e-4)
    assert script.open_network(folder)(images[:1]) == pytest.approx(expected[:1], abs=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_this_machine_is_in_it(exports, kind):
    for path in exports[kind].iterdir():
        data = path.read_bytes()
        for place in (str(Path.cwd()), str(Path(room.__file__).parent), str(Path(torch.__file__).parent)):
            assert place.encode() not in data, f"{path.name} names {place}"


def test_safetensors_are_read_again_as_they_were(exports, trained):
    again = load_trained(exports["safetensors"])
    assert room.about(again) == room.about(trained)
    for name, value in trained.model.state_dict().items():
        assert torch.equal(again.model.state_dict()[name], value)


def test_the_onnx_file_is_one_with_plain_convolutions_for_any_batch(exports):
    onnx = pytest.importorskip("onnx")
    network = onnx.load(exports["onnx"] / "model.onnx", load_external_data=False)
    assert {node.op_type for node in network.graph.node} >= {"Conv", "Gemm"}
    assert {node.domain for node in network.graph.node} == {""}
    (given,) = network.graph.input
    sides = given.type.tensor_type.shape.dim
    assert sides[0].dim_param and [side.dim_value for side in sides[1:]] == [1, 10, 10]
    assert json.loads({p.key: p.value for p in network.metadata_props}["glauke"])["classes"] == list("0123456789")


def test_the_pt2_file_has_plain_convolutions_and_nothing_pickled(exports):
    program = torch.export.load(exports["pt2"] / "model.pt2")
    called = {str(node.target) for node in program.graph.nodes if node.op == "call_function"}
    assert "aten.conv2d.default" in called and all(name.startswith("aten.") for name in called)
    with zipfile.ZipFile(exports["pt2"] / "model.pt2") as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
    assert [size for name, size in sizes.items() if name.endswith(".pt")] in ([], [0])
    assert not [name for name in sizes if name.endswith(".pkl")]


def isolated(folder: Path, blocked: tuple[str, ...], *paths: Path) -> subprocess.CompletedProcess[str]:
    """Run the folder's script as its users do, with an importer that refuses some packages."""
    code = (
        "import runpy, sys\n"
        "class Refused:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.partition('.')[0] in {blocked!r}: raise ImportError('blocked: ' + name)\n"
        "sys.meta_path.insert(0, Refused())\n"
        "script = sys.argv[1]\n"
        "sys.argv = sys.argv[1:]\n"
        "runpy.run_path(script, run_name='__main__')\n"
    )
    words = [sys.executable, "-I", "-W", "error", "-c", code, str(folder / "predict.py"), *map(str, paths)]
    return subprocess.run(words, capture_output=True, encoding="utf-8", cwd=folder.parent, timeout=120)


@pytest.fixture(scope="module")
def digit(pack: Pack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pictures") / "three.png"
    Image.fromarray(pack.images[600, :, :, 0]).save(path)
    return path


@pytest.mark.parametrize(
    ("kind", "blocked"),
    [("onnx", ("glauke", "torch", "safetensors", "jaxtyping")), ("pt2", ("glauke", "jaxtyping", "safetensors"))],
)
def test_the_script_stands_alone(exports, trained, digit, kind, blocked):
    said = isolated(exports[kind], blocked, digit)
    assert said.returncode == 0, said.stderr
    first, *lines = said.stdout.splitlines()
    assert (first, len(lines)) == (str(digit), 5)
    (expected,) = predict_files(trained, [digit])
    assert lines == [f"  {guess.probability:7.2%}  {guess.name}" for guess in expected.guesses]


def test_the_block_blocks(exports, digit):
    said = isolated(exports["onnx"], ("onnxruntime",), digit)
    assert said.returncode == 1 and "blocked: onnxruntime" in said.stderr


def test_an_export_that_says_something_else_is_refused(trained, record, pack, tmp_path, monkeypatch):
    shown = room.held_out_pictures(trained, pack, make_split(pack).val, count=50)
    monkeypatch.setattr(room, "open_model", lambda file, kind: lambda images: -script.open_network(file.parent)(images))
    with pytest.raises(CannotGoOnError, match=r"of 50 held-out pictures, and .* are no ties"):
        room.export(trained, record, tmp_path, kind="safetensors", shown=shown)


@pytest.mark.parametrize(("off", "refused"), [(0.0, False), (0.02, False), (0.4, True)])
def test_weights_that_are_not_those_of_the_record_are_refused(trained, record, pack, tmp_path, off, refused):
    shown = room.held_out_pictures(trained, pack, make_split(pack).val, count=200)
    assert record.final is not None
    other = replace(record, final=replace(record.final, val_accuracy=record.final.val_accuracy + off))
    if not refused:
        assert room.export(trained, other, tmp_path, kind="safetensors", shown=shown).right is not None
        return
    with pytest.raises(DataError, match=r"recognise .* of 200 held-out pictures, but the run's record says"):
        room.export(trained, other, tmp_path, kind="safetensors", shown=shown)
    noise = room.noise_pictures(trained, count=50)
    assert room.export(trained, other, tmp_path, kind="safetensors", shown=noise).right is None


def test_a_network_that_cannot_be_traced_is_a_sentence(trained, tmp_path):
    class Fickle(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.flatten(1) if x.sum() > 0 else -x.flatten(1)

    fickle = replace(trained, model=Fickle())
    with pytest.raises(CannotGoOnError, match="small cannot be traced"):
        room.write_model(fickle, tmp_path / "model.pt2", kind="pt2")


def test_noise_is_drawn_by_its_seed_and_says_what_it_is(trained):
    first, second, other = (room.noise_pictures(trained, count=130, seed=seed) for seed in (0, 0, 1))
    assert first.kind == "made pictures of noise" and len(first.names) == 130
    images = torch.cat(list(first.batches))
    assert images.shape == (130, 1, 10, 10)
    assert torch.equal(images, torch.cat(list(second.batches)))
    assert not torch.equal(images, torch.cat(list(other.batches)))


def test_held_out_pictures_are_spread_over_the_classes(trained, pack):
    val = make_split(pack).val
    shown = room.held_out_pictures(trained, pack, val, count=50)
    assert {name.split("/")[0] for name in shown.names} == set(pack.classes)
    assert len(room.held_out_pictures(trained, pack, val, count=10_000).names) == len(val)


def test_a_missing_package_is_a_sentence_with_what_to_type(monkeypatch):
    monkeypatch.setattr(_onnx, "find_spec", lambda name: None if name == "onnxscript" else object())
    with pytest.raises(UsageError, match=r'onnxscript, which .* pip install "glauke\[export\]"'):
        room.require_export("onnx")
    room.require_export("pt2")


@pytest.mark.parametrize("opset", [17, 1000])
def test_an_operator_set_that_nobody_knows_is_refused(opset):
    with pytest.raises(UsageError, match=f"must be 18 to .* not {opset}"):
        room.require_export("onnx", opset=opset)


def test_an_operator_set_belongs_to_onnx():
    with pytest.raises(UsageError, match="not to pt2"):
        room.require_export("pt2", opset=20)
