"""One learning step as a solution: forward, loss, backward, what happens to the gradient, update, forward again."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten_with_path

from workings.base.errors import refuse
from workings.base.problems import Problem
from workings.solutions.alone import drawn_from, fresh, run_alone
from workings.solutions.calls import Value
from workings.solutions.casting import InFloat64
from workings.solutions.expressions import Expr, Joined, Number, Quantity, Symbol, lift, sign, sqrt
from workings.solutions.record import Record
from workings.solutions.rounding import POLICY, settle_line
from workings.solutions.rules import LOSSES, atomic
from workings.solutions.rules.base import every
from workings.solutions.rules.parts import parts_of
from workings.solutions.solving import TOLERANCE, Detail, Solver, choose, label, relative
from workings.solutions.steps import Check, Solution, Step
from workings.solutions.sums import sum_of
from workings.solutions.updates import Update


@dataclass(frozen=True)
class Limits:
    """What happens to the gradient before the optimiser: penalties of weights, then clipping."""

    l1: float = 0.0
    l2: float = 0.0
    clip_norm: float | None = None
    clip_value: float | None = None


@dataclass
class LearningStep:
    """What is needed to repeat one step. net: in float64, in the mode in which it learns; it is not changed.

    loss: of (output, target), or of the output alone where ``target`` is None. updates: of each parameter by name;
    None shows no update. reference: new parameters by the real optimiser, from gradients by name, to compare with.
    weight: of each sample, where the loss takes weights.
    """

    net: nn.Module
    inputs: tuple[Any, ...]
    target: Any
    loss: Callable[..., Tensor]
    updates: dict[str, Update] | None = None
    reference: Callable[[dict[str, Tensor]], dict[str, Tensor]] | None = None
    limits: Limits = field(default_factory=Limits)
    kwargs: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    weight: Tensor | None = None

    @property
    def compared(self) -> tuple[Any, ...]:
        """What the loss takes beside the output."""
        given = () if self.target is None else (self.target,)
        return given if self.weight is None else (*given, self.weight)


def solve(step: LearningStep, title: str, facts: list[tuple[str, str]], detail: Detail | None = None) -> Solution:
    """The worked page.

    Raises:
        UserError: the loss is no single number, or nothing can be differentiated.
    """
    detail = detail or Detail()
    kind = torch.get_default_dtype()
    try:
        torch.set_default_dtype(torch.float64)  # what a net makes on the way is float64 too
        twin = copy.deepcopy(step.net)
        with drawn_from(step.seed), torch.enable_grad():
            solver, loss = _record(step, detail)
            sections = _sections(step, solver, loss, detail, twin)
    finally:
        torch.set_default_dtype(kind)
    solution = Solution(
        title, facts, sections, POLICY.format(digits=detail.digits), detail.digits, solver.lacking, solver.problems
    )
    if solver.lacking:
        named = ", ".join(f"{name} ({n})" if n > 1 else name for name, n in sorted(solver.lacking.items()))
        solution.problems.append(
            Problem(
                "note",
                "no-equation",
                f"{sum(solver.lacking.values())} operations have no equation here: {named}.",
                count=sum(solver.lacking.values()),
                why="They are shown by what they were given and gave, forward and backward, as executed.",
            )
        )
    return solution


def _call_loss(step: LearningStep, record: Record, out: Any) -> Tensor:
    name, given = type(step.loss).__name__, (out, *step.compared)
    # A weighted mean of squares is worked by the operations that it is made of.
    whole = name in LOSSES and (step.weight is None or "Entropy" in name)
    if whole and type(step.loss).__module__.startswith("workings."):
        return record.one(step.loss, name, *given)
    return step.loss(*given)


def _record(step: LearningStep, detail: Detail) -> tuple[Solver, Value]:
    record = Record(step.net, atomic, parts_of)
    inputs, kwargs = fresh((step.inputs, step.kwargs))
    samples: list[int] = []
    for path, x in tree_flatten_with_path((inputs, kwargs))[0]:
        if isinstance(x, Tensor):
            record.note(x, "input", f"input{_written(path[1:])}")
            samples += [len(x)] if x.ndim else []
    for path, x in tree_flatten_with_path(step.target)[0]:
        if isinstance(x, Tensor):
            record.note(x, "target", f"target{_written(path)}")
    for p in step.net.parameters():
        p.grad = None
    with record.watching():
        out = step.net(*inputs, **kwargs)
        loss_from = len(record.calls)
        record.path.append("loss")
        L = _call_loss(step, record, out)
        record.path.pop()
    if not isinstance(L, Tensor) or L.numel() != 1:
        shape = f"of shape {tuple(L.shape)}" if isinstance(L, Tensor) else f"a {type(L).__name__}"
        raise refuse("loss-not-a-number", f"The loss gave {shape}, not one number.", do="Give its mean or its sum.")
    if not L.requires_grad:
        raise refuse(
            "no-gradient",
            "The loss does not depend on any parameter in a way that has a gradient.",
            do="Check that the parameters require gradients, and that nothing is detached on the way.",
        )
    try:
        L.backward()
    except RuntimeError as e:
        raise refuse("no-backward", f"PyTorch itself cannot go back through this model: {e}") from e
    for name, p in step.net.named_parameters():
        if name in record.parameters and p.grad is not None:
            record.parameters[name].grad = p.grad.detach()
    value = record.value_of(L)
    return Solver(record, samples[0] if samples else 1, value, loss_from, detail), value


def _written(path: Any) -> str:
    """Where a tensor lies among what was given: ['pixel_values']."""
    return "".join(str(key) for key in path)


def _sections(step: LearningStep, solver: Solver, loss: Value, detail: Detail, twin: nn.Module) -> list[Step]:
    net, of_loss = solver.forward()
    sections = [
        Step("Forward", children=net),
        Step("Loss", children=of_loss, values=[solver.page.quantity(loss)]),
        Step("Backward", children=[*solver.backward(), _unwatched(step, solver, loss, twin)]),
    ]
    if step.updates is None:
        return sections
    record = solver.record
    grads = {
        name: solver.flow.arrived.get(id(v), torch.zeros_like(v.data))
        for name, v in record.parameters.items()
        if v.needs_grad and name in step.updates
    }
    limited, told = _limit(step.limits, grads, solver, detail)
    if told:
        sections.append(told)
    new, update = _update(step, solver, limited, detail)
    sections.append(update)
    if new:
        sections.append(_again(step, solver, loss, new, grads, detail))
    return sections


def _unwatched(step: LearningStep, solver: Solver, loss: Value, twin: nn.Module) -> Step:
    """The net by itself, with nothing recorded or opened, beside what was worked out."""
    L, grads = run_alone(twin, step.inputs, step.kwargs, lambda out: step.loss(out, *fresh(step.compared)), step.seed)
    error = 0.0
    for name, value in solver.record.parameters.items():
        made, given = solver.flow.arrived.get(id(value)), grads.get(name)
        if made is None and given is None:
            continue
        zero = torch.zeros_like(value.data)
        floor = solver.flow.floor(value)
        error = max(error, relative(zero if made is None else made, zero if given is None else given, floor))
    return Step(
        "The same step by the net alone, nothing recorded",
        checks=[
            Check("the loss", relative(loss.data.reshape(()), L.reshape(())), TOLERANCE),
            Check("the gradients of all parameters", error, TOLERANCE),
        ],
    )


def _limit(
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


def _whole_gradient(q: Quantity) -> Expr:
    return Joined((Symbol("∂L/∂"), Symbol(q.letter, q.layer)), "")


def _update(
    step: LearningStep, solver: Solver, grads: dict[str, Tensor], detail: Detail
) -> tuple[dict[str, Tensor], Step]:
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


def _again(
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
