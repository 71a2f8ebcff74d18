"""What a rule is: the textbook's account of one kind of operation, forward and backward, whole and entry by entry.

``forward`` and ``backward`` compute whole tensors from the equations, to be compared with what the net really did.
``element`` and ``sent`` give the arithmetic of one entry, to be printed. Both come from the same formulas.

A symbol's letter: z what a layer's weights give, a after an activation, p after pooling, n normalised, u otherwise.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from workings.solutions.calls import Call, Value, replay
from workings.solutions.expressions import Entry, Expr, Joined, Quantity, SumOver, Symbol

Index = tuple[int, ...]
Equation = tuple[Expr, Expr]


class Symbols(Protocol):
    """What a rule needs of the page: the symbol of a value, and that of the gradient that has arrived at it."""

    def quantity(self, value: Value) -> Quantity: ...

    def delta(self, value: Value) -> Quantity: ...

    def inner(self, call: Call, letter: str, data: Tensor, layer: str | None = None) -> Quantity: ...

    def inner_gradient(self, call: Call, of: Quantity, data: Tensor) -> Quantity: ...


@dataclass(frozen=True)
class Inner:
    """A quantity that the textbook has and the operation hides: p of softmax inside cross-entropy. element: None where
    its equation says all. title: beside the symbol. chosen: the entries to be worked out; None for the largest.
    """

    quantity: Quantity
    element: Callable[[Index], Expr] | None
    equation: Equation | None = None
    title: str = ""
    chosen: list[Index] | None = None


class Rule:
    """The account of one kind of operation. By default: no equation, what was executed is replayed."""

    name = ""
    letter = "u"
    weighted = False  # begins a new layer: z⁽ˡ⁾
    loss = False
    complete = False  # whether it has its equation
    moves = False  # numbers are only put elsewhere

    def fits(self, call: Call) -> bool:
        """Whether this call is one that the rule knows, with these arguments."""
        return True

    def equations(self, call: Call, at: Symbols) -> list[Equation]:
        """The general equations of the forward pass."""
        return []

    def backward_equations(self, call: Call, at: Symbols) -> list[Equation]:
        """Those of the backward pass."""
        return []

    def forward(self, call: Call) -> list[Tensor]:
        """The outputs by the textbook."""
        return replay(call, [None] * len(call.outputs))[0]

    def backward(self, call: Call, deltas: list[Tensor]) -> dict[int, Tensor]:
        """What is sent to each input, by id of its Value, for ∂L/∂ of each output."""
        return replay(call, list(deltas))[1]

    def inner(self, call: Call, at: Symbols) -> list[Inner]:
        """Quantities on the way."""
        return []

    def inner_back(self, call: Call, at: Symbols) -> list[Inner]:
        """Gradients on the way back."""
        return []

    def depth(self, call: Call) -> int:
        """How many layers begin here."""
        return int(self.weighted)

    def named(self, call: Call) -> list[tuple[str, int, Value]]:
        """Parameters with a letter of their own, and how many layers below the last one they are."""
        return []

    def element(self, call: Call, at: Symbols, index: Index) -> Expr | None:
        """One entry of the output."""
        return None

    def sent(self, call: Call, at: Symbols, to: Value, index: Index) -> Expr | None:
        """One entry of what is sent to an input."""
        return None

    def remarks(self, call: Call) -> list[str]:
        """What else a reader should be told."""
        return []


def reduced(g: Tensor, shape: Sequence[int]) -> Tensor:
    """g summed over the axes along which a tensor of that shape was spread."""
    extra = g.ndim - len(shape)
    if extra:
        g = g.sum(dim=tuple(range(extra)))
    spread = tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1)
    return g.sum(dim=spread, keepdim=True) if spread else g


def source_index(shape: Sequence[int], out: Index) -> Index:
    """Which entry of a spread tensor an output entry is made of."""
    tail = out[len(out) - len(shape) :]
    return tuple(0 if n == 1 else i for n, i in zip(shape, tail, strict=True))


def reached(shape: Sequence[int], out_shape: Sequence[int], index: Index) -> list[Index]:
    """Which output entries an entry of a spread tensor goes into."""
    extra = len(out_shape) - len(shape)
    choices = [range(n) for n in out_shape[:extra]]
    choices += [
        range(m) if n == 1 else range(i, i + 1) for n, m, i in zip(shape, out_shape[extra:], index, strict=True)
    ]
    return list(itertools.product(*choices))


def every(shape: Sequence[int]) -> list[Index]:
    """All indices of a shape."""
    return list(itertools.product(*(range(n) for n in shape)))


def ids(value: object) -> list[Value]:
    """A value in a list if it is one."""
    return [value] if isinstance(value, Value) else []


def accumulate(sent: dict[int, Tensor], value: object, g: Tensor) -> None:
    """Add to what is sent to a value that takes gradients."""
    if isinstance(value, Value) and value.needs_grad:
        sent[id(value)] = sent[id(value)] + g if id(value) in sent else g


def delta_entry(at: Symbols, value: Value, index: Index) -> Entry:
    """An entry of the gradient that arrived at a value."""
    return at.delta(value)[index]


def float64(x: object) -> Tensor:
    """A value's data, or a number, as float64."""
    if isinstance(x, Value):
        return x.data
    return torch.as_tensor(x, dtype=torch.float64)


def whole(at: Symbols, value: Value) -> Expr:
    """A value as a whole, for general equations."""
    return as_symbol(at.quantity(value))


def gradient(at: Symbols, value: Value) -> Expr:
    """The gradient that arrives at a value, as a whole."""
    return as_symbol(at.delta(value))


def as_symbol(q: Quantity) -> Expr:
    """A quantity without an index."""
    if q.letter or q.gradient_of is None:
        return Symbol(q.letter, q.layer, new=q.new)
    return Joined((Symbol("∂L/∂"), as_symbol(q.gradient_of)), "")


def transposed(of: Expr) -> Expr:
    """Wᵀ."""
    return Joined((of, Symbol("ᵀ")), "")


def over_samples(*parts: Expr) -> Expr:
    """Σ over the samples (or positions) n of a product."""
    return SumOver("n", Joined(parts))
