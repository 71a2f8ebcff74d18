"""The page for programs: numbers in full, lines as text, where every entry came from (indices from 0)."""

from __future__ import annotations

from workings.solutions.expressions import Quantity, entries
from workings.solutions.rounding import Line
from workings.solutions.rules.base import as_symbol
from workings.solutions.steps import Solution, Step
from workings.solutions.text import write

SCHEMA_VERSION = 1
WHOLE = 256  # numbers of a tensor that are all written


def page(solution: Solution) -> dict[str, object]:
    """JSON-ready."""
    return {
        "schema_version": SCHEMA_VERSION,
        "title": solution.title,
        "facts": dict(solution.facts),
        "rounding": solution.policy,
        "steps": [_step(step) for step in solution.steps],
        "verdict": {
            "complete": solution.complete,
            "comparisons": len(solution.checks),
            "lines": len(solution.lines),
            "failed": solution.failed,
            "without_equation": solution.lacking,
            "text": solution.verdict(),
        },
        "problems": [problem.to_dict() for problem in solution.problems],
    }


def _step(step: Step) -> dict[str, object]:
    return {
        "title": step.title,
        "place": step.place,
        "intro": step.intro,
        "equations": [f"{write(a, numbers=False)} = {write(b, numbers=False)}" for a, b in step.equations],
        "given": [_value(q, whole=True) for q in step.given],
        "lines": [_line(line) for line in step.lines],
        "values": [_value(q) for q in step.values],
        "remarks": step.remarks,
        "checks": [
            {"against": c.what, "relative_error": _safe(c.error), "tolerance": c.tolerance, "ok": c.ok}
            for c in step.checks
        ],
        "steps": [_step(child) for child in step.children],
    }


def _value(q: Quantity, *, whole: bool = False) -> dict[str, object]:
    told: dict[str, object] = {"symbol": write(as_symbol(q), numbers=False), "shape": list(q.data.shape)}
    if whole or q.data.numel() <= WHOLE:
        told["numbers"] = [_safe(float(v)) for v in q.data.reshape(-1)]
    if q.data.numel():
        told |= {"least": _safe(float(q.data.min())), "largest": _safe(float(q.data.max()))}
    return told


def _line(line: Line) -> dict[str, object]:
    return {
        "left": write(line.left, numbers=False),
        "symbols": write(line.equation, numbers=False),
        "numbers": write(line.equation, numbers=True, digits=line.digits),
        "printed": line.result_printed.text,
        "result": _safe(line.result),
        "holds": line.holds,
        "units_off": _safe(line.error),
        "from": [
            {"symbol": write(as_symbol(e.of), numbers=False), "index": list(e.index), "value": _safe(e.value)}
            for e in entries(line.equation)
        ],
    }


def _safe(x: float) -> float | str:
    return x if x == x and abs(x) != float("inf") else str(x)
