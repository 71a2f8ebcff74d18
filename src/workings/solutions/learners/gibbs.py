"""The phases of contrastive divergence: Gibbs sampling between visible and hidden units, with what was drawn.

Legend: M rows (samples or chains), V visible units, H hidden units.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from workings.nets.rbm import RBM
from workings.solutions.expressions import Expr, Joined, Quantity, Symbol, holds
from workings.solutions.learners.visible_units import drawn_visible, visible_steps
from workings.solutions.learners.working import worked
from workings.solutions.rules.base import Index
from workings.solutions.rules.elementwise import logistic
from workings.solutions.solving import Detail
from workings.solutions.steps import Step
from workings.solutions.sums import products


@dataclass
class Machine:
    """W (H, V), b (V,), c (H,) with their symbols, and which units are worked out: the same on the whole page."""

    W: Quantity
    b: Quantity
    c: Quantity
    detail: Detail
    hidden: list[int]
    visible: list[int]

    @property
    def places(self) -> list[Index]:
        """The weights between the units that are worked out."""
        return [(j, i) for j in self.hidden for i in self.visible]


@dataclass
class Phase:
    """v (M, V), z and p of the hidden units (M, H), their states h; u that h was drawn with, where it was.

    Of a negative phase also the activation a of the visible units and the random numbers, noise, that v was drawn with.
    """

    v: Tensor
    z: Tensor
    p: Tensor
    h: Tensor
    u: Tensor | None = None
    a: Tensor | None = None
    noise: Tensor | None = None


def drawn_phases(net: RBM, v: Tensor, chain: Tensor | None) -> list[Phase]:
    """The phases, from random numbers drawn in the order in which the rule draws them."""
    W, b, c = (t.detach() for t in (net.weight, net.visible_bias, net.hidden_bias))
    z = v @ W.T + c
    p = torch.sigmoid(z)
    u = torch.rand(p.shape, dtype=v.dtype) if chain is None else None
    h = (u < p).to(v.dtype) if u is not None else chain
    assert h is not None
    phases = [Phase(v, z, p, h, u)]
    for _ in range(net.k):
        a = phases[-1].h @ W + b
        drawn, noise = drawn_visible(net.visible, a)
        z = drawn @ W.T + c
        p = torch.sigmoid(z)
        u = torch.rand(p.shape, dtype=v.dtype)
        phases.append(Phase(drawn, z, p, (u < p).to(v.dtype), u, a, noise))
    return phases


def rows(q: Tensor, letter: str, step: int) -> Quantity:
    """The symbol of a tensor (M, …) of one step of Gibbs sampling."""
    return Quantity(letter, str(step), q, one_sample=len(q) == 1)


def positive(machine: Machine, phase: Phase, chained: bool) -> Step:
    """What the data says."""
    step = Step(
        "Positive phase: the data", values=[rows(phase.v, "v", 0)], children=_hidden(machine, phase, 0, chained)
    )
    if chained:
        said = f"{len(phase.h):,} chains of Gibbs sampling go on from step to step; they do not begin at the data."
        title = "chains, as the step before left them"
        step.children.append(Step(title, values=[rows(phase.h, "h", 0)], remarks=[said]))
    return step


def negative(machine: Machine, net: RBM, phases: list[Phase], j: int) -> Step:
    """Step j of what the machine itself says."""
    before, phase, S, n = phases[j - 1], phases[j], Symbol, str(j)
    assert phase.a is not None
    assert phase.noise is not None
    h, a = rows(before.h, "h", j - 1), rows(phase.a, "a", j)
    H = before.h.shape[1]

    def of_a(i: Index) -> Expr:
        return products([(h[i[0], k], machine.W[k, i[1]]) for k in range(H)], [machine.b[(i[1],)]])

    given = worked(
        "what each visible unit is given",
        a,
        of_a,
        machine.detail,
        chosen=[(0, i) for i in machine.visible],
        equation=(S("a", n), Joined((S("Wᵀ"), S("h", str(j - 1)))) + S("b")),
    )
    seen = visible_steps(net.visible, a, phase.v, phase.noise, n, machine.visible, machine.detail)
    children = [given, *seen, *_hidden(machine, phase, j, chained=False)]
    return Step(f"Negative phase, step {j} of {len(phases) - 1}", children=children)


def _hidden(machine: Machine, phase: Phase, j: int, chained: bool) -> list[Step]:
    """z, p and, where they are drawn, h, of the first row."""
    D, S, n = machine.detail, Symbol, str(j)
    v, z, p = rows(phase.v, "v", j), rows(phase.z, "z", j), rows(phase.p, "p", j)
    places: list[Index] = [(0, i) for i in machine.hidden]
    V = phase.v.shape[1]

    def of_z(i: Index) -> Expr:
        return products([(machine.W[i[1], k], v[i[0], k]) for k in range(V)], [machine.c[(i[1],)]])

    given = (S("z", n), Joined((S("W"), S("v", n))) + S("c"))
    found = [
        worked("what each hidden unit is given", z, of_z, D, chosen=places, equation=given),
        worked("probability of being on", p, lambda i: logistic(z[i]), D, chosen=places,
               equation=(S("p", n), logistic(S("z", n)))),
    ]  # fmt: skip
    if phase.u is None or chained:
        return found
    u, h = rows(phase.u, "u", j), rows(phase.h, "h", j)
    drawn = worked("states, drawn in this step", h, lambda i: holds(u[i], "<", p[i]), D, chosen=places,
                   equation=(S("h", n), holds(S("u", n), "<", S("p", n))),
                   remarks=["u are random numbers, uniform from 0 to 1."])  # fmt: skip
    drawn.values.insert(0, u)
    return [*found, drawn]
