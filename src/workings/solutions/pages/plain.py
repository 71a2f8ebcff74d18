"""The page in plain text, for a terminal: every line within its width where it can be."""

from __future__ import annotations

import textwrap

from workings.solutions.expressions import Quantity
from workings.solutions.rounding import Line, printed
from workings.solutions.solving import label
from workings.solutions.steps import Check, Solution, Step
from workings.solutions.tables import grouped, scalar, tables
from workings.solutions.text import write

WHOLE = 16  # numbers of a tensor that are all printed
OK, FAILED = "✓", "✗ FAILED"


def page(solution: Solution, width: int = 100) -> str:
    """The whole page."""
    width = max(width, 40)
    out: list[str] = [solution.title, "=" * min(len(solution.title), width), ""]
    room = max((len(name) for name, _ in solution.facts), default=0)
    for name, fact in solution.facts:
        out += _wrapped(f"{name:<{room}}  {fact}", width, " " * (room + 2))
    out += ["", *_wrapped(solution.policy, width), ""]
    for i, step in enumerate(solution.steps):
        head = f"{i + 1}  {step.title}"
        out += ["", head, "─" * len(head)]
        out += _body(step, solution.digits, width, "")
        for j, child in enumerate(step.children):
            out += _step(child, f"{i + 1}.{j + 1}", solution.digits, width)
    out += ["", *_wrapped(solution.verdict(), width)] if solution.verdict() else []
    for problem in solution.problems:
        out += _wrapped(f"{problem.level.capitalize()}: {problem.what}", width, "  ")
    return "\n".join(out) + "\n"


def _step(step: Step, number: str, digits: int, width: int) -> list[str]:
    place = f"  ({step.place})" if step.place and step.place != "loss" else ""
    return ["", f"{number}  {step.title}{place}", *_body(step, digits, width, "   ")]


def _body(step: Step, digits: int, width: int, indent: str) -> list[str]:
    out: list[str] = []
    for sentence in step.intro:
        out += _wrapped(sentence, width, indent, indent)
    for left, right in step.equations:
        out += _wrapped(f"{write(left, numbers=False)} = {write(right, numbers=False)}", width, indent + "    ", indent)
    for group in grouped(step.given):
        out += given(group, width, indent + "    ")
    for line in step.lines:
        out += line_of(line, width, indent)
    for q in step.values:
        out += _wrapped(value_of(q, digits), width, indent + "    ", indent)
    for remark in step.remarks:
        out += _wrapped(remark, width, indent, indent)
    for check in step.checks:
        out.append(f"{indent}{checked(check)}")
    for child in step.children:
        if indent:
            out += [f"{indent}{child.title}", *_body(child, digits, width, indent + "  ")]
    return out


def line_of(line: Line, width: int, indent: str) -> list[str]:
    """A line of arithmetic: with symbols, with numbers put in, its result."""
    left = write(line.left, numbers=False)
    symbols = write(line.equation, numbers=False)
    numbers = write(line.equation, numbers=True, digits=line.digits)
    mark = "" if line.holds else f"   {FAILED}: the printed digits give {line.error:.1f} units more or less"
    pad = indent + " " * len(left)
    out = _wrapped(f"{left} = {symbols}", width, pad + "   ", indent)
    result = f"= {line.result_printed.text}{mark}"
    if numbers == line.result_printed.text:
        return [*out, f"{pad} {result}"]
    return [*out, *_wrapped(f"= {numbers}", width, pad + "   ", pad + " "), f"{pad} {result}"]


def given(group: list[Quantity], width: int, indent: str) -> list[str]:
    """Tensors whole: lone numbers beside one another, others as tables."""
    if group[0].data.ndim == 0:
        said = [f"{label(q)} = {number.text}".replace(" ", NARROW) for q in group if (number := scalar(q))]
        return [line.replace(NARROW, " ") for line in _wrapped(",  ".join(said), width, indent, indent)]
    out: list[str] = []
    for index, rows in tables(group[0]):
        name = label(group[0]) + (f"[{','.join(map(str, index))}]" if index else "") + " = "
        cells = [[number.text for number in row] for row in rows]
        room = [max(map(len, column)) for column in zip(*cells, strict=True)]
        for i, row in enumerate(cells):
            written = "  ".join(f"{cell:>{n}}" for cell, n in zip(row, room, strict=True))
            out.append(f"{indent}{name if i == 0 else ' ' * len(name)}[{written}]")
    return out


NARROW = "\N{NO-BREAK SPACE}"


def value_of(q: Quantity, digits: int, *, whole: bool = False) -> str:
    """A tensor: all its numbers where they are few or ``whole`` is asked for, else its shape and what sums it up."""
    name = label(q)
    shape = tuple(q.data.shape[1:] if q.one_sample else q.data.shape)
    if whole or q.data.numel() <= WHOLE:
        numbers = [printed(float(v), digits).text for v in q.data.reshape(-1)]
        if not shape or shape == (1,):
            return f"{name} = {numbers[0]}"
        return f"{name} = {_nested(numbers, shape)}"
    low, high, mean = (float(f) for f in (q.data.min(), q.data.max(), q.data.mean()))
    mean = 0.0 if abs(mean) < 1e-12 * max(abs(low), abs(high)) else mean
    low, high, mean = (printed(f, digits).text for f in (low, high, mean))
    return f"{name}: {' × '.join(map(str, shape))} numbers, from {low} to {high}, mean {mean}"


def _nested(numbers: list[str], shape: tuple[int, ...]) -> str:
    if len(shape) <= 1:
        return f"({', '.join(numbers)})"
    step = len(numbers) // shape[0] if shape[0] else 0
    return f"[{'; '.join(_nested(numbers[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0]))}]"


def checked(check: Check) -> str:
    """One check in a line."""
    mark = OK if check.ok else FAILED
    return (
        f"{mark} against {check.what}: relative error {check.error:.0e}"
        if check.error
        else f"{mark} against {check.what}: equal to the last bit"
    )


def _wrapped(text: str, width: int, rest: str = "", first: str = "") -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    ) or [""]
