"""What a call of a recurrent layer is given: one strand for each layer in each direction, with its weights and starts.

torch's ``rnn_tanh``, ``rnn_relu``, ``lstm`` and ``gru`` take all layers at once; Workings' own functions
(nets/through_time.py) one strand, and what its inputs give already added up.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from workings.solutions.calls import Call, Value
from workings.solutions.rules.cells import GRU, LSTM, RELU, TANH, Cell, back, unroll

_TORCH = ("input", "hx", "params", "has_biases", "num_layers", "dropout", "train", "bidirectional", "batch_first")
_CELLS = {"rnn_tanh": TANH, "rnn_relu": RELU, "lstm": LSTM, "gru": GRU}


@dataclass(eq=False)
class Strand:
    """One layer in one direction. level: from 0. number: its place among the states. W, b: None where a is given.

    d_from: the row of U with which d begins. made, sent: the quantities and their gradients, (B, T, …) in the
    order of time; start: the gradients of h_0 and c_0.
    """

    level: int
    back: bool
    number: int
    U: Value
    W: Value | None = None
    b: Value | None = None
    d: Value | None = None
    d_from: int = 0
    made: dict[str, Tensor] | None = None
    sent: dict[str, Tensor] | None = None
    start: tuple[Tensor, Tensor | None] | None = None

    @property
    def units(self) -> int:
        return int(self.U.data.shape[1])

    def turned(self, x: Tensor) -> Tensor:
        """From time to the order of reading, or back."""
        return x.flip(1) if self.back else x

    def before(self, t: int) -> int:
        """The step read before; not a step of the sequence where there is none."""
        return t + 1 if self.back else t - 1

    def after(self, t: int) -> int:
        """The step read after."""
        return t - 1 if self.back else t + 1


@dataclass(eq=False)
class Layers:
    """All strands of a call. x: None where a is given, what the inputs give. batch_first: of x (or a) and the output.
    focus: which entries of which strand are worked out, once chosen.
    """

    cell: Cell
    strands: list[Strand]
    x: Value | None
    a: Value | None
    h_0: Value
    c_0: Value | None
    batch_first: bool
    focus: dict[int, list[tuple[int, ...]]] = field(default_factory=dict)

    def time(self, x: Tensor) -> Tensor:
        """(B, T, …) from the layout of the call, or the other way."""
        return x if self.batch_first else x.transpose(0, 1)

    def place(self, b: int, t: int, k: int) -> tuple[int, int, int]:
        """The index of an input or output."""
        return (b, t, k) if self.batch_first else (t, b, k)

    @property
    def steps(self) -> int:
        x = self.x or self.a
        assert x is not None
        return int(x.data.shape[1 if self.batch_first else 0])

    @property
    def levels(self) -> int:
        return self.strands[-1].level + 1

    def at(self, level: int) -> list[Strand]:
        """The strands of a level: onward, then back."""
        return [s for s in self.strands if s.level == level]

    def first(self, state: Tensor, s: Strand) -> Tensor:
        """A strand's part (B, H) of the first states."""
        return state[s.number] if self.a is None else state

    def run(self) -> None:
        """Fill in what every strand makes."""
        x = None if self.x is None else self.time(self.x.data)
        for level in range(self.levels):
            for s in self.at(level):
                G = s.U.data.shape[0]
                d = s.U.data.new_zeros(G)
                if s.d is not None:
                    d[s.d_from :] = s.d.data
                if self.a is not None:
                    a = self.time(self.a.data)
                else:
                    assert x is not None
                    assert s.W is not None
                    a = x @ s.W.data.T + (0 if s.b is None else s.b.data)
                c = None if self.c_0 is None else self.first(self.c_0.data, s)
                made = unroll(self.cell, s.turned(a), s.U.data, d, self.first(self.h_0.data, s), c)
                s.made = {name: s.turned(q) for name, q in made.items()}
            x = torch.cat([s.made["h"] for s in self.at(level) if s.made], 2)

    def run_back(self, deltas: list[Tensor]) -> Tensor | None:
        """Fill in the gradients, from those of the outputs; what x is sent, (B, T, D)."""
        g = self.time(deltas[0])
        for level in reversed(range(self.levels)):
            below: Tensor | None = None
            for part, s in zip(g.split([s.units for s in self.at(level)], 2), self.at(level), strict=True):
                assert s.made is not None
                read = s.turned(part).clone()
                if len(deltas) > 1:
                    read[:, -1] += deltas[1][s.number]
                c = deltas[2][s.number] if len(deltas) > 2 else None
                sent, h, c = back(self.cell, {n: s.turned(q) for n, q in s.made.items()}, s.U.data, read, c)
                s.sent, s.start = {name: s.turned(q) for name, q in sent.items()}, (h, c)
                if s.W is not None:
                    x = s.sent[f"d{self.cell.taken}"] @ s.W.data
                    below = x if below is None else below + x
            if below is None:
                return None
            g = below
        return g


def read(call: Call) -> Layers | None:
    """What a call is given; None where it is of a kind not known here (packed, projected, with dropout)."""
    if call.name == "RNNThroughTime":
        a, U, h_0, relu = call.args
        return Layers(RELU if relu else TANH, [Strand(0, False, 0, U)], None, a, h_0, None, False)
    if call.name == "GRUThroughTime":
        a, U, d, h_0 = call.args
        s = Strand(0, False, 0, U, d=d, d_from=2 * int(U.data.shape[1]))
        return Layers(GRU, [s], None, a, h_0, None, False)
    x, hx, params, biases, levels, dropout, train, both, batch_first = call.bound(*_TORCH)
    if not isinstance(both, bool) or not isinstance(batch_first, bool):
        return None  # a packed sequence has other arguments
    states: list[Value] = list(hx) if isinstance(hx, (list, tuple)) else [hx]
    directions, each = 1 + both, 4 if biases else 2
    if x.data.ndim != 3 or (dropout and train and levels > 1) or len(params) != levels * directions * each:
        return None
    strands = []
    for n in range(levels * directions):
        W, U, *more = params[n * each : (n + 1) * each]
        b, d = more or (None, None)
        strands.append(Strand(n // directions, bool(n % directions), n, U, W, b, d))
    c_0 = states[1] if len(states) > 1 else None
    return Layers(_CELLS[call.name], strands, x, None, states[0], c_0, batch_first)
