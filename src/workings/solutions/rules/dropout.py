"""Dropout: y = x ⊙ m/(1 − p) with the mask m that was drawn, and back ∂L/∂x = ∂L/∂y ⊙ m/(1 − p).

Srivastava et al. 2014.

The mask is read off what the net did: where x is 0 it cannot be seen, and does not matter forward; backward it is
drawn again from the generator's state of that moment.
"""

from __future__ import annotations

import torch
from torch import Tensor

from workings.solutions.calls import Call, Value, replay
from workings.solutions.expressions import Expr, Joined, Number, Symbol
from workings.solutions.rules.base import Equation, Index, Inner, Rule, Symbols, accumulate, gradient, whole


class Dropout(Rule):
    """x ⊙ m/(1 − p)."""

    name = "dropout"
    letter = "d"
    complete = True

    def p(self, call: Call) -> float:
        """The share that is dropped; 0 where the net is used and not trained."""
        if call.module is not None:
            return float(call.module.p) if call.module.training else 0.0  # type: ignore[arg-type]
        _, p, training = call.bound("input", "p", "training", p=0.5, training=True)
        return float(p) if training else 0.0

    def fits(self, call: Call) -> bool:
        return self.p(call) < 1 and len(call.outputs) == 1

    def mask(self, call: Call) -> Tensor:
        """m: 1 where a number was kept. What comes back for ∂L/∂y = 1 is m/(1 − p)."""
        x = call.inputs[0]
        kept = Value(x.data, x.kind, x.name, needs_grad=True)
        twin = Call(call.func, call.name, call.place, tuple(kept if a is x else a for a in call.args),
                    {k: kept if v is x else v for k, v in call.kwargs.items()}, [kept], call.outputs,
                    call.module, call.generator)  # fmt: skip
        slope = replay(twin, [torch.ones_like(x.data)])[1].get(id(kept), torch.ones_like(x.data))
        return (slope != 0).to(x.data.dtype)

    def forward(self, call: Call) -> list[Tensor]:
        return [call.inputs[0].data * self.mask(call) / (1 - self.p(call))]

    def backward(self, call: Call, deltas: list[Tensor]) -> dict[int, Tensor]:
        sent: dict[int, Tensor] = {}
        accumulate(sent, call.inputs[0], deltas[0] * self.mask(call) / (1 - self.p(call)))
        return sent

    def inner(self, call: Call, at: Symbols) -> list[Inner]:
        return [Inner(at.inner(call, "m", self.mask(call)), None)]

    def equations(self, call: Call, at: Symbols) -> list[Equation]:
        product = Joined((whole(at, call.inputs[0]), self._m(call, at)), " ⊙ ")
        return [(whole(at, call.out), product / (1 - Number(self.p(call))))]

    def backward_equations(self, call: Call, at: Symbols) -> list[Equation]:
        product = Joined((gradient(at, call.out), self._m(call, at)), " ⊙ ")
        return [(gradient(at, call.inputs[0]), product / (1 - Number(self.p(call))))]

    def _m(self, call: Call, at: Symbols) -> Symbol:
        return Symbol("m", at.inner(call, "m", self.mask(call)).layer)

    def element(self, call: Call, at: Symbols, index: Index) -> Expr:
        m = at.inner(call, "m", self.mask(call))
        return at.quantity(call.inputs[0])[index] * m[index] / (1 - Number(self.p(call)))

    def sent(self, call: Call, at: Symbols, to: Value, index: Index) -> Expr:
        m = at.inner(call, "m", self.mask(call))
        return at.delta(call.out)[index] * m[index] / (1 - Number(self.p(call)))

    def remarks(self, call: Call) -> list[str]:
        p = self.p(call)
        if not p:
            return ["Nothing is dropped: p = 0, or the net is used and not trained."]
        mask = self.mask(call)
        return [f"Each number is kept with probability {1 - p:g}: here {int(mask.sum()):,} of {mask.numel():,}."]
