"""The process while it trains: denormals off, freed memory kept, and everything put back afterwards."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


_LARGE = 1 << 30
# glibc's own defaults, put back afterwards.
_DEFAULT_MMAP, _DEFAULT_TRIM = 128 * 1024, 128 * 1024


@contextmanager
def keep_freed_memory() -> Iterator[None]:
    """While training, let glibc keep large freed blocks for the next step instead of giving them back to the system.

    Without it each step pays for page faults on every large activation (measured: 15 to 20 % of a step of a small
    CNN). Outside it would only make the process large, so at the end everything free is given back. Other C
    libraries have no such calls, and nothing happens there.
    """
    try:
        libc = ctypes.CDLL(None)
        mallopt, trim = libc.mallopt, libc.malloc_trim
    except (OSError, AttributeError):
        yield
        return
    mallopt(_M_MMAP_THRESHOLD, _LARGE)
    mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
    try:
        yield
    finally:
        mallopt(_M_MMAP_THRESHOLD, _DEFAULT_MMAP)
        mallopt(_M_TRIM_THRESHOLD, _DEFAULT_TRIM)
        trim(0)


@contextmanager
def steady(threads: int | None) -> Iterator[None]:
    """Run the inside with ``threads`` threads (torch's own number, if None) and without denormal numbers."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
        torch.set_num_threads(before)
