"""Functions that are flat everywhere but at their steps: rounding. What comes back through them is 0."""

from __future__ import annotations

import torch
from torch import Tensor

from workings.solutions.calls import Call, Value
from workings.solutions.expressions import Joined, Number, Symbol
from workings.solutions.rules.base import Equation, Rule, Symbols, gradient, whole

NAMES = frozenset("floor ceil round trunc sign sgn".split())


class Stepped(Rule):
    """y = ⌊x⌋ and the like."""

    complete = True

    def __init__(self, name: str) -> None:
        self.name = name

    def fits(self, call: Call) -> bool:
        return isinstance(call.bound("input")[0], Value) and len(call.args) + len(call.kwargs) == 1

    def forward(self, call: Call) -> list[Tensor]:
        x = call.inputs[0].data
        if self.name in ("sign", "sgn"):
            return [(x > 0).to(x.dtype) - (x < 0).to(x.dtype)]
        down = x - torch.remainder(x, 1.0)
        if self.name == "floor":
            return [down]
        up = -(-x - torch.remainder(-x, 1.0))
        if self.name == "ceil":
            return [up]
        if self.name == "trunc":
            return [torch.where(x < 0, up, down)]
        even = torch.where(torch.remainder(down, 2.0) == 0, down, up)  # of a half, to the even one
        return [torch.where(x - down < up - x, down, torch.where(x - down > up - x, up, even))]

    def backward(self, call: Call, deltas: list[Tensor]) -> dict[int, Tensor]:
        return {id(v): torch.zeros_like(v.data) for v in call.inputs if v.needs_grad}

    def equations(self, call: Call, at: Symbols) -> list[Equation]:
        return [(whole(at, call.out), Joined((Symbol(self.name), whole(at, call.inputs[0]))))]

    def backward_equations(self, call: Call, at: Symbols) -> list[Equation]:
        return [(gradient(at, call.inputs[0]), Number(0.0))]
