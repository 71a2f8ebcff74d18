"""Helpers of the parts."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from torch import Tensor


def always(parts: Callable[..., Any]) -> Callable[..., Any]:
    """A chooser that takes the parts whatever the arguments are."""
    return lambda *args, **kwargs: parts


def perhaps_in_place(parts: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The parts with torch's last argument ``inplace``: x is then changed to what they give."""
    count = len(inspect.signature(parts).parameters)

    def call(x: Tensor, *args: Any, inplace: bool = False, **kwargs: Any) -> Tensor:
        if 1 + len(args) > count:
            *args, inplace = args  # type: ignore[assignment]
        # What the parts keep for the way back must not be changed.
        return x.copy_(parts(x.clone(), *args, **kwargs)) if inplace else parts(x, *args, **kwargs)

    return call


def axes_of(x: Tensor, dim: Any) -> tuple[int, ...]:
    """The axes meant; all where none is named."""
    if dim is None or (not isinstance(dim, int) and len(dim) == 0):
        return tuple(range(x.ndim))
    return tuple(d % x.ndim for d in ([dim] if isinstance(dim, int) else dim))


def each(x: Any, n: int) -> list[int]:
    """A number for each of n axes."""
    if isinstance(x, int):
        return [x] * n
    return [int(i) for i in x] if len(x) == n else [int(x[0])] * n
