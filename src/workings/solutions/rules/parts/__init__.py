"""What torch's compositions are made of: functions that need no equation of their own, because each is a few others.

RMS norm is a mean of squares, a root and a product; each of these has its equation. The parts are recorded in the place
of the function, and what it gave itself, and the net's own gradients, are compared with them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Parts = Callable[..., Any]
_PARTS: dict[str, Callable[..., Parts | None]] = {}


def parts_of(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Parts | None:
    """The function to be recorded in the place of another; None where that is an operation with a rule of its own."""
    choose = _PARTS.get(name)
    return None if choose is None else choose(*args, **kwargs)
