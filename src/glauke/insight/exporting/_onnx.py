"""ONNX files: written by PyTorch's exporter, checked by onnx, run by onnxruntime (the extra `export`)."""

import json
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch.export import ExportedProgram

from glauke.errors import CannotGoOnError, UsageError

PACKAGES = ("onnx", "onnxscript", "onnxruntime")
LOWEST_OPSET = 18
"""PyTorch's exporter writes its operators in this version of the standard or a later one."""


def require_onnx(*, opset: int | None = None) -> None:
    """Raise `UsageError` if the packages are not installed, or do not know the operator set that is asked for."""
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"ONNX files need {', '.join(missing)}, which this Python does not have",
            place="--to onnx",
            fix='pip install "glauke[export]"',
        )
    if opset is None:
        return
    from onnx import defs

    if not LOWEST_OPSET <= opset <= defs.onnx_opset_version():
        raise UsageError(
            f"the operator set must be {LOWEST_OPSET} to {defs.onnx_opset_version()} here, not {opset}", place="--opset"
        )


def write_onnx(program: ExportedProgram, path: Path, *, about: Mapping[str, object], opset: int | None = None) -> int:
    """Write one file with the weights in it, from "images" to "logits", and return its operator set.

    `about` is written into the model's metadata under "glauke". What the exporter notes beside every operator is left
    out: it quotes source files by their path on this machine.

    Raises:
        UsageError: the network has operators that cannot be written in that operator set.
        CannotGoOnError: the exporter or the checker refuses.
    """
    import onnx

    try:
        with _quiet_exporter():
            exported = torch.onnx.export(
                program,
                (),
                dynamo=True,
                input_names=["images"],
                output_names=["logits"],
                opset_version=opset,
                verbose=False,
            )
        assert exported is not None
        for node in exported.model.graph.all_nodes():
            node.metadata_props.clear()
        exported.model.metadata_props["glauke"] = json.dumps(dict(about), sort_keys=True)
        exported.save(path, external_data=False)
        onnx.checker.check_model(path, full_check=True)
    except (RuntimeError, ValueError, onnx.checker.ValidationError) as error:
        raise CannotGoOnError(f"the network cannot be written as ONNX: {str(error).splitlines()[0]}") from error
    written = exported.model.opset_imports[""]
    if opset not in (None, written):
        raise UsageError(
            f"this network cannot be written in operator set {opset}, only in {written}",
            place="--opset",
            fix=f"use --opset {written}",
        )
    return written


def open_onnx(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """Make a function from float32 images to logits of an ONNX file, on the CPU."""
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as refusals  # pyright: ignore[reportAttributeAccessIssue]

    try:
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    except (refusals.Fail, refusals.InvalidGraph, refusals.NotImplemented, refusals.InvalidArgument) as error:
        raise CannotGoOnError(
            f"onnxruntime {onnxruntime.__version__} cannot run the file: {str(error).splitlines()[0]}", place=str(path)
        ) from error

    def logits(images: np.ndarray) -> np.ndarray:
        (values,) = session.run(["logits"], {"images": images})
        assert isinstance(values, np.ndarray)
        return values

    return logits


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Silence what the exporter says of itself: packages that we do not use, and its own outdated calls."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
