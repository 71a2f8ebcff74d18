"""Operations that choose or make numbers: where, masked fill, clamp, and constants that no parameter goes into."""

from __future__ import annotations

import torch
from torch import Tensor

from workings.solutions.calls import Call, Value
from workings.solutions.expressions import Expr, Function, Number
from workings.solutions.rules.base import Index, Rule, Symbols, accumulate, float64, reached, reduced, source_index
from workings.solutions.sums import sum_of

MAKING = frozenset(
    "rand rand_like randn randn_like randint normal bernoulli bernoulli_ zeros zeros_like ones ones_like full "
    "full_like empty empty_like arange linspace eye new_zeros new_ones new_full new_empty new_tensor fill_ zero_ "
    "normal_ uniform_ scalar_tensor tensor one_hot finfo as_tensor histc bincount searchsorted bucketize".split()
)


class Made(Rule):
    """A constant: drawn, counted or filled; nothing flows back."""

    name = "constant"
    letter = "c"
    complete = True

    def fits(self, call: Call) -> bool:
        return not any(o.needs_grad for o in call.outputs)

    def forward(self, call: Call) -> list[Tensor]:
        if "empty" in call.name:
            return [o.data for o in call.outputs]  # whatever lay in memory; it is filled afterwards
        return super().forward(call)

    def remarks(self, call: Call) -> list[str]:
        return (
            ["Random numbers, drawn in this step."]
            if call.name.startswith(("rand", "normal", "bernoulli", "uniform"))
            else []
        )


class Largest(Rule):
    """The largest (or smallest) along an axis; back, all goes to it, in equal parts to several that are equal.

    ``max`` along an axis gives the first place too, and sends all there.
    """

    complete = True

    def __init__(self, sign: int, shared: bool) -> None:
        self.sign, self.shared = sign, shared
        self.name = "largest" if sign > 0 else "smallest"

    def fits(self, call: Call) -> bool:
        return isinstance(call.bound("input", "dim")[1], int)

    def _axis(self, call: Call) -> int:
        x, dim = call.bound("input", "dim")
        return int(dim) % x.data.ndim

    def _keep(self, call: Call) -> bool:
        return bool(call.bound("input", "dim", "keepdim", keepdim=False)[2])

    def _share(self, call: Call) -> Tensor:
        """What part of the gradient each entry gets."""
        x, axis = call.inputs[0].data, self._axis(call)
        best = (self.sign * x).max(axis, keepdim=True)
        if not self.shared:
            return torch.zeros_like(x).scatter_(axis, best.indices, 1.0)
        equal = (self.sign * x == best.values).to(x.dtype)
        return equal / equal.sum(axis, keepdim=True)

    def forward(self, call: Call) -> list[Tensor]:
        x, axis = call.inputs[0].data, self._axis(call)
        best = self.sign * (self.sign * x).max(axis, keepdim=self._keep(call)).values
        return [best, *(o.data for o in call.outputs[1:])]

    def backward(self, call: Call, deltas: list[Tensor]) -> dict[int, Tensor]:
        g = deltas[0] if self._keep(call) else deltas[0].unsqueeze(self._axis(call))
        sent: dict[int, Tensor] = {}
        accumulate(sent, call.inputs[0], g * self._share(call))
        return sent

    def _place(self, call: Call, index: Index) -> Index:
        axis = self._axis(call)
        return (*index[:axis], 0, *index[axis + 1 :]) if self._keep(call) else (*index[:axis], *index[axis + 1 :])

    def element(self, call: Call, at: Symbols, index: Index) -> Expr:
        x, axis = at.quantity(call.inputs[0]), self._axis(call)
        after = axis + 1 if self._keep(call) else axis
        places = [(*index[:axis], i, *index[after:]) for i in range(x.data.shape[axis])]
        return Function("max" if self.sign > 0 else "min", tuple(x[p] for p in places))

    def sent(self, call: Call, at: Symbols, to: Value, index: Index) -> Expr:
        share = float(self._share(call)[index])
        g = at.delta(call.out)[self._place(call, index)]
        return g if share == 1 else Number(share) * g


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
