"""Squared errors: one number from outputs and targets, and how it changes with each output.

    half the squared error   L = ½ Σ (t − a)²                ∂L/∂a = a − t
    mean squared error       L = (1/N) Σ (t − a)²            ∂L/∂a = (2/N)(a − t)

In a batch of B samples a loss of Workings is the mean over samples, so the first is divided by B too.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from workings.solutions.calls import Call, Value
from workings.solutions.expressions import Expr, Number, SumOver, Symbol
from workings.solutions.rules.base import (
    Equation,
    Index,
    Rule,
    Symbols,
    accumulate,
    every,
    gradient,
    whole,
)
from workings.solutions.sums import sum_of


class Squared(Rule):
    """c Σ (t − a)² with c = ½/B, 1/N or 1."""

    name = "squared error"
    letter = "L"
    loss = True
    complete = True

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def fits(self, call: Call) -> bool:
        a, t = call.inputs[0], target(call)
        weighted = len(call.inputs) > 2 or call.kwargs.get("weight") is not None
        return isinstance(t, Value) and like(a, t).shape == a.data.shape and not weighted and call.out.data.ndim == 0

    def factor(self, call: Call) -> float:
        n, shape = call.inputs[0].data.numel(), call.inputs[0].data.shape
        if self.kind == "half":  # summed over the outputs, the mean over samples and places
            return 0.5 * (shape[1] if len(shape) > 1 else 1) / n
        return 1.0 if _reduction(call) == "sum" else 1.0 / n

    def forward(self, call: Call) -> list[Tensor]:
        a, t = call.inputs[0].data, like(call.inputs[0], target(call))
        return [self.factor(call) * (t - a).square().sum()]

    def backward(self, call: Call, deltas: list[Tensor]) -> dict[int, Tensor]:
        a, t, sent = call.inputs[0], target(call), {}
        g = 2 * self.factor(call) * (a.data - like(a, t)) * deltas[0]
        accumulate(sent, a, g)
        accumulate(sent, t, -g.reshape(t.data.shape))
        return sent

    def equations(self, call: Call, at: Symbols) -> list[Equation]:
        a, t = at.quantity(call.inputs[0]), at.quantity(target(call))
        return [(Symbol("L"), _times(self.factor(call), SumOver("k", (_k(t) - _k(a)) ** 2)))]

    def backward_equations(self, call: Call, at: Symbols) -> list[Equation]:
        a, t = whole(at, call.inputs[0]), whole(at, target(call))
        return [(gradient(at, call.inputs[0]), arriving_whole(call, at, _times(2 * self.factor(call), a - t)))]

    def element(self, call: Call, at: Symbols, index: Index) -> Expr:
        a, t = at.quantity(call.inputs[0]), at.quantity(target(call))
        shape = call.inputs[0].data.shape
        return _times(
            self.factor(call),
            sum_of([(t[fold(t.data, shape, i)] - a[i]) ** 2 for i in every(shape)]),
        )

    def sent(self, call: Call, at: Symbols, to: Value, index: Index) -> Expr | None:
        a, t = at.quantity(call.inputs[0]), at.quantity(target(call))
        if to is not call.inputs[0]:
            return None
        return arriving(call, at, _times(2 * self.factor(call), a[index] - t[fold(t.data, a.data.shape, index)]))


def arriving(call: Call, at: Symbols, e: Expr) -> Expr:
    """An entry of what a loss sends, times ∂L/∂ of the loss itself where more is made of it: the mean of two losses."""
    g = at.delta(call.out)
    index = (0,) * g.data.ndim
    return e if g[index].value == 1 else g[index] * e


def arriving_whole(call: Call, at: Symbols, e: Expr) -> Expr:
    """The same in a general equation."""
    return e if bool((at.delta(call.out).data == 1).all()) else gradient(at, call.out) * e


def target(call: Call) -> Value:
    """What a loss compares with."""
    return call.bound("input", "target", "weight")[1]


def like(a: Value, t: Any) -> Tensor:
    """Targets in the outputs' shape where only an axis of 1 is missing."""
    data = t.data.to(a.data.dtype)
    return data.reshape(a.data.shape) if data.numel() == a.data.numel() and data.ndim < a.data.ndim else data


def fold(t: Tensor, shape: Any, index: Index) -> Index:
    """The index of a target of fewer axes."""
    if t.ndim == len(shape):
        return index
    if t.numel() == 1:
        return (0,) * t.ndim
    return tuple(i for i, n in zip(index, shape, strict=True) if n != 1)[-t.ndim :]


def _k(q: Any) -> Symbol:
    return Symbol(q.letter, q.layer, "k")


def _times(c: float, e: Expr) -> Expr:
    if c == 1:
        return e
    if c == 0.5:
        return e / 2
    inverse = 1 / c
    if abs(inverse - round(inverse)) < 1e-9:
        return e / round(inverse)
    if abs(2 * inverse - round(2 * inverse)) < 1e-9:
        return 2 * e / round(2 * inverse) if c != 2 else 2 * e
    return Number(c) * e


def _reduction(call: Call) -> str:
    found = call.bound("input", "target", "size_average", "reduce", "reduction", reduction="mean")[4]
    return found if isinstance(found, str) else getattr(call.func, "reduction", "mean")
