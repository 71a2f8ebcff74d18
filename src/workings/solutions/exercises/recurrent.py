"""Recurrent cells, step by step, by the equations of ``rules.cells``.

Elman 1990; Hochreiter and Schmidhuber 1997; Cho et al. 2014.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from workings.solutions.exercises.draw import Draw
from workings.solutions.exercises.sheet import Sheet
from workings.solutions.expressions import Entry
from workings.solutions.rules.cells import GRU, LSTM, TANH, Cell
from workings.solutions.sums import products

SIGMOID = "σ(z) = 1/(1 + e^(−z)) is the sigmoid."
_LOW = "₀₁₂₃"
_GATES = {"LSTM": "ifgo", "GRU": "rzn"}


def rnn(draw: Draw, difficulty: int) -> Sheet | None:
    """One unit over three steps; two units over two; one unit with the gradient through time."""
    if difficulty == 2:
        return _two_units(draw)
    T = 3 if difficulty == 1 else 2
    sheet = Sheet("A recurrent unit" + (" and its gradient through time" if difficulty == 3 else f" over {T} steps"))
    sheet.tell("At each step z = w·x + u·h₋ + b and h = tanh(z), with h₋ the state before; the first is h₀.")
    x = sheet.tensor("x", draw.row(T, -2, 2))
    w, u, b = (sheet.number(letter, draw.tenths()) for letter in "wub")
    h = [sheet.number("h₀", draw.one_of((0.0, 0.5, -0.5, 0.2)) if difficulty == 3 else 0.0)]
    for t in range(T):
        sheet.begin(f"Step {t + 1}")
        z = sheet.work(f"z{_LOW[t + 1]}", w * x[(t,)] + u * h[-1] + b)
        h.append(sheet.work(f"h{_LOW[t + 1]}", TANH.forward[0][2]({"z0": z})))
        sheet.find(f"the state after step {t + 1}", h[-1])
    real = _real(nn.RNN(1, 1), [w], [u], [b])
    leaves = real(x.data[:, None, None], h[0].of.data.reshape(1, 1, 1))[0]
    sheet.compare("torch's recurrent layer", h[-1], leaves[-1])
    if difficulty == 3:
        _through_time(sheet, draw, real, leaves, x, (w, u, b), h)
    return sheet


def _through_time(
    sheet: Sheet, draw: Draw, real: nn.Module, out: Tensor, x: Any, weights: tuple[Entry, Entry, Entry], h: list[Entry]
) -> None:
    w, u, b = weights
    target = sheet.number("t", draw.tenths())
    sheet.tell("The loss is L = ½(h₂ − t)² of the last state; δ stands for ∂L/∂z at a step.")
    sheet.begin("The loss")
    L = sheet.work("L", (h[2] - target) ** 2 / 2)
    sheet.begin("Back through time")
    back, deltas = sheet.work("", h[2] - target, of=h[2]), []
    for t in (2, 1):
        if t == 1:
            back = sheet.work("", u * deltas[0], of=h[1])
        deltas.append(sheet.work(f"δ{_LOW[t]}", TANH.backward[0][1]({"dh": back, "h": h[t]})))
    sheet.begin("The gradients: sums over the steps")
    second, first = deltas
    made = [
        sheet.work("", first * x[(0,)] + second * x[(1,)], of=w),
        sheet.work("", first * h[0] + second * h[1], of=u),
        sheet.work("", first + second, of=b),
    ]
    ((out[-1, 0, 0] - target.value) ** 2 / 2).backward()
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0")
    for entry, name in zip(made, names, strict=True):
        gradient = getattr(real, name).grad
        sheet.compare("autograd's gradient", entry, gradient)
    sheet.find("the loss", L)
    for t, delta in zip((2, 1), deltas, strict=True):
        sheet.find(f"∂L/∂z of step {t}", delta)
    for entry in made:
        sheet.find("the gradient", entry)


def _two_units(draw: Draw) -> Sheet | None:
    sheet = Sheet("Two recurrent units over two steps")
    sheet.tell("At each step z = W x + U h₋ + b and h = tanh(z), with h₋ the state before, at first (0, 0).")
    x = sheet.tensor("x", draw.row(2, -2, 2))
    W, U = sheet.tensor("W", [[v] for v in draw.row(2)]), sheet.tensor("U", draw.rows(2, 2))
    b = sheet.tensor("b", draw.row(2))
    h, real = sheet.tensor("h₀", [0.0, 0.0]), nn.RNN(1, 2).double()
    for t in range(2):
        sheet.begin(f"Step {t + 1}")
        before = h
        z = sheet.work_all(
            f"z{_LOW[t + 1]}",
            [products([(W[k, 0], x[(t,)]), *((U[k, j], before[(j,)]) for j in range(2))], [b[(k,)]]) for k in range(2)],
        )
        h = sheet.work_all(f"h{_LOW[t + 1]}", [TANH.forward[0][2]({"z0": z[(k,)]}) for k in range(2)])
        sheet.find(f"the state after step {t + 1}", h)
    with torch.no_grad():
        for name, value in (("weight_ih_l0", W), ("weight_hh_l0", U), ("bias_ih_l0", b)):
            getattr(real, name).copy_(value.data)
        getattr(real, "bias_hh_l0").zero_()  # noqa: B009
        sheet.compare("torch's recurrent layer", h, real(x.data[:, None, None])[0][-1])
    return sheet


def lstm(draw: Draw, difficulty: int) -> Sheet | None:
    """One step; two; one with the gradients of its gates."""
    sheet = Sheet("An LSTM cell" + {1: "", 2: " over two steps", 3: " and the way back through its gates"}[difficulty])
    sheet.tell(
        "Each of i, f, g, o has z = w·x + u·h₋ + b of its own; i = σ(z), f = σ(z), g = tanh(z), o = σ(z). Then "
        "c = f·c₋ + i·g and h = o·tanh(c), where h₋ and c₋ are the state and the cell before, at first h₀ and c₀. "
        f"{SIGMOID}"
    )
    return _gated(sheet, draw, LSTM, difficulty)


def gru(draw: Draw, difficulty: int) -> Sheet | None:
    """One step; two; one with the gradients of its gates."""
    sheet = Sheet("A GRU cell" + {1: "", 2: " over two steps", 3: " and the way back through its gates"}[difficulty])
    sheet.tell(
        "Each of r, z, n has a = w·x + b and e = u·h₋ of its own; r = σ(a + e), z = σ(a + e), n = tanh(a + r·e). Then "
        f"h = (1 − z)·n + z·h₋, where h₋ is the state before, at first h₀. {SIGMOID}"
    )
    return _gated(sheet, draw, GRU, difficulty)


def _gated(sheet: Sheet, draw: Draw, cell: Cell, difficulty: int) -> Sheet | None:
    """One unit of a cell with gates."""
    gates, T = _GATES[cell.name], 2 if difficulty == 2 else 1
    xs = [sheet.number(f"x{_LOW[t + 1]}", draw.tenths(-2, 2)) for t in range(T)]
    q: dict[str, Entry] = {"h₋": sheet.number("h₀", draw.tenths())}
    if cell.cells:
        q["c₋"] = sheet.number("c₀", draw.tenths())
    w, u, b = ([sheet.number(letter, draw.tenths(), gate) for gate in gates] for letter in "wub")
    start = dict(q)
    for t, x in enumerate(xs):
        low = _LOW[t + 1]
        sheet.begin(f"Step {t + 1}" if T > 1 else "What the gates are given")
        for k, gate in enumerate(gates):
            if cell.split:
                q[f"a{k}"] = sheet.work(f"a{low}", w[k] * x + b[k], gate)
                q[f"u{k}"] = sheet.work(f"e{low}", u[k] * q["h₋"], gate)
            else:
                q[f"z{k}"] = sheet.work(f"z{low}", w[k] * x + u[k] * q["h₋"] + b[k], gate)
        if T == 1:
            sheet.begin("Gates and state")
        for letter, title, formula in cell.forward:
            q[letter] = sheet.work(f"{letter}{low}", formula(q))
            sheet.find(f"the {title}" + (f" of step {t + 1}" if T > 1 else ""), q[letter])
        if t < T - 1:
            q |= {f"{letter}₋": q[letter] for letter in "hc" if letter in q}
    real = _real(nn.LSTM(1, 1) if cell.cells else nn.GRU(1, 1), w, u, b)
    given = [start[k].of.data.reshape(1, 1, 1) for k in ("h₋", "c₋") if k in start]
    x_T11 = torch.tensor([[[x.value]] for x in xs], dtype=torch.float64)
    out = real(x_T11, tuple(given) if cell.cells else given[0])[0]
    sheet.compare(f"torch's {cell.name}", q["h"], out[-1])
    if difficulty == 3:
        _gates_back(sheet, draw, cell, q, real, out)
    return sheet


def _gates_back(sheet: Sheet, draw: Draw, cell: Cell, q: dict[str, Entry], real: nn.Module, out: Tensor) -> None:
    inside, gates = ("z", _GATES["LSTM"]) if cell.cells else ("a", _GATES["GRU"])
    sheet.tell(f"The gradient that arrives at h₁ is γ = ∂L/∂h₁; δ stands for ∂L/∂{inside} of each gate.")
    q["dh"] = sheet.number("γ", draw.tenths(-2, 2))
    sheet.begin("Back through the gates")
    for name, formula in cell.backward:
        if name[:2] == "du":
            continue
        if name == "dc":
            q[name] = sheet.work("", formula(q), of=q["c"])
            sheet.find("the gradient that arrives at the cell", q[name])
            continue
        q[name] = sheet.work("δ", formula(q), gates[int(name[2])])
        sheet.find(f"∂L/∂{inside} of {gates[int(name[2])]}", q[name])
    out.backward(torch.full_like(out, q["dh"].value))
    gradient = getattr(real, "bias_ih_l0").grad  # noqa: B009
    for k in range(cell.blocks):
        sheet.compare("autograd's gradient", q[f"d{inside}{k}"], gradient[k])


def _real(layer: nn.RNNBase, w: list[Entry], u: list[Entry], b: list[Entry]) -> nn.RNNBase:
    """torch's layer of one unit with these weights, its second bias 0."""
    layer = layer.double()
    with torch.no_grad():
        for name, entries in (("weight_ih_l0", w), ("weight_hh_l0", u), ("bias_ih_l0", b)):
            p = getattr(layer, name)
            p.copy_(torch.tensor([each.value for each in entries], dtype=torch.float64).reshape(p.shape))
        getattr(layer, "bias_hh_l0").zero_()  # noqa: B009
    return layer
