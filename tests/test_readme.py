"""What README.md and docs/ tell a reader to type works as it stands there.

Run are: README.md's `python` blocks (but for those marked `no-run`) and, in every page, blocks marked `run`:
```sh run, ```console run, ```python run. The blocks of a page share one folder and one cache and run in
order, as a reader would run them; a Python block stands on its own. In a `console` block the lines behind
`$ ` are run.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [p for p in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))) if p.is_file()]
FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block that is to be run."""

    page: str
    line: int
    language: str
    text: str


def blocks_of(text: str, *, page: str) -> list[Block]:
    """The blocks of a page that are to be run, in order."""
    found = []
    for fence in FENCE.finditer(text):
        language, *marks = fence["info"].split() or [""]
        if "run" in marks or (language == "python" and page == "README.md" and "no-run" not in marks):
            line = text.count("\n", 0, fence.start()) + 1
            found.append(Block(page=page, line=line, language=language, text=fence["text"]))
    return found


def command(block: Block) -> list[str]:
    """The program and arguments that run a block."""
    match block.language:
        case "python":
            return [sys.executable, "-c", block.text]
        case "sh":
            return ["sh", "-eu", "-c", block.text]
        case "console":
            return ["sh", "-eu", "-c", "\n".join(re.findall(r"^\$ (.*)$", block.text, re.MULTILINE))]
        case _:
            raise ValueError(f"{block.page}:{block.line}: cannot run a {block.language!r} block")


BLOCKS = [b for p in PAGES for b in blocks_of(p.read_text(encoding="utf-8"), page=p.relative_to(ROOT).as_posix())]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One empty folder for every page."""
    return {page: tmp_path_factory.mktemp("page") for page in {b.page for b in BLOCKS}}


@pytest.mark.parametrize("block", BLOCKS, ids=lambda b: f"{b.page}:{b.line}")
def test_it_works_as_written(block, folders, tmp_path_factory):
    programs = Path(sys.executable).parent
    if block.language != "python":
        if shutil.which("sh") is None:
            pytest.skip("there is no sh here")
        if shutil.which("glauke", path=programs) is None:
            pytest.skip("the glauke script is not installed beside this Python")
    environment = os.environ | {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "GLAUKE_CACHE": str(folders[block.page] / ".cache"),
        "NO_COLOR": "1",
    }

    done = subprocess.run(
        command(block), cwd=folders[block.page], env=environment, stdin=subprocess.DEVNULL,
        capture_output=True, encoding="utf-8", timeout=300,
    )  # fmt: skip

    assert done.returncode == 0, f"{block.page}:{block.line}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


def test_blocks_are_found_as_the_convention_says():
    page = "a\n```sh run\necho 1\n```\n```sh\nrm x\n```\n```python\n1 + 1\n```\n"
    page += "```python no-run\nf()\n```\n```\nx\n```\n"

    assert [(b.line, b.language, b.text) for b in blocks_of(page, page="README.md")] == [
        (2, "sh", "echo 1\n"),
        (8, "python", "1 + 1\n"),
    ]
    assert [b.line for b in blocks_of(page, page="docs/a.md")] == [2]


def test_a_console_block_runs_its_prompts_only():
    block = Block(page="README.md", line=1, language="console", text="$ echo 1\n1\n$ echo 2\n2\n")

    assert command(block)[-1] == "echo 1\necho 2"
