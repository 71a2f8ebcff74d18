"""A run watched while it trains: a probe between its steps, and findings told as they come.

The losses of every chunk are kept whatever the budget; they are known anyway.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from workings.base.events import Found
from workings.learning.loop import Batch, LoopState
from workings.nets.unsupervised import Unsupervised
from workings.runs.watched_facts import facts
from workings.watching import targets
from workings.watching.budget import Budget
from workings.watching.findings import look
from workings.watching.history import History
from workings.watching.probe import Probe

if TYPE_CHECKING:
    from workings.runs.fit import Fit


class Watched:
    """What sees a fit's steps. ``history`` and ``found`` are filled while it trains."""

    def __init__(self, fit: Fit, share: float) -> None:
        self.fit = fit
        self.history = History(facts=facts(fit))
        self.budget = Budget(share)
        kind = None if isinstance(fit.net, Unsupervised) else targets.kind_of_task(fit.task)
        loss = fit.loss if fit.gradient is not None else None
        self.probe = Probe(fit.net, loss, self.history, self.budget, kind=kind)
        self.told: set[str] = set()

    def begin(self) -> None:
        """Training begins."""
        self.budget.began = time.perf_counter()

    def __call__(self, state: LoopState, batch: Batch, losses: list[float]) -> None:
        """Between chunks of steps; see ``learning.loop``."""
        if state.step <= self.fit.before:
            return
        began = time.perf_counter()
        self.history.note(state.step, "", "loss", sum(losses) / len(losses))
        self.budget.spent += time.perf_counter() - began
        self.probe(state.step, *batch, self.fit.rule.learning_rate(state.step - 1))

    def judged(self, step: int, found: dict[str, float]) -> None:
        """Metrics on the validation rows; then what there is to tell is told, each symptom once."""
        for name, value in found.items():
            self.history.note(step, "", f"val_{name}", value)
        for finding in look(self.history):
            if finding.code not in self.told:
                self.told.add(finding.code)
                self.fit.emit(Found(finding))

    def to_dict(self) -> dict[str, Any]:
        """What ``watch.json`` holds."""
        cost = self.budget.to_dict()
        return {**self.history.to_dict(), "cost": cost}
