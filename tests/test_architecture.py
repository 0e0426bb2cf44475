"""The rules that hold between files: who imports whom, what nobody calls, how files are named their length.

The arrows are those of docs/design.md; a new room needs a row in `ARROWS`.
"""

import ast
import importlib
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "glauke"
FILES = sorted(SOURCE.rglob("*.py"))
OWN_FILES = [
    *FILES,
    *(p for folder in ("tests", "benchmarks") for p in sorted((ROOT / folder).rglob("*.py"))),
]

EVERYONES = {"errors", "files", "markup"}
VALUES = {"images", "models", "training", "runs", "insight", "boxes"}
ARROWS = {  # room: the rooms it may import
    "errors": set(),
    "files": {"errors"},
    "markup": set(),
    "images": EVERYONES,
    "models": EVERYONES,
    "runs": {"plots", *EVERYONES},
    "plots": EVERYONES,
    "training": {"images", "models", "runs", "plots", *EVERYONES},
    "insight": {"images", "models", "runs", "training", "plots", *EVERYONES},
    "boxes": {"plots", *EVERYONES},
    "pages": VALUES | EVERYONES,
    "options": EVERYONES,
    "notebook": {"training", "runs", *EVERYONES},
    "jobs": VALUES | {"pages", "options"} | EVERYONES,
    "cli": VALUES | {"jobs", "options"} | EVERYONES,  # the rooms' values, to print them
    "__init__": set(),
    "__main__": {"cli"},
}
STRANGERS = {  # room: packages it never imports, not even inside a function
    "errors": {"numpy", "torch"},
    "files": {"torch"},
    "runs": {"torch"},
    "boxes": {"torch"},
    "pages": {"torch", "sklearn"},
    "cli": {"torch", "numpy", "sklearn", "PIL"},
}
WITHOUT_TORCH = ("errors", "files", "images", "runs", "boxes", "pages")
"""Importing these rooms loads no torch; `images` hands out its torch-using names lazily."""
TORCH_IN_IMAGES = {
    "_augment.py", "_batches.py", "_colour.py", "_crop.py", "_keyed.py", "_mix.py", "_pixels.py", "_shape.py",
    "_stream.py", "_trivial.py",
}  # fmt: skip
"""The files of `images` that may import torch at module level."""
NAMED_FOR_NOTHING = re.compile(r"(utils?|commons?|helpers?|core|base|misc)$")
UNSAFE_MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
POSIX_ONLY = {"fcntl", "grp", "pwd", "resource", "syslog", "termios", "tty", "pty", "curses", "readline"}
EXTRAS = {
    "torchvision", "timm", "numba", "tensorboard", "onnx", "onnxscript", "onnxruntime", "optuna",
}  # fmt: skip
THIRD_PARTY = {
    "torch", "numpy", "PIL", "sklearn", "matplotlib", "safetensors", "cyclopts", "rich", "jaxtyping",
}  # fmt: skip
MOST_LINES = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One dotted name that a file imports."""

    name: str
    line: int
    at_import: bool
    """Whether it happens when the file is imported: not inside a function, not for the type checker alone."""

    @property
    def package(self) -> str:
        """The outermost package, `torch` of `torch.nn`."""
        return self.name.partition(".")[0]

    @property
    def room(self) -> str | None:
        """The room of ours that is imported, if it is one."""
        parts = self.name.split(".")
        return parts[1] if parts[0] == "glauke" and len(parts) > 1 else None


def statements(tree: ast.AST, *, at_import: bool = True) -> Iterator[tuple[ast.AST, bool]]:
    """Every node below `tree`, with whether it runs when the file is imported."""
    for child in ast.iter_child_nodes(tree):
        lazy = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        typing = isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING")
        yield child, at_import
        yield from statements(child, at_import=at_import and not lazy and not typing)


def imports(path: Path, *, package: tuple[str, ...] | None = None) -> list[Import]:
    """Every dotted name that `path` imports; relative ones are made absolute, `from a import b` gives a.b."""
    package = package or ("glauke", *path.relative_to(SOURCE).parent.parts)
    found = []
    for node, at_import in statements(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            stem = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*stem, *(node.module.split(".") if node.module else ())))
            names = [f"{module}.{alias.name}" for alias in node.names]
        found += [Import(name=name, line=node.lineno, at_import=at_import) for name in names]
    return found


def room_of(path: Path) -> str:
    """`training` for src/glauke/training/loop/_loop.py, `jobs` for src/glauke/jobs/training.py."""
    return path.relative_to(SOURCE).with_suffix("").parts[0]


def where(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT).as_posix()}:{line}"


def test_every_room_has_its_row():
    assert {room_of(p) for p in FILES} <= set(ARROWS)


def test_arrows_point_one_way():
    turned = [
        f"{where(p, i.line)} imports glauke.{i.room}"
        for p in FILES
        for i in imports(p)
        if i.room and i.room in ARROWS and i.room != room_of(p) and i.room not in ARROWS[room_of(p)]
    ]

    assert turned == []


def test_a_rooms_private_files_stay_private():
    reached = [
        f"{where(p, i.line)} imports {i.name}"
        for p in FILES
        for i in imports(p)
        if i.room not in (None, room_of(p)) and re.search(r"\._[a-z]", i.name)
    ]

    assert reached == []


@pytest.mark.parametrize("room", STRANGERS)
def test_rooms_without(room):
    met = [
        f"{where(p, i.line)} imports {i.name}"
        for p in FILES
        for i in imports(p)
        if room_of(p) == room and i.package in STRANGERS[room]
    ]

    assert met == []


def test_only_plots_import_matplotlib():
    drawing = [
        where(p, i.line) for p in FILES for i in imports(p) if i.package == "matplotlib" and p.name != "plots.py"
    ]

    assert drawing == []


def test_images_needs_torch_for_its_batches_only():
    loading = [
        where(p, i.line)
        for p in FILES
        for i in imports(p)
        if room_of(p) == "images" and i.package == "torch" and i.at_import and p.name not in TORCH_IN_IMAGES
    ]

    assert loading == []


def test_jobs_are_imported_when_a_command_runs():
    early = [where(p, i.line) for p in FILES for i in imports(p) if i.room == "jobs" != room_of(p) and i.at_import]

    assert early == []


def test_only_declared_packages_are_imported_and_extras_only_on_demand():
    allowed = sys.stdlib_module_names | {"glauke"} | THIRD_PARTY
    wrong = [
        f"{where(p, i.line)} imports {i.name}"
        for p in FILES
        for i in imports(p)
        if i.package not in allowed and (i.package not in EXTRAS or i.at_import)
    ]

    assert wrong == []


def test_nothing_is_bound_to_posix():
    bound = [where(p, i.line) for p in FILES for i in imports(p) if i.package in POSIX_ONLY and i.at_import]

    assert bound == []


def banned(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and name of each thing that no file of ours may do."""
    for node, _ in statements(tree):
        if isinstance(node, ast.ExceptHandler):
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            if any(c is None or (isinstance(c, ast.Name) and c.id == "Exception") for c in caught):
                yield node.lineno, "except Exception"
        elif isinstance(node, ast.Raise):
            raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            if isinstance(raised, ast.Name) and raised.id in ("Exception", "BaseException"):
                yield node.lineno, "raise Exception"
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in ("eval", "exec", "torch.load", "yaml.load", "os.system") or called.endswith(".extractall"):
                yield node.lineno, f"{called}()"
            for keyword in node.keywords:
                on = isinstance(keyword.value, ast.Constant) and keyword.value.value is True
                if keyword.arg in ("shell", "allow_pickle") and on:
                    yield node.lineno, f"{keyword.arg}=True"


def test_nothing_unsafe_is_imported_or_called():
    unsafe = [
        f"{where(p, i.line)} imports {i.name}"
        for p in FILES
        for i in imports(p)
        if i.package in UNSAFE_MODULES or i.name in ("torch.load", "shutil.unpack_archive")
    ]
    unsafe += [
        f"{where(p, line)} has {what}" for p in FILES for line, what in banned(ast.parse(p.read_text(encoding="utf-8")))
    ]

    assert unsafe == []


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("try: f()\nexcept: pass", "except Exception"),
        ("try: f()\nexcept (ValueError, Exception): pass", "except Exception"),
        ("raise Exception('no')", "raise Exception"),
        ("eval('1')", "eval()"),
        ("torch.load(path, weights_only=True)", "torch.load()"),
        ("archive.extractall(path)", "archive.extractall()"),
        ("yaml.load(text)", "yaml.load()"),
        ("run('ls', shell=True)", "shell=True"),
        ("np.load(path, allow_pickle=True)", "allow_pickle=True"),
    ],
)
def test_the_ban_sees(source, what):
    assert [w for _, w in banned(ast.parse(source))] == [what]


def test_the_ban_leaves_the_rest_alone():
    harmless = "model.eval()\ntry: f()\nexcept ValueError: raise\nrun('ls', shell=False)\nstate = load(path)"

    assert list(banned(ast.parse(harmless))) == []


def test_imports_are_seen_as_they_are(tmp_path):
    file = tmp_path / "_loop.py"
    file.write_text(
        "import torch.nn as nn\nfrom ..images import Batches\nfrom . import _run\n"
        "if TYPE_CHECKING:\n    import timm\ndef f():\n    import onnx\nclass C:\n    import json\n",
        encoding="utf-8",
    )

    seen = {i.name: i.at_import for i in imports(file, package=("glauke", "training"))}

    assert seen == {
        "torch.nn": True,
        "glauke.images.Batches": True,
        "glauke.training._run": True,
        "timm": False,
        "onnx": False,
        "json": True,
    }


def test_no_file_is_named_for_nothing():
    assert [p for p in OWN_FILES for part in (p.stem, p.parent.name) if NAMED_FOR_NOTHING.match(part)] == []


def test_no_file_is_too_long_to_read():
    lengths = {p: len(p.read_text(encoding="utf-8").splitlines()) for p in OWN_FILES}

    assert {p.relative_to(ROOT).as_posix(): n for p, n in lengths.items() if n > MOST_LINES} == {}


ROOMS = sorted(p.parent.name for p in SOURCE.glob("*/__init__.py") if p.parent.name != "cli")


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_explains_itself(room):
    module = importlib.import_module(f"glauke.{room}")
    public = [name for name in getattr(module, "__all__", dir(module)) if not name.startswith("_")]
    values = {name: getattr(module, name) for name in public}
    silent = [
        name
        for name, value in values.items()
        if (inspect.isclass(value) or inspect.isroutine(value))
        and (value.__module__ or "").startswith("glauke")
        # A dataclass without a docstring is given its signature for one.
        and (not value.__doc__ or value.__doc__.startswith(f"{value.__name__}("))
    ]

    assert module.__doc__, f"glauke.{room} has no docstring"
    assert silent == []


def run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    # SOURCE on the path, so that the modules under test are these, installed or not.
    environment = os.environ | {"PYTHONPATH": str(SOURCE.parent)}
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, encoding="utf-8", env=environment, timeout=120
    )


def test_light_rooms_load_neither_torch_nor_matplotlib():
    code = (
        "import importlib, sys\n"
        f"for room in {[r for r in WITHOUT_TORCH if r == 'errors' or r in ROOMS]}:\n"
        "    importlib.import_module(f'glauke.{room}')\n"
        "    heavy = sorted({'torch', 'matplotlib'} & set(sys.modules))\n"
        "    if heavy: sys.exit(f'importing glauke.{room} loads {heavy}')\n"
    )

    done = run_python("-c", code)

    assert (done.returncode, done.stderr) == (0, "")


def test_help_loads_neither_torch_nor_matplotlib():
    done = run_python("-X", "importtime", "-m", "glauke", "--help")

    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert done.returncode == 0, done.stderr[-2000:]
    assert "glauke.cli" in loaded
    assert "train" in done.stdout
    assert loaded & {"torch", "matplotlib", "numpy", "sklearn"} == set()
