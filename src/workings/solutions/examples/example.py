"""What a worked example is: steps, the figures that were printed for them, and whether these agree."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from workings.solutions.evaluation import evaluate
from workings.solutions.expressions import Expr, Quantity, Symbol
from workings.solutions.record import Record
from workings.solutions.rounding import DIGITS, POLICY, settle_line
from workings.solutions.rules import atomic
from workings.solutions.solving import Detail, Solver, label
from workings.solutions.steps import Solution, Step

ALL_ENTRIES = Detail(few=100)


@dataclass(frozen=True)
class Figure:
    """A number in print: what it is of, its digits as printed, and what the arithmetic gives.

    erratum: why the printed digits are wrong; empty where they must agree.
    """

    what: str
    printed: str
    value: float
    erratum: str = ""

    @property
    def agrees(self) -> bool:
        """Whether the value, rounded to the digits in print, is what is printed."""
        _, _, decimals = self.printed.partition(".")
        unit = 10.0 ** -len(decimals)
        return abs(self.value - float(self.printed)) <= unit / 2 * (1 + 1e-9)

    @property
    def as_it_should(self) -> bool:
        """An erratum must really be wrong, every other figure right."""
        return self.agrees != bool(self.erratum)

    def text(self) -> str:
        """For the page."""
        shown = f"{self.value:.10g}"
        if self.erratum:
            return f"ERRATUM  {self.what}: printed {self.printed}, but it is {shown}. {self.erratum}"
        mark = "agrees by rounding" if self.agrees else "DOES NOT AGREE"
        return f"{self.what}: printed {self.printed}, here {shown}: {mark}"


@dataclass(frozen=True)
class Example:
    """name: W13. source: which notes. work: makes the steps and the figures."""

    name: str
    title: str
    source: str
    work: Callable[[], tuple[list[Step], list[Figure]]]
    facts: list[tuple[str, str]] = field(default_factory=list)

    def figures(self) -> list[Figure]:
        """The printed figures beside the arithmetic's."""
        return self.work()[1]

    def solve(self) -> Solution:
        """The page."""
        steps, figures = self.work()
        errata = any(f.erratum for f in figures)
        printed = Step("In print" + (", with errata" if errata else ""), remarks=[f.text() for f in figures])
        facts = [("Source", self.source), *self.facts]
        return Solution(f"{self.name}  {self.title}", facts, [*steps, printed], POLICY.format(digits=DIGITS), DIGITS)


def forward(net: nn.Module, x: Tensor, detail: Detail = ALL_ENTRIES) -> tuple[list[Step], Tensor]:
    """The forward steps of a net without a loss, every entry worked out, and its output."""
    net = net.double()
    record = Record(net, atomic)
    note = record.note(x, "input", "input")
    with record.watching(), torch.enable_grad():
        out = net(x)
    solver = Solver(record, len(x), note, len(record.calls) + 1, detail)
    return solver.forward()[0], out.detach()


def number(letter: str, value: float, layer: str = "") -> Expr:
    """A given number with a symbol."""
    return Quantity(letter, layer, torch.tensor(value, dtype=torch.float64), plain=True)[()]


def line(step: Step, left: str, equation: Expr, digits: int = DIGITS) -> float:
    """Work one line out and put it into the step; its value."""
    value = evaluate(equation)
    step.lines.append(settle_line(Symbol(left), equation, value, digits))
    return value


def named(steps: Sequence[Step], symbol: str) -> Quantity:
    """A tensor of worked steps, by its symbol as it is written.

    Raises:
        KeyError: no step gives it.
    """
    for step in itertools.chain.from_iterable(step.walk() for step in steps):
        for q in step.values:
            if label(q) == symbol:
                return q
    raise KeyError(symbol)
