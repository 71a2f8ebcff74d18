"""A learning rate that is too low: the loss falls steadily, and so slowly that the run ends near where it began.

Statistic: the median change of the weight matrices a step, over the whole run (a schedule may end near 0). Told only
where little was learnt and the loss still falls, or nothing was: fine-tuning has small steps, too, and starts near its
end. Where the loss falls without doubt and a constant answer is better still, steps may be somewhat larger: such a run
can be nothing else. Of an adversarial net, whose losses say nothing, little is learnt where its samples are all alike.
Published: TheDeepChecker 10⁻⁴, SageMaker Debugger 10⁻⁸.
"""

from __future__ import annotations

from statistics import median

from workings.watching.findings.evidence import Evidence, Symptom, finite, first_of, lasting, slope_of
from workings.watching.findings.progress import LEAST, Progress, players, progress
from workings.watching.findings.weights import speed
from workings.watching.history import History

LEARNT = 0.5
NOTHING = 0.1  # learnt at most: so slow that noise hides the fall
ALIKE = 0.5  # distance of made samples over that of real ones


def fastest(history: History, **words: object) -> Evidence | None:
    """The change of the weights, up to the fastest look; None where nothing moves at all: another finding."""
    course = speed(history)
    values = [value for _, value in course]
    if len(values) < 2 or max(values) == 0:
        return None
    return Evidence(float(median(values)), min(values), max(values), course[0][0], "", course, words)


def falls(history: History, done: Progress) -> bool:
    """Whether the loss, on validation samples where there are enough, falls in the later half without doubt."""
    losses = finite(history.of("val_loss"))
    losses = losses if len(losses) >= LEAST else done.course
    late = losses[len(losses) // 2 :]
    return len(late) >= LEAST // 2 and slope_of(late)[2] < 0


def _measure(history: History) -> Evidence | None:
    done = progress(history)
    if done is None or done.least > LEARNT or not (done.most < NOTHING or falls(history, done)):
        return None  # there is nothing more to learn at this place
    return fastest(history, learnt=done.learnt)


def near_the_start(history: History) -> Evidence | None:
    """The same, where the loss falls and is still above that of a constant answer."""
    done = progress(history)
    if done is None or done.most > 0 or not falls(history, done):
        return None
    return fastest(history, learnt=done.learnt)


def of_players(history: History) -> Evidence | None:
    """The same, of an adversarial net that makes the same again and again, as it does at the start."""
    made = lasting(history.of("spread_made"), "", 3)
    if not players(history) or made is None or made.high > ALIKE:
        return None
    return fastest(history, made=made.value)


_WHY = "At this pace the run ends long before the net has learnt what it can."
_DO = (
    "Multiply the learning rate by 3 to 10 until the loss falls clearly; or use Adam; `workings train` finds a rate by "
    "a range test."
)
SYMPTOMS = (
    Symptom(
        "rate-too-low",
        "change of the weights a step over their size; the fastest look",
        _measure,
        0.002,
        "Of 34 healthy runs of the calibration part 99 % lie above 0.014, none below 0.012.",
        "The weights change by {value:.1e} of their size a step, and {learnt:.0%} of the loss was learnt away.",
        _WHY,
        _DO,
        least=True,
    ),
    Symptom(
        "rate-too-low",
        "change of the weights a step over their size; the fastest look, where a falling loss is above a constant "
        "answer's",
        near_the_start,
        0.005,
        "None of 272 healthy runs of the calibration part met its conditions.",
        "The weights change by {value:.1e} of their size a step; the loss falls and is still no better than a constant "
        "answer's.",
        _WHY,
        _DO,
        least=True,
    ),
    Symptom(
        "rate-too-low",
        "change of the weights a step over their size; the fastest look, where made samples are all alike",
        of_players,
        0.001,
        "None of 272 healthy runs of the calibration part met its conditions.",
        "The weights change by {value:.1e} of their size a step, and made samples are {made:.0%} as far apart as real "
        "ones.",
        _WHY,
        _DO,
        least=True,
    ),
)
CODES = ("rate-too-low",)
look = first_of(SYMPTOMS)
