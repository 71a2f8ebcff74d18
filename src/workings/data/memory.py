"""How much memory is free, as the operating system sees it."""

from __future__ import annotations

import os
from pathlib import Path

MEMORY_SHARE = 0.25  # of the free memory that prepared data may take; training needs the rest
MEMORY_MOST = 256 * 2**20  # bytes of a prepared table kept in memory; a larger one is expanded batch by batch


def free_memory() -> int:
    """Bytes that can be taken without swapping, under the limit of a container where there is one."""
    free = _free_of_machine()
    group = Path("/sys/fs/cgroup")
    try:
        limit = (group / "memory.max").read_text().strip()
        used = int((group / "memory.current").read_text())
    except (OSError, ValueError):
        return free
    return free if limit == "max" else max(0, min(free, int(limit) - used))


def _free_of_machine() -> int:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass  # not Linux
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2  # half of the machine is a cautious guess
