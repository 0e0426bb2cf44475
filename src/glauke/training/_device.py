"""Where and with which numbers a model is trained."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch

from glauke.errors import UnknownNameError, UsageError

PRECISIONS = ("auto", "bf16", "fp16", "fp32")
DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """The number format of the matrix products; weights and sums stay in float32."""

    name: str
    """"bf16", "fp16" or "fp32"."""
    device: str
    """Kind of device that it is for: "cpu" or "cuda"."""
    reason: str
    """Why this one, as a sentence for the run's record."""

    def autocast(self) -> AbstractContextManager[object]:
        """Enter around the forward pass and the loss."""
        if self.name == "fp32":
            return nullcontext()
        return torch.autocast(self.device, torch.bfloat16 if self.name == "bf16" else torch.float16)

    def scaler(self) -> torch.amp.GradScaler:
        """Loss scaling, which only fp16 needs: its smallest number is 6e-8, and gradients lie below."""
        return torch.amp.GradScaler(self.device, enabled=self.name == "fp16")


def choose_device(name: str = "auto") -> torch.device:
    """Return the device called `name`; "auto" is a CUDA device where there is one.

    Raises `UsageError` for "cuda" on a machine without one, `UnknownNameError` for a name not in `DEVICES`.
    """
    kind = name.split(":")[0]
    if kind not in DEVICES:
        raise UnknownNameError(name, kind="device", known=DEVICES)
    if kind == "cuda" and not torch.cuda.is_available():
        raise UsageError(
            f"a CUDA device was asked for, but PyTorch {torch.__version__} sees none on this machine",
            place="--device",
            fix="use --device cpu, or look at what `glauke doctor` says",
        )
    if kind == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.device(name)
    except RuntimeError as error:
        raise UnknownNameError(name, kind="device", known=DEVICES) from error


def choose_precision(name: str, device: torch.device) -> Precision:
    """Return the precision called `name`; "auto" is the fastest that the hardware computes natively.

    bf16 on CUDA of capability 8.0 and up and on CPUs with AVX512-BF16 or AMX; fp16 with loss scaling on older CUDA;
    fp32 elsewhere, because a CPU that emulates bf16 is a hundred times slower with it.
    """
    if name not in PRECISIONS:
        raise UnknownNameError(name, kind="precision", known=PRECISIONS)
    if name == "fp16" and device.type == "cpu":
        raise UsageError("fp16 needs a CUDA device", place="--precision", fix="use bf16 or fp32 on a CPU")
    if name != "auto":
        return Precision(name=name, device=device.type, reason="asked for")
    if device.type == "cuda":
        major, minor = torch.cuda.get_device_capability(device)
        chosen = "bf16" if major >= 8 else "fp16"
        return Precision(
            name=chosen, device="cuda", reason=f"CUDA capability {major}.{minor} computes {chosen} natively"
        )
    features = [feature for feature in ("amx_bf16", "avx512_bf16") if cpu_features().get(feature)]
    if features:
        return Precision(name="bf16", device="cpu", reason=f"this CPU has {features[0].replace('_', '-')}")
    return Precision(
        name="fp32",
        device="cpu",
        reason="this CPU computes bf16 only in software, with neither AVX512-BF16 nor AMX",
    )


def cpu_features() -> dict[str, object]:
    """What PyTorch knows of this CPU; empty where it does not tell."""
    tell = getattr(torch.cpu, "get_capabilities", None)  # not in the oldest PyTorch that glauke supports
    return dict(tell()) if tell else {}
