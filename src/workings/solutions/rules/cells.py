"""The cells of recurrent nets, each by its textbook equations, forward and backward through time.

    RNN     z_t = W x_t + b + U h_{t−1} + d         h_t = f(z_t), f = tanh or ReLU
    LSTM    z_t as above, in blocks i, f, g, o      i, f, o = σ(z), g = tanh(z)
            c_t = f_t ⊙ c_{t−1} + i_t ⊙ g_t         h_t = o_t ⊙ tanh(c_t)
    GRU     a_t = W x_t + b, u_t = U h_{t−1} + d    in blocks r, z, n
            r, z = σ(a + u), n_t = tanh(a + r_t ⊙ u) h_t = (1 − z_t) ⊙ n_t + z_t ⊙ h_{t−1}

Back, from the last step to the first, with ∂L/∂h_t the sum of what the output of step t is sent and of what comes from
step t + 1, ∂L/∂h_{t−1} gets Uᵀ ∂L/∂z_t (GRU: Uᵀ ∂L/∂u_t + ∂L/∂h_t ⊙ z_t), and every weight's gradient is a sum over
steps. Elman 1990; Hochreiter and Schmidhuber 1997; Cho et al. 2014; Werbos 1990 for the way back.

A formula takes a step's numbers by name, of whole tensors or of one entry: "z0" is block 0 of z_t, "c₋" c_{t−1}, "dh"
∂L/∂h_t. Legend: B batch, T steps, H units, G blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from workings.solutions.expressions import holds, largest, tanh
from workings.solutions.rules.elementwise import logistic

Numbers = dict[str, Any]
Formula = Callable[[Numbers], Any]


@dataclass(frozen=True)
class Cell:
    """One kind. blocks: G. split: a and u are kept apart, not added to z.

    forward, backward: name and formula of each quantity in order; "dz0" is the gradient of block 0 of z. carried: what
    h_t and c_t pass on to h_{t−1} and c_{t−1} by themselves, of the step after.
    """

    name: str
    blocks: int
    split: bool
    forward: tuple[tuple[str, str, Formula], ...]
    backward: tuple[tuple[str, Formula], ...]
    carried: dict[str, Formula]

    @property
    def cells(self) -> bool:
        """Whether there is a c beside h."""
        return "c" in self.carried

    @property
    def taken(self) -> str:
        """The letter of what x gives."""
        return "a" if self.split else "z"

    @property
    def passed(self) -> str:
        """The letter of what h_{t−1} gives."""
        return "u" if self.split else "z"


def _rnn(name: str, f: Formula, slope: Formula) -> Cell:
    return Cell(name, 1, False, (("h", "state", f),), (("dz0", lambda q: q["dh"] * slope(q)),), {})


TANH = _rnn("RNN", lambda q: tanh(q["z0"]), lambda q: 1 - q["h"] ** 2)
RELU = _rnn("RNN with ReLU", lambda q: largest(0, q["z0"]), lambda q: holds(q["z0"], ">", 0))
LSTM = Cell(
    "LSTM",
    4,
    False,
    (
        ("i", "input gate", lambda q: logistic(q["z0"])),
        ("f", "forget gate", lambda q: logistic(q["z1"])),
        ("g", "candidate", lambda q: tanh(q["z2"])),
        ("o", "output gate", lambda q: logistic(q["z3"])),
        ("c", "cell", lambda q: q["f"] * q["c₋"] + q["i"] * q["g"]),
        ("h", "state", lambda q: q["o"] * tanh(q["c"])),
    ),
    (
        ("dc", lambda q: q["dh"] * q["o"] * (1 - tanh(q["c"]) ** 2)),
        ("dz0", lambda q: q["dc"] * q["g"] * q["i"] * (1 - q["i"])),
        ("dz1", lambda q: q["dc"] * q["c₋"] * q["f"] * (1 - q["f"])),
        ("dz2", lambda q: q["dc"] * q["i"] * (1 - q["g"] ** 2)),
        ("dz3", lambda q: q["dh"] * tanh(q["c"]) * q["o"] * (1 - q["o"])),
    ),
    {"c": lambda q: q["dc"] * q["f"]},
)
GRU = Cell(
    "GRU",
    3,
    True,
    (
        ("r", "reset gate", lambda q: logistic(q["a0"] + q["u0"])),
        ("z", "update gate", lambda q: logistic(q["a1"] + q["u1"])),
        ("n", "candidate", lambda q: tanh(q["a2"] + q["r"] * q["u2"])),
        ("h", "state", lambda q: (1 - q["z"]) * q["n"] + q["z"] * q["h₋"]),
    ),
    (
        ("da2", lambda q: q["dh"] * (1 - q["z"]) * (1 - q["n"] ** 2)),
        ("da0", lambda q: q["da2"] * q["u2"] * q["r"] * (1 - q["r"])),
        ("da1", lambda q: q["dh"] * (q["h₋"] - q["n"]) * q["z"] * (1 - q["z"])),
        ("du0", lambda q: q["da0"]),
        ("du1", lambda q: q["da1"]),
        ("du2", lambda q: q["da2"] * q["r"]),
    ),
    {"h": lambda q: q["dh"] * q["z"]},
)


def unroll(cell: Cell, a_BTG: Tensor, U: Tensor, d_G: Tensor, h_BH: Tensor, c_BH: Tensor | None) -> dict[str, Tensor]:
    """Every quantity (B, T, H) by name, h₋ and c₋ too, and z (a and u where split) (B, T, G·H), as they are read."""
    steps: list[Numbers] = []
    for a in a_BTG.unbind(1):
        u = h_BH @ U.T + d_G
        q: Numbers = {"h₋": h_BH} | ({} if c_BH is None else {"c₋": c_BH})
        q |= {"a": a, "u": u} if cell.split else {"z": a + u}
        for letter in {cell.taken, cell.passed}:
            q |= {f"{letter}{k}": part for k, part in enumerate(q[letter].chunk(cell.blocks, 1))}
        packs = {f"{cell.taken}": q[cell.taken], f"{cell.passed}": q[cell.passed]}
        for name, _, formula in cell.forward:
            q[name] = formula(q)
        h_BH, c_BH = q["h"], q.get("c")
        # The GRU's update gate is called z, too; its pack is a and u.
        steps.append(q | ({} if cell.split else packs))
    return {name: torch.stack([q[name] for q in steps], 1) for name in steps[0]}


def back(
    cell: Cell, made: dict[str, Tensor], U: Tensor, g_BTH: Tensor, g_c_BH: Tensor | None
) -> tuple[dict[str, Tensor], Tensor, Tensor | None]:
    """∂L/∂ of every quantity, "dh" …, and of the packs, "dz" or "da" and "du"; then ∂L/∂h_0 and ∂L/∂c_0.

    g_BTH: what the outputs are sent, the last state's among them. g_c_BH: what c_T is sent.
    """
    from_h, from_c = torch.zeros_like(g_BTH[:, 0]), g_c_BH
    steps: list[Numbers] = []
    for t in reversed(range(g_BTH.shape[1])):
        q: Numbers = {name: x[:, t] for name, x in made.items()} | {"dh": g_BTH[:, t] + from_h}
        for name, formula in cell.backward:
            q[name] = formula(q)
            if name == "dc" and from_c is not None:
                q["dc"] = q["dc"] + from_c
        for letter in {cell.taken, cell.passed}:
            q[f"d{letter}"] = torch.cat([q[f"d{letter}{k}"] for k in range(cell.blocks)], 1)
        from_h = q[f"d{cell.passed}"] @ U
        from_h = from_h + cell.carried["h"](q) if "h" in cell.carried else from_h
        from_c = cell.carried["c"](q) if cell.cells else None
        steps.insert(0, {name: x for name, x in q.items() if name.startswith("d")})
    return {name: torch.stack([q[name] for q in steps], 1) for name in steps[0]}, from_h, from_c
