"""How much memory is free: a graphics card's own; or the machine's, or what the container may still
take, the smaller."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

CGROUP = Path("/sys/fs/cgroup")
CGROUP_FILES = (
    ("memory.max", "memory.current"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
)


def free_memory(device: torch.device | None = None) -> int | None:
    """Free bytes on a device, by default the processor's; None where the system does not tell."""
    if device is not None and device.type == "cuda":
        return _of_card(device)
    if device is not None and device.type == "mps":
        return _of_mps()
    known = [found for found in (_of_machine(), _of_container(CGROUP)) if found is not None]
    return min(known, default=None)


def _of_card(device: torch.device) -> int:
    import torch

    return torch.cuda.mem_get_info(device)[0]


def _of_mps() -> int:
    """What Metal advises to take at most, less what torch has taken."""
    import torch

    return torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()


def _of_machine() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvail"))
    except (OSError, StopIteration):
        with contextlib.suppress(ValueError, OSError, AttributeError):
            return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        return None


def _of_container(root: Path) -> int | None:
    """What is left under a control group's limit; its page cache counts as free."""
    for limit, used in CGROUP_FILES:
        with contextlib.suppress(OSError, ValueError):
            left = int((root / limit).read_text()) - int((root / used).read_text())
            return max(left + _page_cache(root / limit), 0)
    return None


def _page_cache(limit: Path) -> int:
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = (limit.parent / "memory.stat").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("inactive_file "))
    return 0
