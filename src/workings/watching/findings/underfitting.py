"""Underfitting: training stopped while held-out samples were still predicted better with every step.

Statistic: what the loss on validation samples (the training loss, where there are none) would fall by if the last
third's slope went on for half as many steps again, over the loss of a constant answer; the slope with its interval
from block means. And by how much a simple answer (``watching.dependence``) is better on samples left out than the net
on those it learns from. A loss that stays high is not enough: noise that cannot be learnt leaves one, too.
"""

from __future__ import annotations

import math

from workings.watching.findings.evidence import Evidence, Symptom, finite, first_of, mean_of, reaches, slope_of
from workings.watching.findings.progress import SQUARES, progress
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
    left = max(0.0, late[-1][1] - done.floor) / done.reference
    to_come = [min(left, -AGAIN * steps * each / done.reference) for each in (b, high, low)]
    return Evidence(to_come[0], to_come[1], to_come[2], late[0][0], "", course, {"late": late[-1][1]})


def beaten(history: History) -> Evidence | None:
    """By how much a simple answer is better than the net is on its own training batches, at the end."""
    done, simple = progress(history), history.facts.get("simple")
    if done is None or not isinstance(simple, int | float) or not math.isfinite(simple):
        return None
    course = finite(history.of("right", "output"))
    if course and not reaches(course, history):
        return None
    if course:
        values = [simple - value for _, value in course[-max(4, len(course) // 4) :]]
        value, low, high = mean_of(values)
        course = [(step, value) for step, value in course]
    elif history.facts.get("loss") in SQUARES and done.known:
        value, low, high = (simple - each for each in (done.learnt, done.most, done.least))
    else:
        return None
    return Evidence(value, low, high, done.course[-1][0], "", course, {"simple": simple, "net": simple - value})


SYMPTOMS = (
    Symptom(
        "underfitting",
        "fall of the loss to come in half as many steps again, over the loss of a constant answer",
        _measure,
        0.4,
        "Of 226 healthy runs of the calibration part 99 % lie below 0.22, none above 0.29.",
        "Training ended too early: the loss is {late:.3g} and was still falling; half as many steps again would take "
        "away another {value:.0%} of what a constant answer loses.",
        "What the net would still have learnt is missing.",
        "Train longer (more epochs or minutes), or with a higher learning rate; then a larger net.",
    ),
    Symptom(
        "underfitting",
        "what a linear answer or five neighbours get right on samples left out, less what the net gets on its own",
        beaten,
        0.27,
        "Of 226 healthy runs of the calibration part 99 % lie below 0.19, none above 0.21.",
        "A simple answer (linear, or by five neighbours) gets {simple:.0%} right on samples left out, the net "
        "{net:.0%} on those it learns from.",
        "The net is too small, too short trained, or held back by one of the other findings.",
        "See the other findings first; then a larger net, longer training, less regularisation.",
    ),
)
CODES = ("underfitting",)
look = first_of(SYMPTOMS)
