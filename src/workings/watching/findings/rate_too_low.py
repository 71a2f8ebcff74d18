"""A learning rate that is too low: the loss falls steadily, and so slowly that the run ends near where it began.

Statistic: the median change of the weight matrices a step, over the whole run (a schedule may end near 0). Told only
where little was learnt and the loss still falls, or nothing was: fine-tuning has small steps, too, and starts near its
end. Published: TheDeepChecker 10⁻⁴, SageMaker Debugger 10⁻⁸.
"""

from __future__ import annotations

from statistics import median

from workings.watching.findings.evidence import Evidence, Symptom, finite, first_of, slope_of
from workings.watching.findings.progress import LEAST, progress
from workings.watching.findings.weights import speed
from workings.watching.history import History

LEARNT = 0.5
NOTHING = 0.1  # learnt at most: so slow that noise hides the fall


def _measure(history: History) -> Evidence | None:
    done = progress(history)
    course = speed(history)
    if done is None or done.least > LEARNT or len(course) < 2:
        return None
    values = [value for _, value in course]
    losses = finite(history.of("val_loss"))
    losses = losses if len(losses) >= LEAST else done.course
    late = losses[len(losses) // 2 :]
    falling = len(late) >= LEAST // 2 and slope_of(late)[2] < 0
    if max(values) == 0 or not (falling or done.most < NOTHING):
        return None  # nothing moves at all: another finding; or there is nothing more to learn at this place
    words = {"learnt": done.learnt}
    return Evidence(float(median(values)), min(values), max(values), course[0][0], "", course, words)


SYMPTOMS = (
    Symptom(
        "rate-too-low",
        "change of the weights a step over their size; the fastest look",
        _measure,
        0.002,
        "Of 26 healthy runs of the calibration part 99 % lie above 0.0062, none below 0.0048.",
        "The weights change by {value:.1e} of their size a step, and {learnt:.0%} of the loss was learnt away.",
        "At this pace the run ends long before the net has learnt what it can.",
        "Multiply the learning rate by 3 to 10 until the loss falls clearly; or use Adam; `workings train` finds a "
        "rate by a range test.",
        least=True,
    ),
)
CODES = ("rate-too-low",)
look = first_of(SYMPTOMS)
