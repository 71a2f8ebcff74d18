"""The page in Markdown, with maths between $$ as GitHub, notebooks and Quarto read it."""

from __future__ import annotations

from workings.solutions.latex import given, write
from workings.solutions.pages.plain import checked, value_of
from workings.solutions.rounding import Line
from workings.solutions.steps import Solution, Step
from workings.solutions.tables import grouped


def page(solution: Solution) -> str:
    """The whole page."""
    out = [f"# {solution.title}", ""]
    out += [f"- **{name}:** {fact}" for name, fact in solution.facts]
    out += ["", solution.policy]
    for i, step in enumerate(solution.steps):
        out += ["", f"## {i + 1} {step.title}", *_body(step, solution.digits)]
        for j, child in enumerate(step.children):
            place = f" (`{child.place}`)" if child.place and child.place != "loss" else ""
            out += ["", f"### {i + 1}.{j + 1} {child.title}{place}", *_body(child, solution.digits)]
            for inner in child.children:
                out += ["", f"**{inner.title}**", *_body(inner, solution.digits)]
    out += ["", f"**{solution.verdict()}**"] if solution.verdict() else []
    out += [f"\n> {problem.level.capitalize()}: {problem.what}" for problem in solution.problems]
    return "\n".join(out) + "\n"


def _body(step: Step, digits: int) -> list[str]:
    out: list[str] = []
    for sentence in step.intro:
        out += ["", sentence]
    for left, right in step.equations:
        out += ["", f"$${write(left, numbers=False)} = {write(right, numbers=False)}$$"]
    out += [part for group in grouped(step.given) for part in ("", f"$${given(group)}$$")]
    for line in step.lines:
        out += ["", "$$" + aligned(line) + "$$"]
        if not line.holds:
            out += ["", f"**FAILED:** the printed digits miss the result by {line.error:.1f} units."]
    if step.values or step.remarks or step.checks:
        out.append("")
    out += [f"- `{value_of(q, digits)}`" for q in step.values]
    out += [f"- {remark}" for remark in step.remarks]
    out += [f"- {checked(check)}" for check in step.checks]
    return out


def aligned(line: Line) -> str:
    """A line of arithmetic as an ``aligned`` block: symbols, numbers, result."""
    from workings.solutions.latex import Latex

    left = write(line.left, numbers=False)
    symbols = write(line.equation, numbers=False)
    numbers = write(line.equation, numbers=True, digits=line.digits)
    result = Latex().number(line.result_printed, None)
    rows = [f"{left} &= {symbols}", *([f"&= {numbers}"] if numbers != result else []), f"&= {result}"]
    return r"\begin{aligned} " + r" \\ ".join(rows) + r" \end{aligned}"
