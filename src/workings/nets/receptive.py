"""Receptive fields: how many pixels of the input one number of a layer's output depends on.

Along one axis, for a filter of size F (spread by its dilation) and stride S:

    r ← r + (F − 1) j        j ← j S        from r = 1, j = 1 at the input

r is the field and j the distance, in input pixels, between neighbours. Where branches meet, the larger field counts.
A dense layer or a global pooling sees the whole image, and no field is said to be larger than that. Padding is not
taken off: near the border a part of a field lies outside the image. Araujo, Norris and Sim 2019.

The fields travel with the tensors: torch calls between layers are watched, and what is not known stays unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.overrides import TorchFunctionMode

from workings.nets.layer_facts import Facts


@dataclass(frozen=True)
class Field:
    """r and j along each axis."""

    r: tuple[int, ...]
    j: tuple[int, ...]


# Functions whose every output number depends on the same place of their inputs, by name without underscores.
_SAME_PLACE = frozenset(
    "abs add batchnorm cat celu clamp clampmin clone concat contiguous div dropout elu exp flatten float gelu "
    "hardswish hardtanh iadd imul isub leakyrelu log maximum minimum mish mul neg permute pow radd relu relu6 "
    "reshape rmul rsub rtruediv selu sigmoid silu softplus sqrt square squeeze sub tanh to transpose truediv "
    "unsqueeze view where".split()
)
# Functions that see all of the image once their result has no axes of an image left.
_REDUCING = frozenset("addmm amax linear matmul max mean rmatmul sum".split())


class Fields(TorchFunctionMode):
    """The receptive field of every tensor that descends from ``sample`` (1, channels, *axes).

    image: False for sequences, whose steps have no field that would be worth a column.
    """

    def __init__(self, sample: Tensor, image: bool = True) -> None:
        super().__init__()
        axes = tuple(sample.shape[2:]) if image else ()
        self.whole = Field(axes, axes) if axes else None
        # Tensors are kept, so that no id is used twice.
        self.known: dict[int, tuple[Tensor, Field | None]] = {}
        if axes:
            self.known[id(sample)] = (sample, Field((1,) * len(axes), (1,) * len(axes)))

    def of(self, tensors: Sequence[Tensor]) -> Field | None:
        """The joint field of several tensors; None where no image reaches them or one of them is unknown."""
        found = [self.known[id(t)][1] for t in tensors if id(t) in self.known]
        if not found or None in found:
            return None
        fields = [field for field in found if field is not None]
        r = tuple(max(sizes) for sizes in zip(*(field.r for field in fields), strict=True))
        j = tuple(max(sizes) for sizes in zip(*(field.j for field in fields), strict=True))
        return Field(r, j)

    def after(self, facts: Facts, inputs: Sequence[Tensor], output: Tensor) -> tuple[int, ...]:
        """Note the field of a layer's output; return it, () where unknown."""
        before = self.of(inputs)
        field = before
        if before is None or facts.reach == "unknown":
            field = None
        elif facts.reach == "all":
            field = self.whole
        elif facts.reach == "window":
            if len(facts.windows) == len(before.r):
                r = tuple(r + (F - 1) * j for r, j, (F, _) in zip(before.r, before.j, facts.windows, strict=True))
                j = tuple(j * S for j, (_, S) in zip(before.j, facts.windows, strict=True))
                field = Field(r, j)
            else:
                field = None
        self.known[id(output)] = (output, field)
        if field is None or self.whole is None:
            return ()
        return tuple(min(r, size) for r, size in zip(field.r, self.whole.r, strict=True))

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        inputs = [t for t in _tensors(args) if id(t) in self.known]
        if inputs:
            name = getattr(func, "__name__", "").replace("_", "")
            for out in _tensors([result]):
                if any(out is each for each in inputs):  # in place, or handed on
                    continue
                if name in _SAME_PLACE:
                    self.known[id(out)] = (out, self.of(inputs))
                elif name in _REDUCING and out.ndim <= 2:
                    self.known[id(out)] = (out, self.whole if self.of(inputs) is not None else None)
                else:
                    self.known[id(out)] = (out, None)
        return result


def _tensors(values: Sequence[Any]) -> list[Tensor]:
    found: list[Tensor] = []
    for value in values:
        if isinstance(value, Tensor):
            found.append(value)
        elif isinstance(value, tuple | list):
            found += _tensors(value)
    return found
