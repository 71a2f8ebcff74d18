"""One learning step as a solution: forward, loss, backward, what happens to the gradient, update, forward again."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten_with_path

from workings.base.errors import refuse
from workings.base.problems import Problem
from workings.solutions.alone import drawn_from, fresh, run_alone
from workings.solutions.calls import Value
from workings.solutions.limits import Limits, limit
from workings.solutions.record import Record
from workings.solutions.rounding import POLICY
from workings.solutions.rules import LOSSES, atomic
from workings.solutions.rules.parts import parts_of
from workings.solutions.solving import TOLERANCE, Detail, Solver, relative
from workings.solutions.steps import Check, Solution, Step
from workings.solutions.update_step import forward_again, update_of
from workings.solutions.updates import Update


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
    limited, told = limit(step.limits, grads, solver, detail)
    if told:
        sections.append(told)
    new, update = update_of(step, solver, limited, detail)
    sections.append(update)
    if new:
        sections.append(forward_again(step, solver, loss, new, grads, detail))
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
