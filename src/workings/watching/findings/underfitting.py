"""Underfitting: training stopped while held-out samples were still predicted better with every step.

Statistic: what the loss on validation samples (the training loss, where there are none) would fall by if the last
third's slope went on for half as many steps again, over the loss of a constant answer; the slope with its interval from
block means. A loss that stays high is not enough: noise that cannot be learnt leaves one, too.
"""

from __future__ import annotations

from workings.watching.findings.evidence import Evidence, Symptom, finite, first_of, slope_of
from workings.watching.findings.progress import progress
from workings.watching.history import History

LOOKS = 8
AGAIN = 0.5


def _measure(history: History) -> Evidence | None:
    done = progress(history)
    if done is None or not done.known:
        return None
    course = finite(history.of("val_loss"))
    if len(course) < 2 * LOOKS:
        course = done.course
    late = course[-max(LOOKS, len(course) // 3) :]
    steps = course[-1][0] - course[0][0]
    b, low, high = slope_of(late)
    to_come = [-AGAIN * steps * each / done.reference for each in (b, high, low)]
    return Evidence(to_come[0], to_come[1], to_come[2], late[0][0], "", course, {"late": late[-1][1]})


SYMPTOMS = (
    Symptom(
        "underfitting",
        "fall of the loss to come in half as many steps again, over the loss of a constant answer",
        _measure,
        0.25,
        "Not yet calibrated.",
        "Training ended too early: the loss is {late:.3g} and was still falling; half as many steps again would take "
        "away another {value:.0%} of what a constant answer loses.",
        "What the net would still have learnt is missing.",
        "Train longer (more epochs or minutes), or with a higher learning rate; then a larger net.",
    ),
)
CODES = ("underfitting",)
look = first_of(SYMPTOMS)
