"""A learning rate that is too high: the loss is no better than without the input, and the weights are thrown about.

Statistics: the late loss over that of an answer which knows nothing (above 1 nothing but harm was done); the median
change of the weight matrices a step where little was learnt. A high rate as such is no fault: full-batch descent works
at the edge of stability (Cohen et al. 2021). Published: TheDeepChecker 10⁻¹, UMLAUT a rate of 0.01.
"""

from __future__ import annotations

from workings.watching.findings.evidence import Evidence, Symptom, first_of
from workings.watching.findings.progress import progress
from workings.watching.findings.weights import speed
from workings.watching.history import History

LEARNT = 0.7
EARLY = 3


def above(history: History) -> Evidence | None:
    """Late loss over the reference."""
    done = progress(history)
    if done is None:
        return None
    top = max(done.reference, done.start) if not done.known else done.reference
    step = done.course[-max(1, len(done.course) // 4)][0]
    words = {"late": done.late, "reference": top}
    return Evidence(done.late / top, done.low / top, done.high / top, step, "", done.course, words)


def fast(history: History) -> Evidence | None:
    """Change of the weights a step, of the fastest looks, where little was learnt."""
    done = progress(history)
    course = speed(history)
    if done is None or done.most > LEARNT or len(course) < EARLY or history.facts.get("net") in ("rbm", "dbn"):
        return None
    ranked = sorted(value for _, value in course)
    value, low = ranked[-1], ranked[-2]
    return Evidence(value, low, value, course[0][0], "", course, {"learnt": done.learnt})


_DO = (
    "Divide the learning rate by 3 to 10, or warm it up over the first steps; `workings train` finds one by a range "
    "test. In a loop: for group in optimizer.param_groups: group['lr'] /= 10."
)
SYMPTOMS = (
    Symptom(
        "rate-too-high",
        "mean loss of the last quarter over that of an answer that knows nothing",
        above,
        1.15,
        "Of 137 healthy runs of the calibration part 99 % lie below 0.7, none above 0.75.",
        "The loss is {late:.3g} at the end; an answer that knows nothing of the input has {reference:.3g}.",
        "Steps that overshoot make the net worse than no net.",
        _DO,
    ),
    Symptom(
        "rate-too-high",
        "change of the weights a step over their size, of the fastest looks",
        fast,
        0.13,
        "Of 30 healthy runs of the calibration part 99 % lie below 0.062, none above 0.065.",
        "The weights change by {value:.0%} of their size a step, and only {learnt:.0%} of the loss was learnt away.",
        "Such steps throw away what the step before found.",
        _DO,
    ),
)
CODES = ("rate-too-high",)
look = first_of(SYMPTOMS)
