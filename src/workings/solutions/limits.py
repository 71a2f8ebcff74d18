"""What happens to the gradient between the backward pass and the update: penalties of the weights, clipping."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from workings.solutions.expressions import Expr, Number, Quantity, Symbol, sign, sqrt
from workings.solutions.rounding import settle_line
from workings.solutions.solving import Detail, Solver, choose
from workings.solutions.steps import Step
from workings.solutions.sums import sum_of


@dataclass(frozen=True)
class Limits:
    """What happens to the gradient before the optimiser: penalties of weights, then clipping."""

    l1: float = 0.0
    l2: float = 0.0
    clip_norm: float | None = None
    clip_value: float | None = None


def limit(
    limits: Limits, grads: dict[str, Tensor], solver: Solver, detail: Detail
) -> tuple[dict[str, Tensor], Step | None]:
    """Penalties added, then the gradient clipped, in the order of :class:`workings.learning.step.Regularisation`."""
    if limits == Limits():
        return grads, None
    step = Step("Gradient before the update")
    record, g = solver.record, dict(grads)
    if limits.l1 or limits.l2:
        child = Step("penalty of the weights")
        for name in g:
            w = record.parameters[name].data
            if w.ndim < 2:
                continue
            qw, qg = solver.page.quantity(record.parameters[name]), solver.page.delta(record.parameters[name])
            made = g[name] + limits.l1 * torch.sign(w) + limits.l2 * w
            left = Quantity("g", f"{qw.letter}{qw.layer}", made, name)
            for i in choose(made, made, detail)[0][:2]:
                e: Expr = qg[i]
                e = e + limits.l1 * sign(qw[i]) if limits.l1 else e
                e = e + limits.l2 * qw[i] if limits.l2 else e
                child.lines.append(settle_line(left[i], e, left[i].value, detail.digits))
            g[name] = made
        step.children.append(child)
    if limits.clip_value is not None:
        c = limits.clip_value
        g = {name: v.clamp(-c, c) for name, v in g.items()}
        step.remarks.append(f"Each number of the gradient is limited to ±{c:g}.")
    if limits.clip_norm is not None:
        tau, squares = limits.clip_norm, {name: float(v.square().sum()) for name, v in g.items()}
        norm = math.sqrt(sum(squares.values()))
        child = Step("clipping by norm")
        parts = [Quantity("‖g‖²", name, torch.tensor(v, dtype=torch.float64)) for name, v in squares.items()]
        child.lines.append(settle_line(Symbol("‖g‖"), sqrt(sum_of([p[()] for p in parts])), norm, detail.digits))
        factor = tau / norm if norm > tau else 1.0
        if factor < 1:
            q = Quantity("‖g‖", "", torch.tensor(norm, dtype=torch.float64))
            child.lines.append(settle_line(Symbol("τ/‖g‖"), Number(tau) / q[()], factor, detail.digits))
            child.remarks.append("‖g‖ > τ, so every gradient is multiplied by τ/‖g‖.")
        else:
            child.remarks.append(f"‖g‖ is not above τ = {tau:g}: nothing is clipped.")
        g = {name: v * factor for name, v in g.items()}
        step.children.append(child)
    return g, step
