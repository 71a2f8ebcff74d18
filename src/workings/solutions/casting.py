"""Float64 throughout: where a net casts its numbers to a narrower kind on the way, they stay float64 here.

A model written for bfloat16 sums in float32 (``x.float()``, ``softmax(x, dtype=torch.float32)``). Worked in float64
such a cast would round what is compared to 1e-9, so it is left out, and counted.
"""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map_only

WIDER = {
    torch.float32: torch.float64,
    torch.float16: torch.float64,
    torch.bfloat16: torch.float64,
    torch.complex64: torch.complex128,
}
_METHODS = ("float", "half", "bfloat16")


def in_float64(func: Any, args: Any, kwargs: Any) -> tuple[Any, Any, Any, bool]:
    """The function and its arguments with no narrower kind in them, and whether there was one."""
    if getattr(func, "__name__", "") in _METHODS and args and isinstance(args[0], Tensor):
        return torch.Tensor.double, args[:1], {}, True
    narrow = False

    def widened(dtype: torch.dtype) -> torch.dtype:
        nonlocal narrow
        narrow |= dtype in WIDER
        return WIDER.get(dtype, dtype)

    args, kwargs = tree_map_only(torch.dtype, widened, (args, kwargs))
    name = getattr(func, "__name__", "")
    if not name.endswith("_") or name == "__getitem__":  # what is changed in place must be itself
        args, kwargs = tree_map_only(Tensor, _wide, (args, kwargs))
    return func, args, kwargs, narrow


def _wide(t: Tensor) -> Tensor:
    """A tensor that the net holds aside, neither parameter nor buffer, is of the kind in which it was made."""
    return t.to(WIDER[t.dtype]) if t.dtype in WIDER and not t.requires_grad else t


def grouped_mm(mat_a: Tensor, mat_b: Tensor, *, offs: Tensor | None = None, bias: Any = None, **_: Any) -> Tensor:
    """Rows in groups, each times the matrix of its group; offs: where each group ends. Legend: mat_a (N, D), mat_b (G,
    D, U).
    """
    assert offs is not None
    ends = [0, *offs.tolist()]
    parts = [mat_a[a:b] @ mat_b[g] for g, (a, b) in enumerate(itertools.pairwise(ends))]
    parts.append(mat_a.new_zeros(len(mat_a) - ends[-1], mat_b.shape[-1]))
    return torch.cat(parts)


def hardsigmoid(x: Tensor, inplace: bool = False) -> Tensor:
    """min(6, max(0, x + 3))/6. torch's own has 1/6 rounded to float32 in its slope."""
    if inplace:
        return x.copy_(hardsigmoid(x.clone()))
    return torch.nn.functional.relu6(x + 3) / 6


# Functions that torch has for narrow numbers only, or with narrow constants: in float64 they are done by definition.
DEFINED: dict[str, Any] = {"grouped_mm": grouped_mm, "_grouped_mm": grouped_mm, "hardsigmoid": hardsigmoid}


class InFloat64(TorchFunctionMode):
    """While it is entered, nothing is cast to less than float64."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__name__", "") in DEFINED:
            return DEFINED[func.__name__](*args, **(kwargs or {}))
        func, args, kwargs, _ = in_float64(func, args, kwargs or {})
        return func(*args, **kwargs)
