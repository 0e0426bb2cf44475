"""How much memory is free, so that pictures are kept in it or are not."""

import math
import os
from pathlib import Path

SHARE = 0.5
"""Most of a device's free memory that pictures may take; the rest is for the network, its maps and other pictures."""
UNKNOWN = 4 * 2**30  # bytes taken to be free where the system does not tell
MEMINFO = Path("/proc/meminfo")
CONTAINER = Path("/sys/fs/cgroup")
LIMITS = (  # (limit, use, line of memory.stat with what can be given up) of control groups 2 and 1
    ("memory.max", "memory.current", "memory.stat", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat", "total_inactive_file"),
)


def fits(num_bytes: int, device: str) -> bool:
    """Whether so many bytes of pictures may stay on a device: within `SHARE` of what is free there."""
    return num_bytes <= SHARE * free_memory(device)


def free_memory(device: str) -> float:
    """Bytes that are free on a GPU, or in the machine within its container's limit; a guess where nothing tells."""
    if device.startswith("cuda"):
        import torch

        # What PyTorch has reserved and nobody uses is free too, though the driver counts it as taken.
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return float(torch.cuda.mem_get_info(device)[0] + unused)
    return min(_free_in_machine(), _free_in_container())


def _free_in_machine() -> float:
    try:
        return 1024.0 * _value(MEMINFO, "MemAvailable:")
    except (OSError, ValueError):
        pass  # not Linux
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2
    except (AttributeError, ValueError, OSError):
        return float(UNKNOWN)  # Windows has no sysconf


def _free_in_container() -> float:
    for limit, used, stat, given_up in LIMITS:
        try:
            most = (CONTAINER / limit).read_text(encoding="ascii").strip()
            if most == "max":
                return math.inf
            now = int((CONTAINER / used).read_text(encoding="ascii"))
            # Pages of files that were read count as used, and are given up when memory is needed.
            return max(float(int(most) - now + _value(CONTAINER / stat, given_up)), 0.0)
        except (OSError, ValueError):
            continue
    return math.inf


def _value(path: Path, name: str) -> int:
    lines = (line.split() for line in path.read_text(encoding="ascii").splitlines())
    found = [words[1] for words in lines if words[:1] == [name]]
    if not found:
        raise ValueError(f"{path} has no {name}")
    return int(found[0])
