"""The program `glauke`: its commands, and what becomes of errors."""

import io
import json
import re
import sys
import traceback
from collections.abc import Sequence
from itertools import pairwise

from cyclopts import App
from cyclopts.exceptions import CycloptsError

import glauke
from glauke.errors import GlaukeError, InputError, UsageError

from ._output import printable

USAGE, BUG, INTERRUPTED = 2, 70, 130

app = App(
    name="glauke",
    version=lambda: glauke.__version__,  # looked up only when asked for
    help_format="plaintext",  # rendering Markdown would cost a third of the time that help may take
    suppress_keyboard_interrupt=False,
    help="Train an image classifier from a raw data set, and make annotated boxes ready for a detector.",
)
app.command("glauke.cli._train:train", help="Train a classifier: pack, split, range test, One Cycle, report.")
app.command("glauke.cli._lr:lr", help="Run the LR range test alone and say which peak rate it suggests.")
app.command("glauke.cli._runs:runs", help="List the runs in a folder.")
app.command("glauke.cli._runs:report", help="Draw a run's plots and write its page anew.")
app.command("glauke.cli._explain:explain", help="Explain what a run's network gets wrong: one page, and tables.")
app.command("glauke.cli._predict:predict", help="Say what pictures show, with a trained network.")
app.command("glauke.cli._export:export", help="Write a trained network as a file for others, and check it.")
app.command("glauke.cli._compare:compare", help="Set runs beside each other: settings, results, curves, a paired test.")
data = App(name="data", help="Look at a data set before training on it.")
data.command("glauke.cli._data:check", help="List what is wrong with the pictures.")
data.command("glauke.cli._data:show_", name="show", help="Say what the data set holds: classes, parts, sizes.")
data.command("glauke.cli._data:pack", help="Decode the pictures into the cache.")
app.command(data)
boxes = App(name="boxes", help="Read, explain, check and convert annotations of objects in pictures.")
boxes.command("glauke.cli._boxes:describe", help="Explain a file of annotations in words, with its own values.")
boxes.command("glauke.cli._boxes:check", help="Find what is wrong with annotations, and write a mended copy.")
boxes.command("glauke.cli._boxes:convert", help="Write annotations as VIA, COCO, YOLO, Pascal VOC or CSV.")
boxes.command("glauke.cli._boxes:merge", help="Join several annotators' files into one VIA project.")
boxes.command("glauke.cli._boxes:project", help="Write a VIA project of a folder of pictures, ready to annotate.")
boxes.command("glauke.cli._clusters:cluster", help="Cluster boxes by shape or size and choose the number by the elbow.")
boxes.command(
    "glauke.cli._clusters:anchors", help="Find anchors, and the text to paste into a detector's configuration."
)
boxes.command("glauke.cli._clusters:crops", help="Cut every box out of its picture, ready to train a classifier on.")
boxes.command("glauke.cli._clusters:report", help="Write one page with the answer, the findings and the figures.")
app.command(boxes)
app.command("glauke.cli._doctor:doctor", help="Say what is installed and what a run would use.")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave the process with its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a file name may have letters that a redirected output cannot write
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(words))


def run(words: list[str]) -> int:
    """Run one command and return its exit code; every error becomes one sentence here and nowhere else."""
    debug, as_json = "--debug" in words, "--json" in words
    words = [word for word in words if word != "--debug"]
    try:
        # An empty path would be the folder where we are; only after an option may a word be empty.
        if any(not word and not before.startswith("--") for before, word in pairwise(["", *words])):
            raise UsageError("a word of the command is empty", fix="give the path of a file or folder")
        # The bug's traceback is for us; a person's mistake is a sentence.
        result = app(words, exit_on_error=False, print_error=False, result_action="return_value")
    except GlaukeError as error:
        return _told(error, debug=debug, as_json=as_json)
    except CycloptsError as error:
        return _told(_usage(error, words), debug=debug, as_json=as_json)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone; nothing is wrong
        return 0
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except SystemExit as error:
        return int(error.code or 0)
    except BaseException as error:
        return _bug(error, as_json=as_json)
    return result if isinstance(result, int) else 0


def _told(error: GlaukeError, *, debug: bool, as_json: bool) -> int:
    if debug:
        traceback.print_exception(error)
    if as_json:
        details = {
            "kind": type(error).__name__,
            "message": error.message,
            "place": error.place,
            "fix": error.fix,
            "exit_code": error.exit_code,
        }
        print(json.dumps({"error": details}))
    print(printable(f"glauke: {error}", keep="\n\t"), file=sys.stderr)
    return error.exit_code


def _bug(error: BaseException, *, as_json: bool) -> int:
    traceback.print_exception(error)
    sentence = f"this is a bug in glauke ({type(error).__name__}: {error}); please report it with the lines above"
    if as_json:
        print(json.dumps({"error": {"kind": "Bug", "message": sentence, "exit_code": BUG}}))
    print(f"glauke: {sentence}", file=sys.stderr)
    return BUG


def _usage(error: CycloptsError, words: list[str]) -> InputError:
    """Say what was wrong with the command line; `epochs=3`, as other programs take it, gets its translation."""
    for word in words:
        if found := re.fullmatch(r"(?:--)?([A-Za-z][\w-]*)=(.*)", word):
            if word.startswith("--"):
                continue
            name = found[1].replace("_", "-")
            return InputError(f"options are written with dashes, not as {word}", fix=f"write: --{name} {found[2]}")
    text = " ".join(str(error).split()).removesuffix(".")
    return InputError(text, fix="see glauke --help, and glauke COMMAND --help")
