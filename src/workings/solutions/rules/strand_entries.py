"""The entries of one layer in one direction of a recurrent net as lines write them."""

from __future__ import annotations

from typing import Any

from workings.solutions.calls import Call
from workings.solutions.expressions import Entry, Expr, Quantity, lift
from workings.solutions.rules.base import Index, Symbols
from workings.solutions.rules.strands import Layers, Strand
from workings.solutions.sums import products, total


class StrandEntries:
    """Indices are (b, t, k), from 0, whatever the layout of the call."""

    def __init__(self, call: Call, at: Symbols, L: Layers, s: Strand) -> None:
        self.call, self.at, self.L, self.s = call, at, L, s
        self.made, self.sent = s.made or {}, s.sent or {}
        self.mark, self.layer = "′" * s.back, at.quantity(s.U).layer

    def of(self, name: str) -> Quantity:
        return self.at.inner(self.call, name + self.mark, self.made[name], self.layer)

    def pack(self, letter: str) -> Quantity:
        return self.of(letter)

    def gradient(self, name: str) -> Quantity:
        return self.at.inner_gradient(self.call, self.of(name), self.sent[f"d{name}"])

    pack_gradient = gradient

    def other(self, s: Strand) -> StrandEntries:
        return StrandEntries(self.call, self.at, self.L, s)

    def input(self, b: int, t: int, k: int) -> Entry:
        if self.s.level:
            below = self.L.at(self.s.level - 1)
            return self.other(below[k // self.s.units]).of("h")[(b, t, k % self.s.units)]
        assert self.L.x is not None
        return self.at.quantity(self.L.x)[self.L.place(b, t, k)]

    def before(self, name: str, b: int, t: int, u: int) -> Entry:
        t = self.s.before(t)
        if 0 <= t < self.L.steps:
            return self.of(name)[(b, t, u)]
        first = self.L.h_0 if name == "h" else self.L.c_0
        assert first is not None
        return self.at.quantity(first)[(b, u) if self.L.a is not None else (self.s.number, b, u)]

    def pack_line(self, letter: str) -> Any:
        cell, s, at = self.L.cell, self.s, self.at

        def line(i: Index) -> Expr:
            b, t, row = i
            pairs: list[tuple[Entry, Entry]] = []
            more: list[Expr] = []
            if letter == cell.taken:
                if s.W is None:
                    assert self.L.a is not None
                    more.append(at.quantity(self.L.a)[self.L.place(b, t, row)])
                else:
                    W = at.quantity(s.W)
                    pairs += [(W[row, k], self.input(b, t, k)) for k in range(s.W.data.shape[1])]
                    more += [] if s.b is None else [at.quantity(s.b)[(row,)]]
            if letter == cell.passed:
                U = at.quantity(s.U)
                pairs += [(U[row, k], self.before("h", b, t, k)) for k in range(s.units)]
                if s.d is not None and row >= s.d_from:
                    more.append(at.quantity(s.d)[(row - s.d_from,)])
            return products(pairs, more)

        return line

    def numbers(self, b: int, t: int, u: int) -> dict[str, Any]:
        """The step's numbers by name, for the cell's formulas."""
        cell, H = self.L.cell, self.s.units
        q: dict[str, Any] = {name: self.of(name)[(b, t, u)] for name, _, _ in cell.forward}
        for letter in {cell.taken, cell.passed}:
            for k in range(cell.blocks):
                given = letter == "a" and self.L.a is not None
                row = (b, t, k * H + u)
                source = self.at.quantity(self.L.a)[self.L.place(*row)] if given and self.L.a else None  # type: ignore[arg-type]
                q[f"{letter}{k}"] = self.pack(letter)[row] if source is None else source
                if self.sent:
                    q[f"d{letter}{k}"] = self.pack_gradient(letter)[row]
        q["h₋"] = self.before("h", b, t, u)
        q |= {"c₋": self.before("c", b, t, u)} if cell.cells else {}
        if self.sent:
            q |= {f"d{name}": self.gradient(name)[(b, t, u)] for name in ("h", "c")[: 1 + cell.cells]}
        return q

    def line(self, formula: Any) -> Any:
        return lambda i: lift(formula(self.numbers(*i)))

    def pack_back(self, letter: str) -> Any:
        formulas = dict(self.L.cell.backward)

        def line(i: Index) -> Expr:
            b, t, row = i
            k, u = divmod(row, self.s.units)
            return lift(formulas[f"d{letter}{k}"](self.numbers(b, t, u)))

        return line

    def down(self, b: int, t: int, k: int) -> list[tuple[Entry, Entry]]:
        """What this strand sends to entry k of its input of step t: products that are added."""
        assert self.s.W is not None
        W, g = self.at.quantity(self.s.W), self.pack_gradient(self.L.cell.taken)
        return [(W[row, k], g[(b, t, row)]) for row in range(self.s.W.data.shape[0])]

    def arriving(self, i: Index) -> Expr:
        """∂L/∂h_t: from the output or the layer above, and from the step read after."""
        b, t, u = i
        L, s, at = self.L, self.s, self.at
        k = u + s.units * s.back
        pairs: list[tuple[Entry, Entry]] = []
        more: list[Expr] = []
        if s.level == L.levels - 1:
            more.append(at.delta(self.call.out)[L.place(b, t, k)])
        else:
            pairs += [pair for above in L.at(s.level + 1) for pair in self.other(above).down(b, t, k)]
        later = s.after(t)
        if 0 <= later < L.steps:
            U, g = at.quantity(s.U), self.pack_gradient(L.cell.passed)
            pairs += [(U[row, u], g[(b, later, row)]) for row in range(s.U.data.shape[0])]
            if "h" in L.cell.carried:
                more.append(L.cell.carried["h"](self.numbers(b, later, u)))
        else:
            more += self._last(1, b, u)
        return products(pairs, more) if pairs else total(more)

    def cell_arriving(self, i: Index) -> Expr:
        """∂L/∂c_t: through h_t, and from the step read after."""
        b, t, u = i
        later, own = self.s.after(t), dict(self.L.cell.backward)["dc"](self.numbers(b, t, u))
        if 0 <= later < self.L.steps:
            return own + self.L.cell.carried["c"](self.numbers(b, later, u))
        return total([own, *self._last(2, b, u)])

    def _last(self, output: int, b: int, u: int) -> list[Expr]:
        """What the last state is sent from outside."""
        if len(self.call.outputs) <= output:
            return []
        q = self.at.delta(self.call.outputs[output])
        return [q[(self.s.number, b, u)]] if bool(q.data.any()) else []
