"""Embedding: a token's number picks its row of E, x_t = E[token_t]; back, the row gets what arrives at each use."""

from __future__ import annotations

import torch
from torch import Tensor

from workings.solutions.calls import Call, Value
from workings.solutions.expressions import Expr, Joined, Symbol
from workings.solutions.rules.base import Equation, Index, Rule, Symbols, accumulate, gradient, over_samples, whole
from workings.solutions.sums import sum_of

_NAMES = ("input", "weight", "padding_idx", "max_norm", "norm_type", "scale_grad_by_freq")


class Embedding(Rule):
    """x_t = E[token_t]."""

    name = "embedding"
    letter = "e"
    complete = True

    def fits(self, call: Call) -> bool:
        return call.bound(*_NAMES)[3] is None and not call.bound(*_NAMES)[5]

    def _parts(self, call: Call) -> tuple[Value, Value, int | None]:
        tokens, E, padding = call.bound(*_NAMES)[:3]
        return tokens, E, None if padding is None else padding % len(E.data)

    def forward(self, call: Call) -> list[Tensor]:
        tokens, E, _ = self._parts(call)
        return [E.data[tokens.data]]

    def backward(self, call: Call, deltas: list[Tensor]) -> dict[int, Tensor]:
        tokens, E, padding = self._parts(call)
        g = torch.zeros_like(E.data)
        g.index_add_(0, tokens.data.reshape(-1), deltas[0].reshape(-1, g.shape[1]))
        if padding is not None:
            g[padding] = 0  # the row of padding does not learn
        sent: dict[int, Tensor] = {}
        accumulate(sent, E, g)
        return sent

    def equations(self, call: Call, at: Symbols) -> list[Equation]:
        tokens, E, _ = self._parts(call)
        return [(whole(at, call.out), Joined((whole(at, E), Symbol("["), whole(at, tokens), Symbol("]")), ""))]

    def backward_equations(self, call: Call, at: Symbols) -> list[Equation]:
        return [(gradient(at, self._parts(call)[1]), over_samples(gradient(at, call.out)))]

    def element(self, call: Call, at: Symbols, index: Index) -> Expr:
        tokens, E, _ = self._parts(call)
        return at.quantity(E)[int(tokens.data[index[:-1]]), index[-1]]

    def sent(self, call: Call, at: Symbols, to: Value, index: Index) -> Expr | None:
        tokens, E, padding = self._parts(call)
        row, column = index
        if to is not E or row == padding:
            return None
        uses = [tuple(int(i) for i in place) for place in torch.nonzero(tokens.data == row)]
        g = at.delta(call.out)
        return sum_of([g[(*place, column)] for place in uses])

    def remarks(self, call: Call) -> list[str]:
        tokens, E, _ = self._parts(call)
        used = int(tokens.data.unique().numel())
        return [f"{used:,} of the {len(E.data):,} rows are used in this step; the others' gradient is 0."]
