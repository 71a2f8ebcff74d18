"""A solution: a tree of steps, each with symbol, equation, numbers put in, result and checks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from workings.base.problems import Problem
from workings.solutions.expressions import Expr, Quantity
from workings.solutions.rounding import Line


@dataclass(frozen=True)
class Check:
    """One thing compared with another calculation. error: relative to the largest number compared."""

    what: str
    error: float
    tolerance: float

    @property
    def ok(self) -> bool:
        return self.error <= self.tolerance  # NaN is no success


@dataclass
class Step:
    """One step.

    title: what is done. place: the module's path in the net. intro: sentences before all else. equations: in general,
    left = right. given: tensors that a reader needs whole, as tables. lines: the arithmetic of chosen entries. values:
    tensors as they came out, for a reader to see whole where they are small. remarks: what is not shown, what a reader
    should know. checks: against autograd or the net itself, whole tensors.
    """

    title: str
    place: str = ""
    intro: list[str] = field(default_factory=list)
    equations: list[tuple[Expr, Expr]] = field(default_factory=list)
    values: list[Quantity] = field(default_factory=list)
    given: list[Quantity] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    children: list[Step] = field(default_factory=list)

    def walk(self) -> Iterator[Step]:
        """This step and all below."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass
class Solution:
    """A worked page. facts: of the net, the sample, the optimiser, as name and text. policy: of rounding.

    lacking: operations without an equation, by name and how often. problems: what was noticed on the way.
    """

    title: str
    facts: list[tuple[str, str]]
    steps: list[Step]
    policy: str
    digits: int
    lacking: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def walk(self) -> Iterator[Step]:
        """Every step."""
        for step in self.steps:
            yield from step.walk()

    @property
    def checks(self) -> list[Check]:
        """All comparisons of whole tensors."""
        return [check for step in self.walk() for check in step.checks]

    @property
    def lines(self) -> list[Line]:
        """All lines."""
        return [line for step in self.walk() for line in step.lines]

    @property
    def failed(self) -> int:
        """How many checks and lines do not hold."""
        return sum(not c.ok for c in self.checks) + sum(not line.holds for line in self.lines)

    @property
    def complete(self) -> bool:
        """Whether every operation has its equation and every check passed."""
        return not self.lacking and not self.failed

    def verdict(self) -> str:
        """The outcome in a sentence; empty where nothing was worked out: a question."""
        checks, lines = self.checks, self.lines
        if not checks and not lines:
            return ""
        worst = max((c.error for c in checks if c.ok), default=0.0)
        said = f"{_count(len(lines), 'printed line')} worked out from their own digits"
        if checks:
            said = f"{_count(len(checks), 'comparison')} with autograd and the net itself, {said}"
        if self.failed:
            bad = sum(not c.ok for c in checks)
            return f"{said}: {bad:,} comparisons and {sum(not x.holds for x in lines):,} lines FAILED."
        return f"{said}: all hold" + (f" (largest relative error {worst:.0e})." if worst else ".")

    def to_text(self, width: int = 100) -> str:
        """Plain text."""
        from workings.solutions.pages.plain import page

        return page(self, width)

    def to_markdown(self) -> str:
        """Markdown with $ maths."""
        from workings.solutions.pages.markdown import page

        return page(self)

    def to_latex(self) -> str:
        """A LaTeX document."""
        from workings.solutions.pages.tex import page

        return page(self)

    def to_html(self) -> str:
        """One self-contained page, MathML, no script."""
        from workings.solutions.pages.web import page

        return page(self)

    def to_dict(self) -> dict[str, object]:
        """For programs."""
        from workings.solutions.pages.data import page

        return page(self)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": self.to_text(), "text/markdown": self.to_markdown(), "text/html": self.to_html()}

    def __str__(self) -> str:
        return self.to_text()


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'s' if n != 1 else ''}"
