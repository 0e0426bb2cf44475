"""The package as a whole: its version has one source, its dependencies are pinned, importing it is cheap."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

import glauke

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def package_names(requirements: list[str]) -> set[str]:
    return {re.match(r"[\w.-]+", line)[0].lower() for line in requirements}


def test_the_version_is_that_of_the_project():
    try:
        distribution("glauke")
    except PackageNotFoundError:
        assert glauke.__version__ == "0+unknown"
    else:
        assert glauke.__version__ == PROJECT["project"]["version"]


def test_the_citation_names_the_same_version():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")

    assert re.search(r"^version: (.+)$", citation, re.MULTILINE)[1] == PROJECT["project"]["version"]


def test_other_names_are_refused():
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        glauke.trian  # noqa: B018


def test_types_are_announced():
    assert (Path(glauke.__file__).parent / "py.typed").is_file()


def test_importing_loads_nothing_but_itself():
    code = "import sys; before = set(sys.modules); import glauke; print(*sorted(set(sys.modules) - before))"

    # The path is given, so that neither an installed copy nor the working folder decides.
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r}); {code}"],
        capture_output=True, encoding="utf-8", check=True,
    )  # fmt: skip

    assert done.stdout.split() == ["glauke"]


def test_every_direct_dependency_has_a_pin_within_its_range():
    from packaging.requirements import Requirement

    pins = dict(
        line.split("==")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    )
    wanted = [Requirement(r) for r in PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"]]

    assert {r.name for r in wanted} <= set(pins)
    assert [r.name for r in wanted if not r.specifier.contains(pins[r.name])] == []


def test_extras_bring_what_the_architecture_test_lets_in_on_demand():
    extras = PROJECT["project"]["optional-dependencies"]

    assert {name: package_names(lines) for name, lines in extras.items()} == {
        "zoo": {"torchvision", "timm"},
        "fast": {"numba"},
        "tensorboard": {"tensorboard"},
        "export": {"onnx", "onnxscript", "onnxruntime"},
        "sweep": {"optuna"},
    }
