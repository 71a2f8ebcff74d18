"""Cures tried within a stated time, each by trials in pairs; what does better beyond its interval is accepted.

Every round begins with the recipe as it is (at first the run's own):

1. Screening: one trial of each cure, with the run's seed, against nothing and placebo.
2. Proof: the best cure of each of the few best causes, nothing and placebo, each with ``SEEDS`` new seeds, so that a
   cure that was lucky in screening is no more likely to pass.
3. A cure is accepted if it does better than nothing and than placebo, both beyond the interval (``doctor.paired``), and
   by at least ``LEAST`` of the score. The best one changes the recipe. It is trained once more and watched: if symptoms
   are left, the next round begins, so that several faults are cured one after another.

Trials are whole trainings where the time bears that, else shortened ones, all alike.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from workings.base.errors import UserError
from workings.base.events import Emit, Phase, silent
from workings.base.finding import Finding
from workings.doctor.causes import shown
from workings.doctor.cures.cure import Cure
from workings.doctor.paired import Gain, gain
from workings.doctor.patient import Patient
from workings.doctor.trial import Change, Trial, planned_steps, run_trial
from workings.runs.recipe import Recipe
from workings.watching.findings import look

SEEDS = 5  # pairs by which a cure is proved
FEWEST_SEEDS = 3  # below, nothing is accepted
FINALISTS = 3  # cures that are proved in a round
ROUNDS = 3
ALIKE = 0.75  # of the best gain: a likelier change that reaches it is preferred
LEAST = 0.02  # of the score before: what is smaller is not worth a change
SCREENING = 0.45  # of the time left, at most
FEWEST_STEPS = 40
WATCHED = 0.3  # of a watched trial's time


@dataclass
class Tried:
    """A cure that was tried.

    rank: its place among the cures of the round, the likeliest first. verdict: accepted, better (but another was
    best), no difference, harmful, worse at first, not proved, or does not fit. screened: how much less it lost than
    nothing in its first trial, None where that did not end. gain, placebo: over nothing, and over the placebo. cause:
    what its success would show.
    """

    cure: Cure
    round: int
    rank: int = 0
    verdict: str = "not proved"
    screened: float | None = None
    gain: Gain | None = None
    placebo: Gain | None = None
    cause: str = ""
    note: str = ""
    recipe: Recipe | None = None
    trials: list[Trial] = field(default_factory=list)

    @property
    def told(self) -> list[str]:
        """The change as settings, ``name=value`` each; what was derived has the value that it got."""
        found = self.cure.told()
        if self.recipe is None:
            return found
        return [_with_value(each, self.recipe) for each in found]


def _with_value(told: str, recipe: Recipe) -> str:
    name, anew, _ = told.partition(" from the data")
    value = recipe.net_settings.get(name, getattr(recipe, name, None)) if anew else None
    return told if not anew or value is None or isinstance(value, dict) else f"{name}={value} (from the data)"


@dataclass
class Treatment:
    """What was tried and what came of it. recipe: with every accepted cure. share: of the epochs that trials had.

    placebo: the gain of the placebo over nothing in the first round: what chance alone does. whole: that of all
    accepted cures together. left: symptoms that a training with all accepted cures still has.
    """

    recipe: Recipe
    tried: list[Tried] = field(default_factory=list)
    share: float = 1.0
    steps: int = 0
    trials: int = 0
    seconds: float = 0.0
    placebo: Gain | None = None
    whole: Gain | None = None
    out_of_time: bool = False
    left: list[Finding] = field(default_factory=list)

    @property
    def accepted(self) -> list[Tried]:
        """The cures that were accepted, in order."""
        return [each for each in self.tried if each.verdict == "accepted"]


# The cures of a round, the likeliest first: of the recipe as it is, and what is found in it.
Propose = Callable[[Recipe, Sequence[Finding]], Sequence[Cure]]


class Ward:
    """Runs trials within a time, each once."""

    def __init__(self, patient: Patient, seconds: float, emit: Emit = silent) -> None:
        self.patient, self.emit = patient, emit
        self.began, self.seconds = time.perf_counter(), seconds
        self.share, self.count = 1.0, 0
        self.longest = 0.0
        self._done: dict[tuple[str, int, bool], Trial] = {}

    @property
    def spent(self) -> float:
        return time.perf_counter() - self.began

    @property
    def left(self) -> float:
        return self.seconds - self.spent

    def plan(self, cures: int) -> None:
        """Choose how long trials are, from one short trial: so that all cures can be screened and the best proved."""
        recipe = self.patient.recipe
        steps = planned_steps(self.patient, recipe)
        few = min(1.0, max(FEWEST_STEPS, 2) / steps)
        self.emit(Phase("trying", "how long a trial takes"))
        short = run_trial(self.patient, recipe, recipe.seed, share=few, seconds=self.seconds / 4)
        each = short.seconds / max(few, 1e-9)
        trials = 2 + cures + (1 + FINALISTS) * SEEDS + SEEDS
        affordable = max(self.left, 0.0) / trials
        self.share = min(1.0, max(affordable / max(each, 1e-9), few))
        if self.share > 0.7:
            self.share = 1.0

    def trial(self, recipe: Recipe, seed: int, placebo: bool = False) -> Trial:
        """One trial, or what it gave when it was done before.

        Raises:
            UserError: the recipe does not fit.
        """
        key = (recipe.model_dump_json(exclude={"reasons", "seed"}), seed, placebo)
        if key not in self._done:
            limit = max(self.left, 0.5)
            own = self.patient.recipe.seed
            fold = None if seed == own or not self.patient.folds else seed - own - 1
            found = run_trial(self.patient, recipe, seed, share=self.share, placebo=placebo, seconds=limit, fold=fold)
            self.count += 1
            self.longest = max(self.longest, found.seconds)
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

    def gain(self, before: Sequence[Trial], after: Sequence[Trial]) -> Gain:
        """How much better; other rows judge with each seed where there are few."""
        return gain(before, after, same_rows=not self.patient.folds)

    def bears(self, trials: float = 1.0) -> bool:
        """Whether the time left is likely to do for so many more trials."""
        mean = self.spent / max(1, self.count)
        return self.left > trials * mean


def treat(
    patient: Patient, propose: Propose, minutes: float, emit: Emit = silent, ward: Ward | None = None
) -> Treatment:
    """Try what ``propose`` gives within ``minutes``; see the module's text. ``ward``: one that has begun already."""
    cures = list(propose(patient.recipe, patient.findings))
    treatment = Treatment(patient.recipe)
    if ward is None:
        ward = Ward(patient, 60 * minutes, emit)
        ward.plan(len(cures))
    if cures:
        for round_ in range(ROUNDS):
            if not cures or not ward.bears(3) or not _round(ward, treatment, cures, round_):
                break
            emit(Phase("watching", "whether symptoms are left"))
            treatment.left = ward.findings(treatment.recipe)
            cures = _others(list(propose(treatment.recipe, treatment.left)), treatment) if treatment.left else []
    treatment.share, treatment.trials, treatment.seconds = ward.share, ward.count, ward.spent
    treatment.steps = planned_steps(patient, patient.recipe, ward.share)
    if treatment.accepted:
        treatment.whole = _whole(ward, treatment)
    return treatment


def _others(cures: list[Cure], treatment: Treatment) -> list[Cure]:
    """Cures of a later round: not those that did harm or were accepted already."""
    done = {t.cure.name for t in treatment.tried if t.verdict in ("accepted", "harmful", "worse at first")}
    return [cure for cure in cures if cure.name not in done]


def _round(ward: Ward, treatment: Treatment, cures: Sequence[Cure], round_: int) -> bool:
    """One round; whether a cure was accepted."""
    base, seed = treatment.recipe, ward.patient.recipe.seed
    nothing, placebo = ward.trial(base, seed), ward.trial(base, seed, placebo=True)
    noise = max(abs(_difference(nothing, placebo)), _least(nothing))
    tried, ended = _screen(ward, base, cures, round_, nothing, noise)
    treatment.tried += tried
    treatment.out_of_time |= not ended
    hopeful = [t for t in tried if t.screened is not None and t.screened > noise]
    finalists = _finalists(hopeful)
    for t in hopeful:
        if t not in finalists:
            t.note = "another cure of the same cause, or a better one, was proved instead"
    for t in tried:
        if t.screened is not None and t not in hopeful:
            t.verdict = "no difference" if t.screened > -noise else "worse at first"
    if not finalists:
        return False
    seeds = _prove(ward, treatment, base, finalists, seed)
    if seeds < FEWEST_SEEDS:
        for t in finalists:
            t.note = "the time was over before it could be proved"
        return False
    return _accept(ward, treatment, base, finalists, seed, seeds)


def _screen(
    ward: Ward, base: Recipe, cures: Sequence[Cure], round_: int, nothing: Trial, noise: float
) -> tuple[list[Tried], bool]:
    """One trial of each; and whether the time did for all."""
    deadline = ward.spent + SCREENING * ward.left
    found: list[Tried] = []
    for i, cure in enumerate(cures):
        if _wrong_way(cure, base, found, noise):
            continue
        if ward.spent > deadline or not ward.bears(3):
            return found, False
        ward.emit(Phase("trying", f"{i + 1} of {len(cures)}: {cure.name}"))
        t = Tried(cure, round_ + 1, i, cause=cure.shows)
        found.append(t)
        try:
            t.recipe = cure.apply(base)
            trial = ward.trial(t.recipe, ward.patient.recipe.seed)
        except UserError as error:
            t.verdict, t.note = "does not fit", error.problems[0].what
            continue
        except ValueError as error:  # pydantic's: a value that the recipe does not take
            t.verdict, t.note = "does not fit", " ".join(str(error).split())
            continue
        t.recipe = settled(t.recipe, trial)
        t.cause = shown(cure, base, t.recipe)
        t.screened = _difference(nothing, trial)
    return found, True


def _wrong_way(cure: Cure, base: Recipe, done: Sequence[Tried], noise: float) -> bool:
    """Whether it moves the learning rate one way when the other way was seen to help."""
    eta, now = cure.values.get("learning_rate"), base.learning_rate
    if eta is None or now is None:
        return False
    helped = [t for t in done if t.recipe and (t.screened or 0) > noise and set(t.cure.values) <= {"learning_rate"}]
    rates = [t.recipe.learning_rate or now for t in helped if t.recipe and not t.cure.net and len(t.cure.unset) < 2]
    return any((rate - now) * (eta - now) < 0 for rate in rates)


def settled(recipe: Recipe, trial: Trial) -> Recipe:
    """The recipe with what its first trial derived, so that all its trials and the new run are of one recipe."""
    if trial.recipe is None:
        return recipe
    trial_only = {"seed", "epochs", "minutes", "watch", "lane", "pretraining_epochs", "reasons"}
    derived = trial.recipe.model_dump(exclude=trial_only)
    derived["reasons"] = {**recipe.reasons, **trial.recipe.reasons}
    kept = recipe.model_dump(include=trial_only - {"reasons"})
    if kept["epochs"] is None:  # was derived too, of which the trial had a share
        kept["epochs"] = trial.recipe.epochs
    return Recipe.model_validate({**kept, **derived})


def _finalists(hopeful: list[Tried]) -> list[Tried]:
    """The best cure of each cause, the best causes first; of one cause only, its two best."""
    ordered = sorted(hopeful, key=lambda t: -(t.screened or 0.0))
    firsts: list[Tried] = []
    for t in ordered:
        if t.cause not in {each.cause for each in firsts}:
            firsts.append(t)
    more = [t for t in ordered if t not in firsts]
    return (firsts[:FINALISTS] + more[:1])[:FINALISTS]


def _prove(ward: Ward, treatment: Treatment, base: Recipe, finalists: list[Tried], seed: int) -> int:
    """Trials with new seeds; how many seeds were done by all."""
    done = 0
    for k in range(1, SEEDS + 1):
        if not ward.bears(2 + len(finalists)):
            treatment.out_of_time = True
            break
        ward.emit(Phase("proving", f"seed {k} of {SEEDS}: {', '.join(t.cure.name for t in finalists)}"))
        ward.trial(base, seed + k)
        ward.trial(base, seed + k, placebo=True)
        for t in finalists:
            assert t.recipe is not None
            t.trials.append(ward.trial(t.recipe, seed + k))
        done = k
    return done


def _accept(ward: Ward, treatment: Treatment, base: Recipe, finalists: list[Tried], seed: int, seeds: int) -> bool:
    """Judge the finalists; whether one was accepted, which then changes the recipe."""
    nothing = [ward.trial(base, seed + k) for k in range(1, seeds + 1)]
    placebo = [ward.trial(base, seed + k, placebo=True) for k in range(1, seeds + 1)]
    if treatment.placebo is None:
        treatment.placebo = ward.gain(nothing, placebo)
    for t in finalists:
        t.gain, t.placebo = ward.gain(nothing, t.trials), ward.gain(placebo, t.trials)
        t.verdict = verdict(t.gain, t.placebo)
    better = [t for t in finalists if t.verdict == "better"]
    if not better:
        return False
    best = max(better, key=lambda t: t.gain.mean if t.gain else 0.0)
    # Of changes that do about as well, the one whose cause is likelier: batch norm, say, hides many faults and mends
    # none of them. What changes many things at once names no cause, and comes last.
    alike = [t for t in better if t.gain and best.gain and t.gain.mean >= ALIKE * best.gain.mean]
    best = min(alike, key=lambda t: (not t.cause, t.rank))
    best.verdict = "accepted"
    assert best.recipe is not None
    treatment.recipe = best.recipe
    return True


def verdict(over_nothing: Gain, over_placebo: Gain) -> str:
    """better, harmful or no difference."""
    if over_nothing.better and over_placebo.better and (over_nothing.share >= LEAST or over_nothing.mean == math.inf):
        return "better"
    return "harmful" if over_nothing.worse and over_placebo.worse else "no difference"


def _whole(ward: Ward, treatment: Treatment) -> Gain | None:
    """The gain of all accepted cures together over the run as it was, from trials that are done anyway."""
    seed, last = ward.patient.recipe.seed, treatment.accepted[-1]
    before = [ward.trial(ward.patient.recipe, seed + k) for k in range(1, len(last.trials) + 1)]
    return ward.gain(before, last.trials)


def _difference(a: Trial, b: Trial) -> float:
    """How much less b lost, 0 where both stopped."""
    return 0.0 if a.score == b.score else a.score - b.score


def _least(nothing: Trial) -> float:
    return LEAST * abs(nothing.score) if math.isfinite(nothing.score) else 0.0
