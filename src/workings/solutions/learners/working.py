"""What the learners share: a quantity with its equation, the lines of some entries, what it is held against."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from workings.solutions.expressions import Expr, Quantity
from workings.solutions.record import Record
from workings.solutions.rounding import settle_line
from workings.solutions.rules import atomic
from workings.solutions.rules.base import Equation, Index
from workings.solutions.rules.parts import parts_of
from workings.solutions.solving import TOLERANCE, Detail, Solver, choose, relative
from workings.solutions.steps import Check, Solution, Step


def worked(
    title: str,
    q: Quantity,
    element: Callable[[Index], Expr] | None,
    detail: Detail,
    *,
    equation: Equation | None = None,
    chosen: Sequence[Index] | None = None,
    why: str = "that the other lines use",
    against: tuple[str, Tensor] | None = None,
    remarks: Sequence[str] = (),
) -> Step:
    """The step that gives ``q``. element: one entry's arithmetic. chosen: which entries, and why; None for the largest.

    against: by what name, and what it gave; the whole tensor is compared.
    """
    said = list(remarks)
    if chosen is None:
        chosen, remark = choose(q.data, None, detail)
        said += [remark] if remark and element is not None else []
    elif len(chosen) < q.data.numel():
        those = "numbers is worked out, the one" if len(chosen) == 1 else "numbers are worked out, those"
        said.append(f"{len(chosen)} of {q.data.numel():,} {those} {why}.")
    lines = [] if element is None else [settle_line(q[i], element(i), q[i].value, detail.digits) for i in chosen]
    checks = [] if against is None else [Check(against[0], relative(q.data, against[1]), TOLERANCE)]
    equations = [equation] if equation else []
    return Step(title, equations=equations, values=[q], lines=lines, remarks=said, checks=checks)


def forward_alone(net: nn.Module, run: Callable[[Tensor], Tensor], x: Tensor, detail: Detail) -> list[Step]:
    """The forward steps of ``run(x)``, which goes through modules of ``net``; nothing flows back."""
    record = Record(net, atomic, parts_of)
    record.note(x, "input", "input")
    with record.watching(), torch.no_grad():
        out = run(x)
    return Solver(record, len(x), record.value_of(out), len(record.calls), detail).forward()[0]


def joined(title: str, facts: list[tuple[str, str]], parts: Sequence[tuple[str, Solution]]) -> Solution:
    """Several solutions on one page, the sections of each under its name."""
    first = parts[0][1]
    steps: list[Step] = []
    lacking: dict[str, int] = {}
    for name, solution in parts:
        for step in solution.steps:
            step.title = f"{name}: {step.title[:1].lower()}{step.title[1:]}"
            steps.append(step)
        for operation, count in solution.lacking.items():
            lacking[operation] = lacking.get(operation, 0) + count
    problems = [problem for _, solution in parts for problem in solution.problems]
    return Solution(title, facts, steps, first.policy, first.digits, lacking, problems)
