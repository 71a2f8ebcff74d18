"""A run watched while it trains: a probe between its steps, and findings told as they come.

The losses of every chunk are kept whatever the budget; they are known anyway. What was seen goes into ``watch.json`` at
every checkpoint and when training ends, however it ends, so a run that is resumed goes on with it.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from workings.base.events import Found, Noticed
from workings.base.problems import Problem
from workings.base.tokens import PAD
from workings.learning.loop import Batch
from workings.learning.loop_state import LoopState
from workings.nets.unsupervised import Unsupervised
from workings.runs.watched_facts import facts
from workings.runs.watched_nets import further
from workings.watching import targets
from workings.watching.budget import Budget
from workings.watching.findings import codes, look
from workings.watching.history import History
from workings.watching.probe import Probe

if TYPE_CHECKING:
    from workings.runs.fit import Fit


class Watched:
    """What sees a fit's steps. ``history`` and ``told`` are filled while it trains.

    share: of the run's time. earlier: what ``to_dict`` gave when the run was stopped, where it goes on.
    """

    def __init__(self, fit: Fit, share: float, earlier: dict[str, Any] | None = None) -> None:
        self.fit = fit
        began = time.perf_counter()
        self.budget = Budget(share)
        self.told: set[str] = set()
        self.history = History(facts=facts(fit))
        if earlier is not None:
            self._go_on(earlier)
        own = isinstance(fit.net, Unsupervised)
        self.probe = Probe(
            fit.net,
            fit.loss if fit.gradient is not None else None,
            self.history,
            self.budget,
            kind=None if own else targets.kind_of_task(fit.task),
            ignored=PAD if fit.task in ("language", "translation") else None,
            further=further if own else None,
        )
        self._blind = False
        self._told_in = 0.0  # seconds that telling took last
        self._tell_at = 0  # the step from which on is told again
        codes()  # loads the findings, which takes long the first time
        self.budget.spent = self.budget.once = time.perf_counter() - began

    def _go_on(self, earlier: dict[str, Any]) -> None:
        """What was seen up to the step from which the run goes on."""
        new, step = self.history.facts, self.fit.state.step
        self.history = History.from_dict(earlier).until(step)
        resumed = self.history.facts.get("resumed", [])
        self.history.facts |= {**new, "resumed": [*resumed, step]}
        self.told = set(earlier.get("told", []))

    def begin(self) -> None:
        """Training begins."""
        self.budget.began = time.perf_counter()

    def __call__(self, state: LoopState, batch: Batch, losses: list[float]) -> None:
        """Between chunks of steps; see ``learning.loop``."""
        began = time.perf_counter()
        judging = state.step > self.fit.before
        self.history.note(state.step, "", "loss" if judging else "pretraining_loss", sum(losses) / len(losses))
        self.budget.spent += time.perf_counter() - began
        if judging and not self._blind:
            try:
                self.probe(state.step, *batch, self.fit.rule.learning_rate(state.step - 1))
            except (RuntimeError, TypeError, ValueError, AttributeError, NotImplementedError) as error:
                # A person's own net may be one that cannot be copied; the run goes on without looks, and says so.
                self._blind = True
                self.history.facts["not_seen"] = ["the inside of the net"]
                self.fit.emit(Noticed(_cannot_look(error)))

    def broke(self, step: int) -> None:
        """The loss of the step after ``step`` steps was not finite."""
        self.history.note(step, "", "loss", math.nan)

    def judged(self, step: int, found: dict[str, float]) -> None:
        """Metrics on the validation rows; then what there is to tell is told, each symptom once."""
        for name, value in found.items():
            self.history.note(step, "", f"val_{name}", value)
        for at, _, split, name, value, _ in reversed(self.fit.state.points):
            if at != step:
                break
            if split == "train" and name not in ("loss", "learning_rate"):
                self.history.note(step, "", f"train_{name}", value)
                if name == "free_energy" and name in found:
                    self.history.note(step, "", "free_energy_gap", found[name] - value)
        if step >= self._tell_at and self.budget.bears_between(self._told_in):
            self.tell()
            self._tell_at = step + step // 5

    def tell(self) -> None:
        """What is found, as far as it was not told before."""
        began = time.perf_counter()
        for finding in look(self.history):
            if finding.code not in self.told:
                self.told.add(finding.code)
                self.fit.emit(Found(finding))
        now = time.perf_counter()
        self._told_in = now - began
        self.budget.pay_between(self._told_in, now)

    def to_dict(self) -> dict[str, Any]:
        """What ``watch.json`` holds."""
        return {**self.history.to_dict(), "told": sorted(self.told), "cost": self.budget.to_dict()}


def _cannot_look(error: Exception) -> Problem:
    return Problem(
        "warning",
        "not-watched",
        f"What happens inside the net cannot be watched: {type(error).__name__}: {error}",
        why="A copy of the net is looked at between steps, so that nothing of the run changes; this net gives none.",
        do="Losses are watched all the same; watch=0 tries nothing.",
    )
