"""Choices that depend on the numbers: the largest few, in order; a noise that drops whole channels."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from workings.solutions.rules.parts.base import always, perhaps_in_place


def _ordered(name: str) -> Any:
    """The places are found first, as constants; the values are then picked from there."""

    def parts(x: Tensor, *args: Any, **kwargs: Any) -> Any:
        with torch.no_grad(), torch._C.DisableTorchFunction():
            found = getattr(torch, name)(x.detach(), *args, **kwargs)
        dim = _dim(name, args, kwargs)
        keep = name != "kthvalue" or kwargs.get("keepdim", False)
        index = found.indices if keep else found.indices.unsqueeze(dim)
        values = x.gather(dim, index)
        return type(found)((values if keep else values.squeeze(dim), found.indices))

    return parts


def _dim(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
    place = 0 if name in ("sort",) else 1
    return int(kwargs.get("dim", args[place] if len(args) > place and not isinstance(args[place], bool) else -1))


def extreme(name: str) -> Any:
    """The largest of all numbers; of two tensors, number by number."""

    def choose(x: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
        if isinstance(dim, Tensor) or other is not None:
            return lambda a, b=None, *, other=None: getattr(torch, f"{name}imum")(a, b if other is None else other)
        return (lambda a: getattr(torch, f"a{name}")(a.reshape(-1), 0)) if dim is None else None

    return choose


def nan_to_num(x: Tensor, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Tensor:
    """x, with other numbers where it is none."""
    limits = torch.finfo(torch.float64)
    x = x.masked_fill(x.isnan(), 0.0 if nan is None else nan)
    x = x.masked_fill(x == torch.inf, limits.max if posinf is None else posinf)
    return x.masked_fill(x == -torch.inf, limits.min if neginf is None else neginf)


def feature_dropout(x: Tensor, p: float = 0.5, training: bool = True) -> Tensor:
    """Whole channels of a sample are dropped. Tompson et al. 2015."""
    if not training or not p:
        return x
    drawn = torch.empty(*x.shape[:2], *[1] * (x.ndim - 2)).bernoulli_(1 - p)
    return x * (drawn / (1 - p))


def distances_of_pairs(x: Tensor, p: int = 2) -> Tensor:
    """The distances of all pairs of rows."""
    row, column = torch.triu_indices(len(x), len(x), 1)
    return (x[row] - x[column]).norm(p, -1)


def fold(x: Tensor, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """Each number of a column is added at its place of the map."""
    with torch._C.DisableTorchFunction():
        size = [output_size] * 2 if isinstance(output_size, int) else list(output_size)
        numbers = torch.arange(1, 1 + size[0] * size[1], dtype=torch.float64).reshape(1, 1, *size)
        # Where each entry of a column comes from, 0 for the padding.
        to = F.unfold(numbers, kernel_size, dilation, padding, stride).long()
    batched = x if x.ndim == 3 else x[None]
    channels = batched.shape[1] // to.shape[1]
    flat = batched.reshape(len(batched) * channels, -1)
    empty = flat.new_zeros(len(flat), 1 + size[0] * size[1])
    made = empty.scatter_add(1, to.reshape(1, -1).expand(len(flat), -1), flat)[:, 1:]
    made = made.reshape(len(batched), channels, *size)
    return made if x.ndim == 3 else made[0]


_CHANNELS = ("feature_dropout", "dropout1d", "dropout2d", "dropout3d")
PARTS: dict[str, Any] = {
    **{name: always(_ordered(name)) for name in ("topk", "sort", "kthvalue")},
    **dict.fromkeys(
        ("feature_dropout", "dropout1d", "dropout2d", "dropout3d"), always(perhaps_in_place(feature_dropout))
    ),
    "max": extreme("max"),
    "min": extreme("min"),
    "nan_to_num": always(nan_to_num),
    "pdist": always(distances_of_pairs),
    "fold": always(fold),
}
