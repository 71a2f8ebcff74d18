"""Where trials are made: each once, within a stated time, all of one length."""

from __future__ import annotations

import time
from collections.abc import Sequence

from workings.base.events import Emit, Phase, silent
from workings.base.finding import Finding
from workings.doctor.paired import LEVEL, Gain, gain
from workings.doctor.patient import Patient
from workings.doctor.trial import Change, Trial, planned_steps, run_trial
from workings.runs.recipe import Recipe
from workings.watching.findings import look

SEEDS = 5  # pairs by which a cure is proved; as many again where these do not decide
FINALISTS = 3  # cures that are proved in a round
FEWEST_STEPS = 40
LATE = {"overfitting", "label-noise"}  # symptoms that come late
FEW = 6  # cures that are tried at least, where these are found
LONG = 0.4  # of a training: what does better in less of it often does not in the whole
FEWEST_SEEDS = 3  # below, nothing is accepted
PROOF = 3 * FEWEST_SEEDS  # trials by which one cure can be proved: it, nothing and placebo
WATCHED = 0.3  # of a watched trial's time
SLOWEST = 6  # a trial may take so many times as long as the run's own; then the clock ends it,
PART = 1 / 12  # or when it has taken so much of all the time, and twice as long as the run's own
DEARER = 1.5  # what a cure's trial takes on average, in trials of the run itself


class Ward:
    """Runs trials within a time, each once."""

    def __init__(self, patient: Patient, seconds: float, emit: Emit = silent) -> None:
        self.patient, self.emit = patient, emit
        self.began, self.seconds = time.perf_counter(), seconds
        self.share, self.count = 1.0, 0
        self.usual = 0.0  # seconds of the first trial, in which nothing is changed
        self._done: dict[tuple[str, int, bool], Trial] = {}

    @property
    def spent(self) -> float:
        return time.perf_counter() - self.began

    @property
    def left(self) -> float:
        return self.seconds - self.spent

    def plan(self, cures: int) -> None:
        """Choose how long trials are, from one short trial: so that all cures can be screened and the best proved.

        What shows only late in a training is not seen in a short one; fewer cures are then tried, for longer. So it is
        where time is short: rather the likeliest few for ``LONG`` of a training than all for less.
        """
        recipe = self.patient.recipe
        steps = planned_steps(self.patient, recipe)
        few = min(1.0, max(FEWEST_STEPS, 2) / steps)
        self.emit(Phase("trying", "how long a trial takes"))
        short = run_trial(self.patient, recipe, recipe.seed, share=few, seconds=self.seconds / 4)
        training = short.training or short.seconds  # it stopped: all of its time is counted
        each, besides = training / max(few, 1e-9), short.seconds - training
        late = LATE & {each.code for each in self.patient.findings}
        trials = 2 + DEARER * (min(cures, FEW) if late else cures) + (1 + FINALISTS) * SEEDS + (0 if late else SEEDS)
        fewest = 2 + DEARER * min(cures, FEW) + PROOF
        affordable, most = (max(max(self.left, 0.0) / n - besides, 0.0) / max(each, 1e-9) for n in (trials, fewest))
        self.share = min(1.0, max(affordable, min(most, LONG), few))
        if self.share > 0.7:
            self.share = 1.0

    def trial(self, recipe: Recipe, seed: int, placebo: bool = False) -> Trial:
        """One trial, or what it gave when it was done before.

        Raises:
            UserError: the recipe does not fit.
        """
        key = (recipe.model_dump_json(exclude={"reasons", "seed"}), seed, placebo)
        if key not in self._done:
            usual = self.usual or self.left
            limit = max(min(self.left, SLOWEST * usual + 1, max(2 * usual, PART * self.seconds)), 0.5)
            own = self.patient.recipe.seed
            fold = None if seed == own or not self.patient.folds else seed - own - 1
            found = run_trial(self.patient, recipe, seed, share=self.share, placebo=placebo, seconds=limit, fold=fold)
            self.count += 1
            self.usual = self.usual or found.seconds
            self._done[key] = found
        return self._done[key]

    def changed(self, recipe: Recipe, name: str, change: Change, seed: int | None = None) -> Trial:
        """One trial with changed training rows: a control. ``name`` tells it from others.

        Raises:
            UserError: it does not fit.
        """
        own = self.patient.recipe.seed
        seed = own if seed is None else seed
        key = (name + recipe.model_dump_json(exclude={"reasons", "seed"}), seed, False)
        if key not in self._done:
            fold = None if seed == own or not self.patient.folds else seed - own - 1
            limit = max(self.left, 0.5)
            self._done[key] = run_trial(
                self.patient, recipe, seed, share=self.share, seconds=limit, train=change, fold=fold
            )
            self.count += 1
        return self._done[key]

    def findings(self, recipe: Recipe) -> list[Finding]:
        """What is found in one more trial, watched."""
        limit = max(self.left, 0.5)
        own = self.patient.recipe.seed
        found = run_trial(self.patient, recipe, own, share=self.share, seconds=limit, watch=WATCHED)
        self.count += 1
        return [] if found.history is None else look(found.history)

    def gain(self, before: Sequence[Trial], after: Sequence[Trial], level: float = LEVEL) -> Gain:
        """How much better; other rows judge with each seed where there are few."""
        return gain(before, after, level, same_rows=not self.patient.folds)

    def bears(self, trials: float = 1.0) -> bool:
        """Whether the time left is likely to do for so many more trials."""
        mean = self.spent / max(1, self.count)
        return self.left > trials * mean
