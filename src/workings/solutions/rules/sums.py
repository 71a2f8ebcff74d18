"""Numbers added up at places: running sums and products, and numbers that several others are added to.

    y_i = Σ_{j ≤ i} x_j,  ∂L/∂x_j = Σ_{i ≥ j} g_i          y_i = Π_{j ≤ i} x_j,  ∂L/∂x_j = Σ_{i ≥ j} g_i y_i/x_j

and of ``scatter_add``, ``index_add`` and their like y_p = x_p + Σ a_e over the entries e that go to the place p, with
∂L/∂x = g and ∂L/∂a_e = g_p. Legend: g = ∂L/∂y.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from workings.solutions.calls import Call, Value
from workings.solutions.expressions import Expr, Joined, Product, SumOver, Symbol
from workings.solutions.rules.base import Equation, Index, Rule, Symbols, accumulate, gradient, whole
from workings.solutions.sums import sum_of


class Running(Rule):
    """Along an axis: Σ, or Π."""

    complete = True

    def __init__(self, product: bool) -> None:
        self.product = product
        self.name = "running product" if product else "running sum"

    def _axis(self, call: Call) -> int:
        x, dim = call.bound("input", "dim")
        return int(dim) % max(1, x.data.ndim)

    def fits(self, call: Call) -> bool:
        x, dim = call.bound("input", "dim")
        return isinstance(x, Value) and isinstance(dim, int) and not (self.product and bool((x.data == 0).any()))

    def forward(self, call: Call) -> list[Tensor]:
        x, axis = call.inputs[0].data, self._axis(call)
        made, so_far = [], None
        for part in x.unbind(axis):
            so_far = part if so_far is None else so_far * part if self.product else so_far + part
            made.append(so_far)
        return [torch.stack([part for part in made if part is not None], axis) if made else x]

    def backward(self, call: Call, deltas: list[Tensor]) -> dict[int, Tensor]:
        x, axis, sent = call.inputs[0], self._axis(call), {}
        g = deltas[0] * call.out.data if self.product else deltas[0]
        after = g.flip(axis).cumsum(axis).flip(axis)
        accumulate(sent, x, after / x.data if self.product else after)
        return sent

    def equations(self, call: Call, at: Symbols) -> list[Equation]:
        y, x = at.quantity(call.out), at.quantity(call.inputs[0])
        body: Expr = Symbol(x.letter, x.layer, "j")
        said = Joined((Symbol("Πⱼ≤ᵢ"), body)) if self.product else SumOver("j≤i", body)
        return [(Symbol(y.letter, y.layer, "i"), said)]

    def _along(self, call: Call, index: Index, places: range) -> list[Index]:
        axis = self._axis(call)
        return [(*index[:axis], i, *index[axis + 1 :]) for i in places]

    def element(self, call: Call, at: Symbols, index: Index) -> Expr | None:
        x, axis = at.quantity(call.inputs[0]), self._axis(call)
        parts = [x[i] for i in self._along(call, index, range(index[axis] + 1))]
        if not self.product:
            return sum_of(parts)
        return Product(tuple(parts)) if 1 < len(parts) <= 8 else parts[0] if len(parts) == 1 else None

    def sent(self, call: Call, at: Symbols, to: Value, index: Index) -> Expr:
        x, y, g, axis = at.quantity(to), at.quantity(call.out), at.delta(call.out), self._axis(call)
        places = self._along(call, index, range(index[axis], to.data.shape[axis]))
        return sum_of([g[i] * y[i] for i in places]) / x[index] if self.product else sum_of([g[i] for i in places])


class AddedAt(Rule):
    """y = x, and to some of its places other numbers are added."""

    name = "added at places"
    complete = True

    def _parts(self, call: Call) -> tuple[Value, Value, Tensor] | None:
        """x, a, and for each entry of a the place in x, counted as if it were flat."""
        name = call.name.rstrip("_")
        if name == "index_put":
            x, indices, a, adds = call.bound("input", "indices", "values", "accumulate", accumulate=False)
            if not adds or not isinstance(a, Value) or any(i is None for i in indices):
                return None
            numbers = torch.arange(x.data.numel()).reshape(x.data.shape)
            return x, a, numbers[tuple(i.data for i in indices)].expand(a.data.shape if a.data.ndim else ())
        x, dim, index, a = call.bound("input", "dim", "index", "source" if name == "index_add" else "src")
        if name == "scatter_reduce" and call.bound("input", "dim", "index", "src", "reduce")[4] != "sum":
            return None
        if (
            call.kwargs.get("alpha", 1) != 1
            or not isinstance(a, Value)
            or call.kwargs.get("include_self", True) is False
        ):
            return None
        shape, axis = x.data.shape, dim % max(1, x.data.ndim)
        data = a.data if name == "index_add" else a.data[tuple(slice(0, n) for n in index.data.shape)]
        if data.shape != a.data.shape:
            return None
        at = list(torch.meshgrid(*(torch.arange(n) for n in data.shape), indexing="ij"))
        spread = (
            index.data.reshape([-1 if i == axis else 1 for i in range(data.ndim)])
            if name == "index_add"
            else index.data
        )
        at[axis] = spread.expand(data.shape)
        flat = torch.zeros(data.shape, dtype=torch.long)
        for place, n in zip(at, shape, strict=True):
            flat = flat * n + place
        return x, a, flat

    def fits(self, call: Call) -> bool:
        return isinstance(call.args[0] if call.args else None, Value) and self._parts(call) is not None

    def _three(self, call: Call) -> tuple[Value, Value, Tensor]:
        parts = self._parts(call)
        assert parts is not None
        return parts

    def forward(self, call: Call) -> list[Tensor]:
        x, a, to = self._three(call)
        y = x.data.clone().reshape(-1)
        for place, number in zip(to.reshape(-1).tolist(), a.data.reshape(-1), strict=True):
            y[place] += number
        return [y.reshape(x.data.shape)]

    def backward(self, call: Call, deltas: list[Tensor]) -> dict[int, Tensor]:
        x, a, to = self._three(call)
        sent: dict[int, Tensor] = {}
        accumulate(sent, x, deltas[0])
        accumulate(sent, a, deltas[0].reshape(-1)[to])
        return sent

    def equations(self, call: Call, at: Symbols) -> list[Equation]:
        x, a, _ = self._three(call)
        return [(whole(at, call.out), whole(at, x) + SumOver("", whole(at, a)))]

    def backward_equations(self, call: Call, at: Symbols) -> list[Equation]:
        x, a, _ = self._three(call)
        g = gradient(at, call.out)
        return [(gradient(at, v), g) for v in (x, a) if v.needs_grad]

    def element(self, call: Call, at: Symbols, index: Index) -> Expr:
        x, a, to = self._three(call)
        place = _flat(index, x.data.shape)
        entries = [at.quantity(a)[_index(i)] for i in torch.nonzero(to == place)]
        return sum_of([at.quantity(x)[index], *entries])

    def sent(self, call: Call, at: Symbols, to: Value, index: Index) -> Expr | None:
        x, a, places = self._three(call)
        if x is a:
            return None
        g = at.delta(call.out)
        if to is x:
            return g[index]
        return g[_index(torch.stack(torch.unravel_index(places[index], x.data.shape)))] if to is a else None


def _flat(index: Index, shape: Any) -> int:
    place = 0
    for i, n in zip(index, shape, strict=True):
        place = place * n + i
    return place


def _index(row: Tensor) -> Index:
    return tuple(int(i) for i in row)
