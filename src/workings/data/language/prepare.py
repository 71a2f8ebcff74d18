"""What is fitted on the training part of a text; written to ``prepare.json``."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from workings.base.form import Form
from workings.base.problems import Problem
from workings.data.language.tokeniser import RunningTokeniser
from workings.data.schema import Task, TaskKind
from workings.data.text.tokeniser import Tokens

CODE_POINTS = 0x110000


class LanguagePreparation(BaseModel):
    """The vocabulary and the window.

    tokens: what a token is. tokeniser: the ``tokenizers`` library's JSON. length: tokens of a window. before: the
    token that stands before a text. spelling: −ln of each letter's share in the words of the training part, "" being
    any other letter and "end" the end of a word; empty where tokens are no words. digest: of the text trained on.
    """

    model_config = ConfigDict(frozen=True)

    schema_version: int = 1
    kind: Literal["language"] = "language"
    tokens: Tokens
    tokeniser: dict[str, Any] = Field(repr=False)
    vocabulary: int
    lowercase: bool
    length: int
    before: int
    spelling: dict[str, float] = Field(default_factory=dict, repr=False)
    digest: str
    target: str
    task_kind: TaskKind = "language"
    classes: None = None
    target_mean: float = 0.0
    target_std: float = 1.0
    characters: int
    problems: list[Problem] = Field(default_factory=list)

    @property
    def shape(self) -> tuple[int]:
        """(T,): tokens of a window."""
        return (self.length,)

    @property
    def form(self) -> Form:
        """What the net must know of the samples."""
        return Form(vocabulary=self.vocabulary, each_step=True)

    def task(self) -> Task:
        """The task that the network was trained for."""
        return Task(kind=self.task_kind, target=self.target, reason="as in training")

    def load_tokeniser(self) -> RunningTokeniser:
        """The tokeniser."""
        return RunningTokeniser.load(self.tokeniser, self.tokens)

    def spelt(self, text: str) -> float:
        """Nats to spell out what an unknown token hides, letter by letter.

        By the letters' shares in training; one never seen there, and any character that is a token of its own, is one
        of all of Unicode.
        """
        if not self.spelling:
            return len(text) * math.log(CODE_POINTS)
        other = self.spelling[""] + math.log(CODE_POINTS)
        return self.spelling["end"] + sum(self.spelling.get(letter, other) for letter in text)


def letter_costs(words: Iterable[str]) -> dict[str, float]:
    """−ln q of letters and the end of a word, q being shares in ``words`` with one more of each and of "" (any other).

    So a word w has the probability q(end) Π q(letter), and all words together 1.
    """
    counts: Counter[str] = Counter()
    n = 0
    for word in words:
        counts.update(word)
        n += 1
    total = sum(counts.values()) + n + len(counts) + 2
    costs = {letter: -math.log((count + 1) / total) for letter, count in counts.items()}
    return {**costs, "": -math.log(1 / total), "end": -math.log((n + 1) / total)}
