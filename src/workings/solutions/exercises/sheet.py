"""An exercise on paper: what is given, what is to be found, and the answer worked through, every line checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from workings.solutions.evaluation import evaluate
from workings.solutions.exercises.draw import Draw
from workings.solutions.expressions import Entry, Expr, Quantity
from workings.solutions.rounding import DIGITS, POLICY, settle_line
from workings.solutions.rules.base import every
from workings.solutions.solving import TOLERANCE, label, relative
from workings.solutions.steps import Check, Solution, Step

RULES = (
    f"Numbers are given exactly. Give yours to {DIGITS} significant digits and keep one or two more on the way; whole "
    "numbers are exact. Indices count from 1."
)
Many = Expr | Sequence["Many"]


@dataclass(frozen=True)
class Ask:
    """One thing to be found: in words, and the number or numbers, or a word where the answer is one."""

    what: str
    quantity: Quantity | None = None
    word: str = ""

    @property
    def symbol(self) -> str:
        """The quantity's symbol; of a word, none."""
        return "" if self.quantity is None else label(self.quantity)

    def text(self, number: int) -> str:
        """The line of the question."""
        mark = f"({'abcdefghijklmnopqrstuvwxyz'[number]}) "
        return f"{mark}{self.what}{f', {self.symbol}' if self.symbol else ''}"

    def answer(self, number: int) -> str:
        """The line of the answer."""
        from workings.solutions.pages.plain import value_of

        said = self.word if self.quantity is None else value_of(self.quantity, DIGITS, whole=True)
        return f"{self.text(number).removesuffix(f', {self.symbol}')}: {said}"

    def to_dict(self, *, answer: bool) -> dict[str, object]:
        """For programs."""
        told: dict[str, object] = {"what": self.what, "symbol": self.symbol, "digits": DIGITS}
        if self.quantity is not None:
            told["shape"] = list(self.quantity.data.shape)
        if answer:
            told["answer"] = self.word if self.quantity is None else [float(v) for v in self.quantity.data.reshape(-1)]
        return told


@dataclass
class Sheet:
    """What a family fills in. story: sentences. given: numbers. equations: those that the question states. steps:
    of the answer.
    """

    title: str
    story: list[str] = field(default_factory=list)
    given: list[Quantity] = field(default_factory=list)
    equations: list[tuple[Expr, Expr]] = field(default_factory=list)
    asks: list[Ask] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def tell(self, *sentences: str) -> None:
        """Sentences of the question."""
        self.story += sentences

    def number(self, letter: str, value: float, layer: str = "") -> Entry:
        """A number that is given."""
        return self.tensor(letter, torch.tensor(value, dtype=torch.float64), layer)[()]

    def tensor(self, letter: str, values: Any, layer: str = "", *, one_sample: bool = False) -> Quantity:
        """Numbers that are given. one_sample: the first axis is that of a lone sample, and is not written."""
        data = torch.as_tensor(values, dtype=torch.float64)
        made = Quantity(letter, layer, data, one_sample=one_sample, plain=data.ndim == 0)
        self.given.append(made)
        return made

    def begin(self, title: str, *equations: tuple[Expr, Expr]) -> Step:
        """A new step of the answer."""
        self.steps.append(Step(title, equations=list(equations)))
        return self.steps[-1]

    def work(self, letter: str, by: Expr, layer: str = "", *, new: bool = False, of: Entry | None = None) -> Entry:
        """One number worked out in the last step. of: what it is the gradient of, the letter then being empty."""
        return self.work_all(letter, by, layer, new=new, of=of)[()]

    def work_all(
        self, letter: str, by: Many, layer: str = "", *, new: bool = False, of: Entry | None = None
    ) -> Quantity:
        """Many numbers worked out in the last step, one line each."""
        data, name = torch.tensor(_evaluated(by), dtype=torch.float64), f"step {len(self.steps)}"
        made = Quantity(letter, layer, data, name, None if of is None else of.of, new, plain=data.ndim == 0)
        for index in every(data.shape):
            self.steps[-1].lines.append(settle_line(made[index], _at(by, index), made[index].value, DIGITS))
        return made

    def kept(self, entry: Entry) -> Entry:
        """A new number once it is the old one: w⁺ is the w of the next step."""
        q = entry.of
        return Quantity(q.letter, q.layer, q.data, q.name, plain=q.plain)[entry.index] if q.new else entry

    def find(self, what: str, of: Quantity | Entry) -> None:
        """One more thing to be found."""
        self.asks.append(Ask(what, of.of if isinstance(of, Entry) else of))

    def find_word(self, what: str, word: str) -> None:
        """A word to be found."""
        self.asks.append(Ask(what, word=word))

    def compare(self, what: str, made: Quantity | Entry, other: Tensor) -> None:
        """Compare a result with another calculation, in the last step."""
        mine = made.of.data if isinstance(made, Entry) else made.data
        error = relative(mine, other.detach().double().reshape(mine.shape))
        self.steps[-1].checks.append(Check(what, error, TOLERANCE))


def _evaluated(by: Many) -> Any:
    return evaluate(by) if isinstance(by, Expr) else [_evaluated(each) for each in by]


def _at(by: Many, index: tuple[int, ...]) -> Expr:
    for i in index:
        assert not isinstance(by, Expr)
        by = by[i]
    assert isinstance(by, Expr)
    return by


@dataclass(frozen=True)
class Exercise:
    """One exercise. ``question()`` is its page without the answer, ``solve()`` that with it."""

    family: str
    difficulty: int
    seed: int
    sheet: Sheet

    @property
    def title(self) -> str:
        """What it is about."""
        return self.sheet.title

    def question(self) -> Solution:
        """The page without the answer: all that is needed to work it out by hand."""
        facts = [("Exercise", f"{self.family}, difficulty {self.difficulty}, seed {self.seed}")]
        return Solution(self.title, facts, self._asked(), RULES, DIGITS)

    def solve(self) -> Solution:
        """The page with the answer, every line worked out from its own digits."""
        answers = Step("Answers", intro=[ask.answer(i) for i, ask in enumerate(self.sheet.asks)])
        page = self.question()
        page.steps += [*self.sheet.steps, answers]
        page.policy += " " + POLICY.format(digits=DIGITS).removesuffix(" Indices count from 1.")
        return page

    def _asked(self) -> list[Step]:
        given = Step("Given", intro=self.sheet.story, equations=self.sheet.equations, given=self.sheet.given)
        return [given, Step("Find", intro=[ask.text(i) for i, ask in enumerate(self.sheet.asks)])]

    def to_dict(self, *, answers: bool = False) -> dict[str, object]:
        """For programs: the page, and what is to be found as numbers."""
        page = (self.solve() if answers else self.question()).to_dict()
        about = {"family": self.family, "difficulty": self.difficulty, "seed": self.seed}
        return {**page, "exercise": about, "find": [ask.to_dict(answer=answers) for ask in self.sheet.asks]}

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return self.question()._repr_mimebundle_(include, exclude)

    def __str__(self) -> str:
        return str(self.question())


Make = Callable[[Draw, int], Sheet | None]
