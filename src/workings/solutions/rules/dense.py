"""The dense layer: z = W a + b, and back: ∂L/∂a = Wᵀ δ, ∂L/∂W = δ aᵀ, ∂L/∂b = δ, with δ = ∂L/∂z.

For a batch the last two are sums over its samples. Legend: x (…, D), W (U, D), b (U,), z (…, U).
"""

from __future__ import annotations

from torch import Tensor

from workings.solutions.calls import Call, Value
from workings.solutions.expressions import Expr, Joined
from workings.solutions.rules.base import (
    Equation,
    Index,
    Rule,
    Symbols,
    accumulate,
    every,
    gradient,
    over_samples,
    transposed,
    whole,
)
from workings.solutions.sums import products, sum_of


class Dense(Rule):
    """z = W a + b."""

    name = "dense layer"
    letter = "z"
    weighted = True
    complete = True

    def fits(self, call: Call) -> bool:
        x, weight, _ = _parts(call)
        return isinstance(x, Value) and isinstance(weight, Value) and weight.data.ndim == 2 and x.data.ndim >= 1

    def forward(self, call: Call) -> list[Tensor]:
        x, W, b = _parts(call)
        z = x.data @ W.data.T
        return [z if b is None else z + b.data]

    def backward(self, call: Call, deltas: list[Tensor]) -> dict[int, Tensor]:
        x, W, b = _parts(call)
        delta = deltas[0]
        flat_NU = delta.reshape(-1, delta.shape[-1])
        sent: dict[int, Tensor] = {}
        accumulate(sent, x, delta @ W.data)
        accumulate(sent, W, flat_NU.T @ x.data.reshape(-1, x.data.shape[-1]))
        accumulate(sent, b, flat_NU.sum(0))
        return sent

    def equations(self, call: Call, at: Symbols) -> list[Equation]:
        x, W, b = (None if v is None else whole(at, v) for v in _parts(call))
        assert x is not None
        assert W is not None
        product = Joined((W, x))
        return [(whole(at, call.out), product if b is None else product + b)]

    def backward_equations(self, call: Call, at: Symbols) -> list[Equation]:
        x, W, b = _parts(call)
        d, one = gradient(at, call.out), call.out.data.numel() == call.out.data.shape[-1]
        found: list[Equation] = []
        if x.needs_grad:
            found.append((gradient(at, x), Joined((transposed(whole(at, W)), d))))
        found.append((gradient(at, W), Joined((d, transposed(whole(at, x)))) if one else over_samples(d, whole(at, x))))
        if b is not None:
            found.append((gradient(at, b), d if one else over_samples(d)))
        return found

    def element(self, call: Call, at: Symbols, index: Index) -> Expr:
        x, W, b = _parts(call)
        qx, qW = at.quantity(x), at.quantity(W)
        *row, u = index
        more = [] if b is None else [at.quantity(b)[(u,)]]
        return products([(qW[u, d], qx[(*row, d)]) for d in range(W.data.shape[1])], more)

    def sent(self, call: Call, at: Symbols, to: Value, index: Index) -> Expr | None:
        x, W, b = _parts(call)
        delta, units = at.delta(call.out), range(W.data.shape[0])
        rows = every(call.out.data.shape[:-1])
        if to is W:
            u, d = index
            qx = at.quantity(x)
            return products([(delta[(*row, u)], qx[(*row, d)]) for row in rows])
        if to is b:
            return sum_of([delta[(*row, index[0])] for row in rows])
        if to is x:
            *row, d = index
            qW = at.quantity(W)
            return products([(qW[u, d], delta[(*row, u)]) for u in units])
        return None


def _parts(call: Call) -> tuple[Value, Value, Value | None]:
    return tuple(call.bound("input", "weight", "bias"))  # type: ignore[return-value]
