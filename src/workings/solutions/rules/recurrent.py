"""Recurrent layers through time by the equations of ``cells``: gates and states, and on the way back δ at each step.

Worked out are three steps in a row of the unit whose state the loss feels most, in every strand; all are compared.
A weight is the same in every step, so its gradient is a sum over the steps: ∂L/∂W = Σ_t ∂L/∂z_t x_tᵀ,
∂L/∂U = Σ_t ∂L/∂z_t h_{t−1}ᵀ.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from workings.solutions.calls import Call, Value
from workings.solutions.expressions import Expr, Joined, SumOver, Symbol, lift
from workings.solutions.rules.base import Equation, Index, Inner, Rule, Symbols, accumulate, as_symbol, transposed
from workings.solutions.rules.strand_entries import StrandEntries
from workings.solutions.rules.strands import Layers, Strand, read
from workings.solutions.sums import products, sum_of

NAMES = ("rnn_tanh", "rnn_relu", "lstm", "gru", "RNNThroughTime", "GRUThroughTime")
STEPS = 3  # that are worked out


class Recurrent(Rule):
    """RNN, LSTM and GRU; of several layers, in both directions."""

    name = "recurrent layer"
    letter = "y"
    weighted = True
    complete = True

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Call, Layers] = WeakKeyDictionary()

    def fits(self, call: Call) -> bool:
        return read(call) is not None

    def layers(self, call: Call) -> Layers:
        """The call, worked out forward."""
        if call not in self._known:
            made = read(call)
            assert made is not None
            made.run()
            self._known[call] = made
        return self._known[call]

    def depth(self, call: Call) -> int:
        made = read(call)
        return 1 if made is None else made.levels

    def named(self, call: Call) -> list[tuple[str, int, Value]]:
        made = read(call)
        assert made is not None
        return [
            (letter + "′" * s.back, made.levels - 1 - s.level, value)
            for s in made.strands
            for letter, value in (("W", s.W), ("U", s.U), ("b", s.b), ("d", s.d))
            if value is not None
        ]

    def forward(self, call: Call) -> list[Tensor]:
        L = self.layers(call)
        tops = [s.made or {} for s in L.at(L.levels - 1)]
        out = [L.time(torch.cat([q["h"] for q in tops], 2))]
        if L.a is None:
            for letter in ("h", "c") if L.cell.cells else ("h",):
                ends = [s.turned((s.made or {})[letter])[:, -1] for s in L.strands]
                out.append(torch.stack(ends))
        return out

    def backward(self, call: Call, deltas: list[Tensor]) -> dict[int, Tensor]:
        L, sent = self.layers(call), {}
        below = L.run_back(deltas)
        if L.x is not None and below is not None:
            accumulate(sent, L.x, L.time(below))
        starts = [s.start for s in L.strands if s.start]
        if L.a is not None:
            s = L.strands[0]
            accumulate(sent, L.a, L.time((s.sent or {})[f"d{L.cell.taken}"]))
            accumulate(sent, L.h_0, starts[0][0])
        else:
            accumulate(sent, L.h_0, torch.stack([h for h, _ in starts]))
            if L.c_0 is not None:
                accumulate(sent, L.c_0, torch.stack([c for _, c in starts if c is not None]))
        for s in L.strands:
            q, m = s.sent or {}, s.made or {}
            taken, passed = q[f"d{L.cell.taken}"], q[f"d{L.cell.passed}"]
            accumulate(sent, s.U, passed.flatten(0, 1).T @ m["h₋"].flatten(0, 1))
            if s.W is not None:
                accumulate(sent, s.W, taken.flatten(0, 1).T @ self._input(L, s).flatten(0, 1))
            accumulate(sent, s.b, taken.sum((0, 1)))
            accumulate(sent, s.d, passed.sum((0, 1))[s.d_from :])
        return sent

    def _input(self, L: Layers, s: Strand) -> Tensor:
        if s.level:
            return torch.cat([(below.made or {})["h"] for below in L.at(s.level - 1)], 2)
        assert L.x is not None
        return L.time(L.x.data)

    # ------------------------------------------------------------------------------------------ what is shown

    def equations(self, call: Call, at: Symbols) -> list[Equation]:
        L = self.layers(call)
        s, cell, t = L.strands[0], L.cell, Symbol("h", "", "t-1")
        Uh = Joined((as_symbol(at.quantity(s.U)), t))
        passed = Uh if s.d is None else Uh + as_symbol(at.quantity(s.d))
        if s.W is None:
            assert L.a is not None
            taken = as_symbol(at.quantity(L.a))
        else:
            taken = Joined((as_symbol(at.quantity(s.W)), Symbol("x", "", "t")))
            taken = taken if s.b is None else taken + as_symbol(at.quantity(s.b))
        found: list[Equation] = []
        if cell.split:
            found = [(Symbol("a", "", "t"), taken), (Symbol("u", "", "t"), passed)]
        else:
            found = [(Symbol("z", "", "t"), taken + passed)]
        q = self._symbols(L)
        return [*found, *((Symbol(name, "", "t"), lift(f(q))) for name, _, f in cell.forward)]

    def backward_equations(self, call: Call, at: Symbols) -> list[Equation]:
        L = self.layers(call)
        cell, s, q = L.cell, L.strands[0], self._symbols(L)
        found: list[Equation] = [(Symbol(_shown(name)), lift(f(q))) for name, f in cell.backward]
        D, E = Symbol(f"∂L/∂{cell.passed}ₜ"), Symbol(f"∂L/∂{cell.taken}ₜ")
        U = as_symbol(at.quantity(s.U))
        found.append((Symbol("∂L/∂U"), SumOver("t", Joined((D, Symbol("h", "", "t-1"), Symbol("ᵀ"))))))
        if s.W is not None:
            found.append((Symbol("∂L/∂W"), SumOver("t", Joined((E, Symbol("x", "", "t"), Symbol("ᵀ"))))))
        return [*found, (Symbol("sent to step t−1"), Joined((transposed(U), D)))]

    def _symbols(self, L: Layers) -> dict[str, Any]:
        names = [f"{p}{k}" for p in {L.cell.taken, L.cell.passed} for k in range(L.cell.blocks)]
        gates = ("i", "f", "g", "o") if L.cell.cells else ("r", "z", "n") if L.cell.split else ("",)
        q: dict[str, Any] = {n: Symbol(n[0], "", f"t,{gates[int(n[1:])]}" if gates[0] else "t") for n in names}
        q |= {name: Symbol(name, "", "t") for name, _, _ in L.cell.forward}
        q |= {"h₋": Symbol("h", "", "t-1"), "c₋": Symbol("c", "", "t-1"), "dh": Symbol("∂L/∂hₜ")}
        return q | {name: Symbol(_shown(name)) for name, _ in L.cell.backward}

    def remarks(self, call: Call) -> list[str]:
        L = self.layers(call)
        both = "; ′ marks the direction that reads back" if any(s.back for s in L.strands) else ""
        blocks = {"LSTM": ": i, f, g, o", "GRU": ": r, z, n"}.get(L.cell.name, "")
        rows = f" The rows of W and U are in blocks of {L.strands[0].units}{blocks}." if blocks else ""
        shown = min(L.steps, STEPS)
        rows += " y is h of every step, of the last layer."
        return [
            f"{L.cell.name}, {L.levels} layer{'s' * (L.levels > 1)}, {L.steps:,} steps{both}. "
            f"Worked out: {shown} in a row, of one unit in each; all were compared.{rows}"
        ]

    def focus(self, call: Call) -> dict[int, list[Index]]:
        """Of each strand by its number: (b, t, unit) of steps in a row, those that the loss feels most."""
        L = self.layers(call)
        if L.focus:
            return L.focus
        L.run_back([torch.zeros_like(o.data) if o.grad is None else o.grad for o in call.outputs])
        found = L.focus
        for s in L.strands:
            dh = (s.sent or {})["dh"]
            b, t, u = (int(i) for i in torch.unravel_index(dh.abs().argmax(), dh.shape))
            first = max(0, min(t if s.back else t - STEPS + 1, L.steps - STEPS))
            found[s.number] = [(b, step, u) for step in range(first, min(first + STEPS, L.steps))]
            s.sent = None  # autograd's choice, not the page's own gradients
        return found

    def inner(self, call: Call, at: Symbols) -> list[Inner]:
        L, focus, found = self.layers(call), self.focus(call), []
        for s in L.strands:
            p, chosen = StrandEntries(call, at, L, s), focus[s.number]
            rows = [(b, t, k * s.units + u) for b, t, u in chosen for k in range(L.cell.blocks)]
            for letter in dict.fromkeys((L.cell.taken, L.cell.passed)):
                if letter == "a" and L.a is not None:
                    continue
                found.append(Inner(p.pack(letter), p.pack_line(letter), None, "", rows))
            for name, title, formula in L.cell.forward:
                found.append(Inner(p.of(name), p.line(formula), None, title, chosen))
        return found

    def inner_back(self, call: Call, at: Symbols) -> list[Inner]:
        L, focus, found = self.layers(call), self.focus(call), []
        for s in reversed(L.strands):
            p, chosen = StrandEntries(call, at, L, s), focus[s.number][:: 1 if s.back else -1]
            found.append(Inner(p.gradient("h"), p.arriving, None, "δ at each step", chosen))
            if L.cell.cells:
                found.append(Inner(p.gradient("c"), p.cell_arriving, None, "δ of the cell at each step", chosen))
            for letter in dict.fromkeys((L.cell.taken, L.cell.passed)):
                rows = [(b, t, k * s.units + u) for b, t, u in chosen for k in range(L.cell.blocks)]
                found.append(Inner(p.pack_gradient(letter), p.pack_back(letter), None, "", rows))
        return found

    def element(self, call: Call, at: Symbols, index: Index) -> Expr:
        L = self.layers(call)
        b, t, k = index if L.batch_first else (index[1], index[0], index[2])
        top = L.at(L.levels - 1)
        s = top[k // top[0].units]
        return StrandEntries(call, at, L, s).of("h")[(b, t, k % s.units)]

    def sent(self, call: Call, at: Symbols, to: Value, index: Index) -> Expr | None:
        L = self.layers(call)
        if to is L.x:
            b, t, k = index if L.batch_first else (index[1], index[0], index[2])
            return products([pair for s in L.at(0) for pair in StrandEntries(call, at, L, s).down(b, t, k)])
        if to is L.a:
            b, t, k = L.place(*index) if not L.batch_first else index
            return StrandEntries(call, at, L, L.strands[0]).pack_gradient(L.cell.taken)[(b, t, k)]
        for s in L.strands:
            p = StrandEntries(call, at, L, s)
            taken, passed = p.pack_gradient(L.cell.taken), p.pack_gradient(L.cell.passed)
            steps = [(b, t) for b in range(taken.data.shape[0]) for t in range(L.steps)]
            if to is s.W:
                return products([(taken[(b, t, index[0])], p.input(b, t, index[1])) for b, t in steps])
            if to is s.U:
                return products([(passed[(b, t, index[0])], p.before("h", b, t, index[1])) for b, t in steps])
            if to is s.b or to is s.d:
                q, row = (taken, index[0]) if to is s.b else (passed, index[0] + s.d_from)
                return sum_of([q[(b, t, row)] for b, t in steps])
        return None  # the first states: compared, not worked out


def _shown(name: str) -> str:
    return f"∂L/∂{name[1:]}" if name[1:].isalpha() else f"∂L/∂{name[1]}ₜ,{'₀₁₂₃'[int(name[2])]}"
