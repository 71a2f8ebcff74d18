"""Operations that choose or make numbers: where, masked fill, clamp, and constants that no parameter goes into."""

from __future__ import annotations

import torch
from torch import Tensor

from workings.solutions.expressions import Expr, Number, sum_of
from workings.solutions.record import Call, Value
from workings.solutions.rules.base import Index, Rule, Symbols, accumulate, float64, reached, reduced, source_index

MAKING = frozenset(
    "rand rand_like randn randn_like randint normal bernoulli bernoulli_ zeros zeros_like ones ones_like full "
    "full_like empty empty_like arange linspace eye new_zeros new_ones new_full new_empty new_tensor fill_ zero_ "
    "normal_ uniform_ scalar_tensor tensor one_hot finfo as_tensor".split()
)


class Made(Rule):
    """A constant: drawn, counted or filled; nothing flows back."""

    name = "constant"
    letter = "c"
    complete = True

    def fits(self, call: Call) -> bool:
        return not any(o.needs_grad for o in call.outputs)

    def remarks(self, call: Call) -> list[str]:
        return ["Random numbers, drawn in this step."] if call.generator is not None else []


class Where(Rule):
    """y = a where the condition holds, else b; each gets the gradient of the places that it filled."""

    name = "choice"
    complete = True

    def _three(self, call: Call) -> tuple[Value, object, object]:
        """Condition, a, b."""
        if call.name.startswith("masked_fill"):
            x, mask, value = call.bound("input", "mask", "value")
            return mask, value, x
        if call.args and isinstance(call.args[0], Value) and call.args[0].data.is_floating_point():
            a, condition, b = call.args  # Tensor.where(condition, other)
            return condition, a, b
        return tuple(call.bound("condition", "input", "other"))  # type: ignore[return-value]

    def fits(self, call: Call) -> bool:
        if len(call.args) + len(call.kwargs) != 3:
            return False
        condition, a, b = self._three(call)
        return isinstance(condition, Value) and all(isinstance(x, (Value, int, float)) for x in (a, b))

    def forward(self, call: Call) -> list[Tensor]:
        condition, a, b = self._three(call)
        return [torch.where(condition.data.bool(), float64(a), float64(b))]

    def backward(self, call: Call, deltas: list[Tensor]) -> dict[int, Tensor]:
        condition, a, b = self._three(call)
        mask, g, sent = condition.data.bool().expand(deltas[0].shape), deltas[0], {}
        for x, chosen in ((a, mask), (b, ~mask)):
            if isinstance(x, Value):
                accumulate(sent, x, reduced(g * chosen, x.data.shape))
        return sent

    def element(self, call: Call, at: Symbols, index: Index) -> Expr:
        condition, a, b = self._three(call)
        x = a if bool(condition.data[source_index(condition.data.shape, index)]) else b
        return at.quantity(x)[source_index(x.data.shape, index)] if isinstance(x, Value) else Number(float(x))  # type: ignore[arg-type]

    def sent(self, call: Call, at: Symbols, to: Value, index: Index) -> Expr | None:
        condition, a, b = self._three(call)
        if a is b:
            return None
        wants = to is a
        places = [
            i
            for i in reached(to.data.shape, call.out.data.shape, index)
            if bool(condition.data[source_index(condition.data.shape, i)]) == wants
        ]
        return sum_of([at.delta(call.out)[i] for i in places])
