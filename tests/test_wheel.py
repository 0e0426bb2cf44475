"""The distribution: what it holds, and that it works where only it and its dependencies are installed."""

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.wheel

ROOT = Path(__file__).parent.parent
BIN = "Scripts" if os.name == "nt" else "bin"


def run(*command: str | Path, cwd: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        [str(c) for c in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=900,
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", folder, ROOT, cwd=folder)  # by way of the source archive
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def fresh(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment that holds the wheel, its dependencies and nothing else."""
    folder = tmp_path_factory.mktemp("fresh")
    venv.create(folder, with_pip=True)
    python = folder / BIN / "python"
    run(python, "-m", "pip", "install", "--quiet", "-c", ROOT / "constraints.txt", wheel, cwd=folder)
    return folder / BIN


def test_it_holds_the_package_whole_and_nothing_else(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    source = {
        p.relative_to(ROOT / "src").as_posix()
        for p in (ROOT / "src" / "glauke").rglob("*")
        if p.is_file() and "__pycache__" not in p.parts
    }

    assert {n for n in names if not n.startswith("glauke-")} == source
    assert any(n.endswith("licenses/LICENSE") for n in names)


def test_every_room_can_be_imported(fresh, tmp_path):
    rooms = sorted(p.parent.name for p in (ROOT / "src" / "glauke").glob("*/__init__.py"))
    code = f"import importlib\nfor room in {rooms}: importlib.import_module('glauke.' + room)"

    run(fresh / "python", "-c", code, cwd=tmp_path)


def test_it_answers(fresh, tmp_path):
    assert run(fresh / "glauke", "--help", cwd=tmp_path) == run(
        fresh / "python", "-m", "glauke", "--help", cwd=tmp_path
    )
    assert "usage: glauke" in run(fresh / "glauke", "--help", cwd=tmp_path).lower()


def test_it_trains(fresh, tmp_path):
    out = tmp_path / "run"

    told = run(
        fresh / "glauke", "train", "digits", "--recipe", "digits", "--epochs", "1", "--out", out, "--json",
        cwd=tmp_path,
    )  # fmt: skip

    assert json.loads(told) == json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert json.loads(told)["status"] == "done"
    assert (out / "report.html").is_file()
