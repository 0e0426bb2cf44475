"""The beginning of a run's record: which code, data and machine."""

import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import torch
from torch import nn

from glauke.images import Pack, Split
from glauke.runs import DataFacts, Hardware, RunRecord, SplitFacts

from .._device import Precision, cpu_features
from .._plan import Plan
from .._recipe import Recipe

FEATURES = ("avx2", "avx512_f", "avx512_bf16", "amx_bf16")


def first_record(
    recipe: Recipe,
    plan: Plan,
    pack: Pack,
    split: Split,
    model: nn.Module,
    *,
    name: str,
    command: str,
    seed: int,
    device: torch.device,
    precision: Precision,
) -> RunRecord:
    """Say all that is known of a run from a pack before the first step."""
    return begun_record(
        plan,
        model,
        name=name,
        command=command,
        data=DataFacts(
            name=pack.data,
            fingerprint=pack.fingerprint,
            source_sha256=pack.source_sha256,
            pictures=len(pack.labels),
            classes=len(pack.classes),
            size=pack.size,
            mean=pack.mean,
            std=pack.std,
        ),
        split=SplitFacts(
            kind=split.kind,
            seed=split.seed,
            val_fraction=split.val_fraction,
            train=len(split.train),
            val=len(split.val),
            fingerprint=split.fingerprint,
        ),
        model_name=recipe.model,
        stem=recipe.stem,
        recipe=recipe.as_dict(),
        seed=seed,
        device=device,
        precision=precision,
    )


def begun_record(
    plan: Plan,
    model: nn.Module,
    *,
    name: str,
    command: str,
    data: DataFacts,
    split: SplitFacts,
    model_name: str,
    stem: str,
    recipe: Mapping[str, object],
    seed: int,
    device: torch.device,
    precision: Precision,
) -> RunRecord:
    """Add the code, the time and the machine to what was chosen."""
    return RunRecord(
        name=name,
        status="running",
        command=command,
        glauke=version("glauke"),
        git=_commit(),
        python=platform.python_version(),
        torch=torch.__version__,
        started=now(),
        data=data,
        split=split,
        model=model_name,
        stem=stem,
        parameters=sum(p.numel() for p in model.parameters()),
        recipe=recipe,
        epochs=plan.epochs,
        steps_per_epoch=plan.steps_per_epoch,
        steps=plan.num_steps,
        seed=seed,
        device=device.type,
        precision=precision.name,
        hardware=describe_hardware(device),
    )


def describe_hardware(device: torch.device) -> Hardware:
    """Name the machine's parts, without any name of host or user."""
    features = cpu_features()
    return Hardware(
        cpu=str(features.get("cpu_name") or platform.processor() or platform.machine()),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_gib=memory_gib(),
        gpu=torch.cuda.get_device_name(device) if device.type == "cuda" else None,
        features=tuple(name for name in FEATURES if features.get(name)),
        extra={"threads": torch.get_num_threads()},
    )


def now() -> str:
    """The time as ISO 8601 in UTC, to the second; only ever shown, never compared."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def memory_gib() -> float:
    """The machine's memory; 0 where the system does not tell."""
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return 0.0


def peak_memory_mib(device: torch.device) -> float | None:
    """The most memory in use so far: the device's on CUDA, the process's elsewhere; None where unknown."""
    if device.type == "cuda":
        return round(torch.cuda.max_memory_allocated(device) / 2**20, 1)
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20, 1)


def _commit() -> str | None:
    """The commit of glauke's own checkout, with "+" if files differ from it; None if it was installed otherwise."""
    here = Path(__file__).parent
    try:
        found = subprocess.run(
            ["git", "-C", str(here), "rev-parse", "--short", "HEAD"],
            capture_output=True,
            text=True,
            timeout=5,
        )
        ours = subprocess.run(
            ["git", "-C", str(here), "ls-files", "--error-unmatch", __file__], capture_output=True, timeout=5
        )
        if found.returncode or ours.returncode:
            return None
        changed = subprocess.run(
            ["git", "-C", str(here), "diff", "--quiet", "HEAD", "--", "."], capture_output=True, timeout=5
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() + ("+" if changed.returncode else "")
