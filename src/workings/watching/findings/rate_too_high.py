"""A learning rate that is too high: the loss is no better than without the input, and the weights are thrown about.

Statistics: the late loss over that of a constant answer (above 1 nothing but harm was done), where it has not fallen
since the start, or over the first losses where no constant answer is known; the median change of the weight matrices a
step where little was learnt, of two looks, or of one where it is so large that nothing is left of the start: units may
be dead after it, and nothing moves any more. A high rate as such is no fault: full-batch descent works at the edge of
stability (Cohen et al. 2021). A step of L-BFGS is many, each as long as its line search found good, so how far it
goes says nothing. Published: TheDeepChecker 10⁻¹, UMLAUT a rate of 0.01.
"""

from __future__ import annotations

from workings.watching.findings.evidence import Evidence, Symptom, first_of
from workings.watching.findings.progress import Progress, progress
from workings.watching.findings.weights import speed
from workings.watching.history import History

LEARNT = 0.7
LEARNT_MOST = 0.85
EARLY = 3


def above(history: History) -> Evidence | None:
    """Late loss over that of a constant answer."""
    done = progress(history)
    if done is None or not done.known or done.high < min(done.start, done.course[0][1]):
        return None  # what began above it and falls is not thrown about
    return over(done, done.reference)


def risen(history: History) -> Evidence | None:
    """Late loss over the first ones, where no constant answer is known."""
    done = progress(history)
    return None if done is None or done.known else over(done, done.start)


def over(done: Progress, top: float) -> Evidence:
    """The late loss over another."""
    step = done.course[-max(1, len(done.course) // 4)][0]
    words = {"late": done.late, "reference": top}
    return Evidence(done.late / top, done.low / top, done.high / top, step, "", done.course, words)


def by_itself(history: History) -> bool:
    """Whether how far a step goes is not the learning rate's doing."""
    return history.facts.get("net") in ("rbm", "dbn") or history.facts.get("optimiser") == "lbfgs"


def fast(history: History) -> Evidence | None:
    """Change of the weights a step, of the fastest looks, where little was learnt."""
    done = progress(history)
    course = speed(history)
    if done is None or done.most > LEARNT or len(course) < EARLY or by_itself(history):
        return None
    ranked = sorted(value for _, value in course)
    value, low = ranked[-1], ranked[-2]
    return Evidence(value, low, value, course[0][0], "", course, {"learnt": done.learnt})


def thrown(history: History) -> Evidence | None:
    """Change of the weights at the fastest look alone, where not all was learnt."""
    done = progress(history)
    course = speed(history)
    if done is None or done.most > LEARNT_MOST or not course or by_itself(history):
        return None
    step, value = max(course, key=lambda each: each[1])
    return Evidence(value, value, value, step, "", course, {"learnt": done.learnt, "at": step})


_DO = (
    "Divide the learning rate by 3 to 10, or warm it up over the first steps; `workings train` finds one by a range "
    "test. In a loop: for group in optimizer.param_groups: group['lr'] /= 10."
)
SYMPTOMS = (
    Symptom(
        "rate-too-high",
        "mean loss of the last quarter over that of a constant answer, where it has not fallen",
        above,
        1.03,
        "None of 272 healthy runs of the calibration part met its conditions.",
        "The loss is {late:.3g} at the end; an answer that knows nothing of the input has {reference:.3g}.",
        "Steps that overshoot make the net worse than no net.",
        _DO,
    ),
    Symptom(
        "rate-too-high",
        "mean loss of the last quarter over the first losses, where no constant answer is known",
        risen,
        1.15,
        "Of 38 healthy runs of the calibration part 99 % lie below 0.6, none above 0.6.",
        "The loss has risen from {reference:.3g} to {late:.3g}.",
        "Steps that overshoot make the net worse than it was.",
        _DO,
    ),
    Symptom(
        "rate-too-high",
        "change of the weights a step over their size, of the fastest looks",
        fast,
        0.15,
        "Of 53 healthy runs of the calibration part 99 % lie below 0.072, none above 0.08.",
        "The weights change by {value:.2g} times their size a step, and only {learnt:.0%} of the loss was learnt away.",
        "Such steps throw away what the step before found.",
        _DO,
    ),
    Symptom(
        "rate-too-high",
        "change of the weights over their size in one step",
        thrown,
        0.4,
        "Of 124 healthy runs of the calibration part 99 % lie below 0.094, none above 0.099.",
        "Step {at:,} changed the weights by {value:.2g} times their size, and only {learnt:.0%} of the loss was learnt "
        "away.",
        "Of the start nothing is left after such a step; units that it has switched off stay off.",
        _DO,
    ),
)
CODES = ("rate-too-high",)
look = first_of(SYMPTOMS)
