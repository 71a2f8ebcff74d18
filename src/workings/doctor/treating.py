"""Cures tried within a stated time, each by trials in pairs; what does better beyond its interval is accepted.

Every round begins with the recipe as it is (at first the run's own):

1. Screening: one trial of each cure, with the run's seed, against nothing and placebo.
2. Proof: the best cure of each of the few best causes, nothing and placebo, each with ``SEEDS`` new seeds, so that a
   cure that was lucky in screening is no more likely to pass; where these do not decide, with as many again, and where
   the first ``FEWEST_SEEDS`` leave no doubt, with no more.
3. A cure is accepted if it does better than nothing and than placebo, both beyond the interval (``doctor.paired``), and
   by at least ``LEAST`` of the score. The best one changes the recipe. It is trained once more and watched: if symptoms
   are left, the next round begins, so that several faults are cured one after another.
4. Where no cure was accepted and time is left, the ``last`` resort is tried in the same way until it is over: recipes
   drawn at random (``doctor.random_search``). Such a one names no cause.

Trials are whole trainings where the time bears that, else shortened ones, all alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from workings.base.errors import UserError
from workings.base.events import Emit, Phase, silent
from workings.base.finding import Finding
from workings.doctor.causes import shown
from workings.doctor.cures.cure import Cure
from workings.doctor.paired import Gain
from workings.doctor.passed_over import too_far, wrong_way
from workings.doctor.patient import Patient
from workings.doctor.trial import Trial, planned_steps
from workings.doctor.tried import Treatment, Tried
from workings.doctor.ward import FEWEST_SEEDS, FINALISTS, PROOF, SEEDS, Ward
from workings.runs.recipe import Recipe

ROUNDS = 3
EARLY = 0.998  # level of the intervals by which so few seeds decide (a stricter first look, O'Brien and Fleming 1979)
LEAST = 0.02  # of the score before: what is smaller is not worth a change
NEARLY = 0.9  # of the best cure's gain: as good, if its cause is likelier
SCREENING = 0.4  # of the time left, at most
DEAR = 4  # a trial may well take so many times as long as the run's own
LAST = PROOF + 2  # trials by which something drawn at random can be found and proved

# The cures of a round, the likeliest first: of the recipe as it is, and what is found in it.
Propose = Callable[[Recipe, Sequence[Finding]], Sequence[Cure]]


def treat(
    patient: Patient,
    propose: Propose,
    minutes: float,
    emit: Emit = silent,
    ward: Ward | None = None,
    last: Propose | None = None,
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
    round_ = 1 + max((t.round for t in treatment.tried), default=0)
    while last is not None and not treatment.accepted and ward.bears(LAST):
        _round(ward, treatment, last(patient.recipe, patient.findings), round_ - 1)
        round_ += 1
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
    tried, ended = _screen(ward, base, cures, round_, nothing, placebo)
    treatment.tried += tried
    treatment.out_of_time |= not ended
    hopeful = [t for t in tried if t.hopeful]
    if not hopeful:
        return False
    finalists = finalists_of(hopeful, ward.left / FEWEST_SEEDS - nothing.seconds - placebo.seconds)
    done = _prove(ward, treatment, base, finalists, range(1, SEEDS + 1))
    if done < FEWEST_SEEDS:
        for t in finalists:
            t.note = "the time was over before it could be proved"
        return False
    _judge(ward, treatment, base, finalists)
    open_ = [t for t in finalists if t.verdict == "no difference" and t.gain and t.gain.share >= LEAST]
    if open_ and not any(t.verdict == "better" for t in finalists):
        _prove(ward, treatment, base, open_, range(done + 1, 2 * SEEDS + 1))
        _judge(ward, treatment, base, open_)
    return _accept(ward, treatment, finalists)


def _screen(
    ward: Ward, base: Recipe, cures: Sequence[Cure], round_: int, nothing: Trial, placebo: Trial
) -> tuple[list[Tried], bool]:
    """One trial of each; and whether the time did for all. Hopeful is what does better than nothing and placebo."""
    least = LEAST * abs(nothing.score) if math.isfinite(nothing.score) else 0.0
    low, high = sorted((nothing.score, placebo.score))
    deadline = ward.spent + SCREENING * ward.left
    found: list[Tried] = []
    for i, cure in enumerate(cures):
        if wrong_way(cure, base, found) or too_far(cure, base, found):
            continue
        if ward.spent > deadline or not ward.bears(3) or _due(ward, found, nothing, placebo):
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
        t.recipe, t.seconds = settled(t.recipe, trial, ward.share), _again(trial, nothing)
        t.cause = shown(cure, base, t.recipe)
        t.screened = 0.0 if nothing.score == trial.score else nothing.score - trial.score
        t.hopeful = trial.score < low - least
        if not t.hopeful:
            t.verdict = "worse at first" if trial.score > high + least else "no difference"
    return found, True


def _again(trial: Trial, nothing: Trial) -> float:
    """Seconds of such a trial when what it derived, a learning rate say, need not be found again."""
    besides = max(nothing.seconds - nothing.training, 0.0)
    return min(trial.seconds, trial.training + besides) if trial.training else trial.seconds


def _due(ward: Ward, found: Sequence[Tried], nothing: Trial, placebo: Trial) -> bool:
    """Whether the best so far must be proved now, as after one more trial there would be no time for it."""
    hopeful = [t for t in found if t.hopeful]
    if not hopeful:
        return False
    best = max(hopeful, key=lambda t: t.screened or 0.0)
    proof = FEWEST_SEEDS * (nothing.seconds + placebo.seconds + best.seconds)
    return proof <= ward.left < proof + DEAR * ward.usual


def settled(recipe: Recipe, trial: Trial, share: float) -> Recipe:
    """The recipe with what its first trial derived, so that all its trials and the new run are of one recipe."""
    if trial.recipe is None:
        return recipe
    trial_only = {"seed", "epochs", "minutes", "watch", "lane", "pretraining_epochs", "reasons"}
    derived = trial.recipe.model_dump(exclude=trial_only)
    derived["reasons"] = {**recipe.reasons, **trial.recipe.reasons}
    kept = recipe.model_dump(include=trial_only - {"reasons"})
    if kept["epochs"] is None and trial.recipe.epochs is not None:  # derived too, of which the trial had a share
        kept["epochs"] = round(trial.recipe.epochs / share, 6)
    return Recipe.model_validate({**kept, **derived})


def finalists_of(hopeful: list[Tried], seconds: float) -> list[Tried]:
    """The best cure of each cause, the best causes first; of one cause only, its two best.

    seconds: what a seed may take; a cure that takes longer would not be proved, however much it helps.
    """
    able = [t for t in hopeful if t.seconds <= seconds] or [min(hopeful, key=lambda t: t.seconds)]
    ordered = sorted(able, key=lambda t: -(t.screened or 0.0))
    firsts: list[Tried] = []
    for t in ordered:
        if t.cause not in {each.cause for each in firsts}:
            firsts.append(t)
    more = [t for t in ordered if t not in firsts]
    chosen = (firsts[:FINALISTS] + more[:1])[:FINALISTS]
    for t in hopeful:
        if t not in able:
            t.note = "there was no time to prove it"
        elif t not in chosen:
            t.note = "another cure of the same cause, or a better one, was proved instead"
    while len(chosen) > 1 and sum(t.seconds for t in chosen) > seconds:
        chosen.pop().note = "there was no time to prove it"
    return chosen


def _prove(ward: Ward, treatment: Treatment, base: Recipe, finalists: list[Tried], seeds: range) -> int:
    """Trials with new seeds; how many seeds every finalist has."""
    own = ward.patient.recipe.seed
    for k in seeds:
        if k == FEWEST_SEEDS + 1 and _decided(ward, base, finalists):
            break
        if ward.left < 2 * ward.usual + sum(t.seconds for t in finalists):
            treatment.out_of_time = True
            break
        ward.emit(Phase("proving", f"seed {k} of {seeds[-1]}: {', '.join(t.cure.name for t in finalists)}"))
        ward.trial(base, own + k)
        ward.trial(base, own + k, placebo=True)
        for t in finalists:
            assert t.recipe is not None
            t.trials.append(ward.trial(t.recipe, own + k))
    return min(len(t.trials) for t in finalists)


def _decided(ward: Ward, base: Recipe, finalists: list[Tried]) -> bool:
    """Whether the few first seeds do: the best is far better than nothing and placebo, and no other is as good."""
    seeds = range(ward.patient.recipe.seed + 1, ward.patient.recipe.seed + 1 + len(finalists[0].trials))
    before = [[ward.trial(base, seed, placebo=placebo) for seed in seeds] for placebo in (False, True)]
    best = max(finalists, key=lambda t: ward.gain(before[0], t.trials).mean)
    sure = [ward.gain(trials, best.trials, EARLY) for trials in before]
    if not all(verdict(each, each) == "better" for each in sure):
        return False
    return all(_outdone(ward, t, best) for t in finalists if t is not best)


def _judge(ward: Ward, treatment: Treatment, base: Recipe, finalists: list[Tried]) -> None:
    """Gains over nothing and over the placebo, and the verdict by both."""
    own = ward.patient.recipe.seed
    for t in finalists:
        seeds = range(own + 1, own + 1 + len(t.trials))
        nothing = [ward.trial(base, seed) for seed in seeds]
        placebo = [ward.trial(base, seed, placebo=True) for seed in seeds]
        t.gain, t.placebo = ward.gain(nothing, t.trials), ward.gain(placebo, t.trials)
        t.verdict = verdict(t.gain, t.placebo)
        if t.round == 1:
            treatment.placebo = ward.gain(nothing, placebo)


def _accept(ward: Ward, treatment: Treatment, finalists: list[Tried]) -> bool:
    """Whether one of the finalists is accepted, which then changes the recipe."""
    better = [t for t in finalists if t.verdict == "better"]
    if not better:
        return False
    best = max(better, key=lambda t: t.gain.mean if t.gain else 0.0)
    # Of changes that are nearly as good and cannot be told from the best, the one whose cause is likelier: batch norm,
    # say, hides many faults and mends none of them. What changes many things at once names no cause, and comes last.
    least = NEARLY * best.gain.mean if best.gain else 0.0
    alike = [t for t in better if t.gain and t.gain.mean >= least and not _outdone(ward, t, best)]
    cause = min(alike, key=lambda t: (not t.cause, t.rank)).cause
    best = max((t for t in alike if t.cause == cause), key=lambda t: t.gain.mean if t.gain else 0.0)
    best.verdict = "accepted"
    assert best.recipe is not None
    treatment.recipe = best.recipe
    return True


def _outdone(ward: Ward, t: Tried, best: Tried) -> bool:
    """Whether the best does better than this one, beyond the interval of their own difference."""
    k = min(len(t.trials), len(best.trials))
    found = ward.gain(t.trials[:k], best.trials[:k])
    return found.better and found.share >= LEAST


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
