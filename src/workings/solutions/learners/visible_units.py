"""Drawing visible units, each kind by its own arithmetic; see :mod:`workings.nets.visible`.

    binary      v = [u < σ(a)]
    number      v = a + ε,  ε normal; where other kinds stand beside it, ε is the number with Φ(ε) = u
    category    v_k = 1 where F_(k−1) ≤ u < F_k,  F_k = Σ_(j ≤ k) softmax(a)_j

Legend: M rows, V visible units.
"""

from __future__ import annotations

import torch
from torch import Tensor

from workings.nets.visible import Visible
from workings.solutions.expressions import Expr, Number, Quantity, Symbol, exp, holds
from workings.solutions.learners.working import worked
from workings.solutions.rules.base import Index
from workings.solutions.rules.elementwise import logistic
from workings.solutions.solving import Detail
from workings.solutions.steps import Step
from workings.solutions.sums import sum_of


def drawn_visible(visible: Visible, a: Tensor) -> tuple[Tensor, Tensor]:
    """v (M, V) for activations a, and the random numbers (M, V) it was drawn with, in the order of the net's own."""
    if visible.kind == "gaussian":
        noise = torch.randn(a.shape, dtype=a.dtype)
        return a + noise, noise
    u = torch.rand(a.shape, dtype=a.dtype)
    if visible.kind == "binary":
        return (u < torch.sigmoid(a)).to(a.dtype), u
    v = torch.zeros_like(a)
    for start, size in places_of(visible):
        part = slice(start, start + max(size, 1))
        if size == 0:
            v[:, part] = (u[:, part] < torch.sigmoid(a[:, part])).to(a.dtype)
        elif size == 1:
            v[:, part] = a[:, part] + torch.special.ndtri(u[:, part].clamp(min=1e-7))
        else:
            F = a[:, part].softmax(1).cumsum(1)
            above = torch.cat([F[:, :-1], torch.full_like(F[:, :1], torch.inf)], 1)
            below = torch.cat([torch.full_like(F[:, :1], -torch.inf), F[:, :-1]], 1)
            v[:, part] = ((below <= u[:, start : start + 1]) & (u[:, start : start + 1] < above)).to(a.dtype)
    return v, u


def places_of(visible: Visible) -> list[tuple[int, int]]:
    """Where the numbers of each column begin, and its size: 0 yes or no, 1 a number, more a category."""
    assert visible.columns is not None
    found, start = [], 0
    for size in visible.columns:
        found.append((start, size))
        start += max(size, 1)
    return found


def visible_steps(
    visible: Visible, a: Quantity, v: Tensor, noise: Tensor, n: str, units: list[int], detail: Detail
) -> list[Step]:
    """The steps from a to v for the first row. n: of the step of Gibbs sampling."""
    one, S = a.one_sample, Symbol
    q_v = Quantity("v", n, v, one_sample=one)
    kinds = _kinds(visible, v.shape[1])
    binary = [(0, i) for i in units if kinds[i][1] == 0]
    numbers = [(0, i) for i in units if kinds[i][1] == 1]
    found: list[Step] = []
    if numbers:
        of_normal = noise if visible.kind == "gaussian" else torch.special.ndtri(noise.clamp(min=1e-7))
        eps = Quantity("ε", n, of_normal, one_sample=one)
        found.append(worked("numbers, drawn in this step", q_v, lambda i: a[i] + eps[i], detail, chosen=numbers,
                            equation=(S("v", n), S("a", n) + S("ε", n)),
                            remarks=["ε are normal random numbers of mean 0 and deviation 1."]))  # fmt: skip
    if binary:
        q, u = Quantity("q", n, torch.sigmoid(a.data), one_sample=one), Quantity("u", f"{n}v", noise, one_sample=one)
        on = worked("probability of being on", q, lambda i: logistic(a[i]), detail, chosen=binary,
                    equation=(S("q", n), logistic(S("a", n))))  # fmt: skip
        if visible.kind == "mixed":
            on.values = []  # of the other columns it means nothing
        found.append(on)
        found.append(worked("states, drawn in this step", q_v, lambda i: holds(u[i], "<", q[i]), detail, chosen=binary,
                            equation=(S("v", n), holds(S("u", f"{n}v"), "<", S("q", n))),
                            remarks=["u are random numbers, uniform from 0 to 1."]))  # fmt: skip
    for start, size in sorted({kinds[i] for i in units if kinds[i][1] > 1}):
        found += _category(a, q_v, noise, n, start, size, detail)
    if visible.kind == "mixed":
        found[-1].remarks.append("Each column is drawn by its kind: a number, a yes or no, a category.")
    return found


def _kinds(visible: Visible, V: int) -> list[tuple[int, int]]:
    """Of each visible unit, where its column begins and its size."""
    if visible.kind != "mixed":
        return [(i, 0 if visible.kind == "binary" else 1) for i in range(V)]
    return [place for place in places_of(visible) for _ in range(max(place[1], 1))]


def _category(a: Quantity, q_v: Quantity, noise: Tensor, n: str, start: int, size: int, detail: Detail) -> list[Step]:
    """One category of the first row: its probabilities, their sums, the one that u falls into."""
    one, first = a.one_sample, list(range(start, start + size))
    p = torch.zeros_like(a.data)
    p[:, start : start + size] = a.data[:, start : start + size].softmax(1)
    total = torch.zeros_like(p)
    total[:, start : start + size] = p[:, start : start + size].cumsum(1)
    q, F = Quantity("q", n, p, one_sample=one), Quantity("F", n, total, one_sample=one)
    u = Quantity("u", f"{n}v", noise, one_sample=one)

    def of_q(i: Index) -> Expr:
        return exp(a[i]) / sum_of([exp(a[0, k]) for k in first])

    def of_v(i: Index) -> Expr:
        k, drawn = i[1], u[0, start]
        below: Expr = holds(F[0, k - 1], "≤", drawn) if k > start else Number(1)
        above: Expr = holds(drawn, "<", F[0, k]) if k < start + size - 1 else Number(1)
        return below * above

    chosen = [(0, k) for k in first[:4]]
    said = f"Units {start + 1} to {start + size} are one category: u of the first of them decides which is 1."
    return [
        worked("probabilities of a category", q, of_q, detail, chosen=chosen),
        worked("their sums", F, lambda i: sum_of([q[0, k] for k in range(start, i[1] + 1)]), detail, chosen=chosen),
        worked("state, drawn in this step", q_v, of_v, detail, chosen=chosen, remarks=[said]),
    ]
