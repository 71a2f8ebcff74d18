"""The end of a learning step as a solution: the update of every parameter, and the forward pass with the new ones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from workings.solutions.alone import drawn_from, fresh
from workings.solutions.calls import Value
from workings.solutions.casting import InFloat64
from workings.solutions.expressions import Expr, Joined, Quantity, Symbol, lift
from workings.solutions.rounding import settle_line
from workings.solutions.rules.base import every
from workings.solutions.solving import TOLERANCE, Detail, Solver, choose, label, relative
from workings.solutions.steps import Check, Step

if TYPE_CHECKING:
    from workings.solutions.learning_step import LearningStep


def _whole_gradient(q: Quantity) -> Expr:
    return Joined((Symbol("∂L/∂"), Symbol(q.letter, q.layer)), "")


def update_of(
    step: LearningStep, solver: Solver, grads: dict[str, Tensor], detail: Detail
) -> tuple[dict[str, Tensor], Step]:
    """The new parameters, and how each came about; compared with the optimiser itself where there is one."""
    assert step.updates is not None
    record, new = solver.record, {}
    section = Step("Update")
    for name, g in grads.items():
        update, value = step.updates[name], record.parameters[name]
        memory = update.memory.get(name, {})
        first = update.kind == "sgd" and "v" not in memory
        zero = torch.zeros_like(g)
        tensors: dict[str, Any] = {"w": value.data.clone(), "g": g, **({"m": zero, "v": zero} if not first else {})}
        tensors |= memory
        own = solver.page.quantity(value)
        named = {key: Quantity(key, "", t, name) for key, t in tensors.items() if key != "w"}
        named["w"] = Quantity(own.letter, own.layer, tensors["w"], name)
        child = Step(f"{label(own)}: {update.name}", name)
        chosen, remark = choose(g, g, replace(detail, units=1))
        if id(value) in solver.path:
            chosen = sorted(solver.path[id(value)], key=lambda i: -abs(float(g[i])))[:1]
            remark = f"1 of {g.numel():,} numbers is worked out, one that the lines above use; all were compared."
        if detail.layer is not None and not name.startswith(f"{detail.layer}."):
            chosen, remark = [], ""
        child.remarks += [remark] if remark else []
        formulas = update.formulas(name, first)
        symbols: dict[str, Expr] = {key: Symbol(key) for key in ("w", "g", "m", "v")}
        equations: list[tuple[Expr, Expr]] = []
        for key, formula in formulas:
            equations.append((Symbol("w", new=True) if key == "w⁺" else Symbol(key), lift(formula(symbols))))
            symbols[key] = Symbol(key)
            tensors[key] = formula(tensors)
            if key == "w⁺":
                named[key] = Quantity(own.letter, own.layer, tensors[key], name, new=True)
            else:
                named[key] = Quantity(key, "", tensors[key], name)
        if not section.equations:
            section.equations = equations
        child.equations = [
            (Symbol("g"), _whole_gradient(own)),
            *(equations if repr(equations) != repr(section.equations) else []),
        ]
        for index in chosen:
            entry: dict[str, Any] = {key: q[index] for key, q in named.items()}
            for key, formula in formulas:
                child.lines.append(settle_line(entry[key], formula(entry), entry[key].value, detail.digits))
        new[name] = tensors["w⁺"]
        child.values = [named["w⁺"]]
        section.children.append(child)
    if step.reference is not None:
        real = step.reference(grads)
        for child in section.children:
            if child.place in real:
                change, made = real[child.place] - record.parameters[child.place].data, new[child.place]
                size = float(made.abs().max()) if made.numel() else 0.0
                error = relative(made - record.parameters[child.place].data, change, 1e-7 * size)
                child.checks.append(Check("the optimiser itself", error, TOLERANCE))
    return new, section


def forward_again(
    step: LearningStep, solver: Solver, loss: Value, new: dict[str, Tensor], grads: dict[str, Tensor], detail: Detail
) -> Step:
    """The forward pass with the new parameters, and what the gradient foretold."""
    old = {name: p.detach().clone() for name, p in step.net.named_parameters()}
    buffers = {name: b.clone() for name, b in step.net.named_buffers()}
    inputs, kwargs = fresh((step.inputs, step.kwargs))
    # The same random numbers: the same units dropped.
    with torch.no_grad(), drawn_from(step.seed), InFloat64():
        for name, p in step.net.named_parameters():
            if name in new:
                p.copy_(new[name])
        with torch.enable_grad():  # checkpointing warns where there is nothing to go back for
            out = step.net(*inputs, **kwargs)
        after = step.loss(out, *step.compared).detach().double()
        for name, p in step.net.named_parameters():
            p.copy_(old[name])
        for name, b in step.net.named_buffers():
            b.copy_(buffers[name])
    L, L_new = solver.page.quantity(loss), Quantity("L", "", after, new=True)
    changed = Quantity("ΔL", "", after - loss.data)
    foretold = sum(float((g * (new[name] - solver.record.parameters[name].data)).sum()) for name, g in grads.items())
    said = Step("Forward again, with the new parameters", values=[L, L_new])
    i = every(after.shape)[0]
    said.lines.append(settle_line(changed[i], L_new[i] - L[every(loss.data.shape)[0]], changed[i].value, detail.digits))
    said.remarks.append(
        f"The gradient foretold Σ g·Δw = {foretold:.4g}; the curvature of the loss is the difference."
        + ("" if after < loss.data else " The loss did not fall in this step.")
    )
    return said
