"""A run on its way: what was brought, what is settled, what is prepared."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workings.base.events import Decided, Emit, Noticed, Phase
from workings.base.problems import Problem
from workings.data.dataset import Dataset
from workings.data.source import Source
from workings.data.split import Split
from workings.nets.custom import Own
from workings.runs.recipe import Recipe
from workings.runs.run import Run
from workings.runs.work import Outcome


@dataclass
class Job:
    """A run on its way: what was brought, the recipe as far as it is settled, and what is told.

    unlabelled: what the data card holds of samples without labels.
    look_further, report: what the rooms above do with a finished run; see ``workings.api``.
    """

    recipe: Recipe
    emit: Emit
    data: object
    test: object | None
    net: Own | None
    resume: Path | None
    out: str | os.PathLike[str] | None
    look_further: Callable[[Run, Outcome, Emit], None] | None = None
    report: Callable[[Path], object] | None = None
    problems: list[Problem] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    unlabelled: dict[str, Any] | None = None

    @contextmanager
    def phase(self, name: str, text: str) -> Iterator[None]:
        """A stretch of work, told and timed."""
        self.emit(Phase(name, text))
        began = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began

    def decide(self, name: str, value: Any, reason: str) -> None:
        """Settle a value of the recipe and tell it."""
        self.recipe = self.recipe.settled(name, value, reason)
        self.emit(Decided(name, value, reason))

    def notice(self, problem: Problem) -> None:
        """Tell a problem once and keep it for the data card."""
        if problem not in self.problems:
            self.problems.append(problem)
            self.emit(Noticed(problem))


@dataclass
class Prepared:
    """The data of a run, ready to be batched. ``test`` may be the training rows, if there are no others."""

    dataset: Dataset
    split: Split
    prep: Any
    train: Source
    val: Source | None
    test: Source
    test_dataset: Dataset | None
    unlabelled: Source | None = None
