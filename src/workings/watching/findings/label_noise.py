"""Noisy labels: many samples carry a class that has nothing to do with the input.

Statistic: among the samples that a net which has learnt gets wrong, how often the label is the net's second choice,
less chance, over what is possible: (s − 1/(K−1))/(1 − 1/(K−1)). Classes that are hard to tell apart are second choices;
labels at random are so by chance only, about 0. In texts what comes next is random by nature, so answers at each step
are left out. Counted over the later looks, with Wilson's interval. Needs four classes or more and enough mistakes. And
the share right of the quarter of the samples of which the net is surest: where classes overlap, those far from the
border are right all the same; labels at random are wrong everywhere, so of the mistakes most are left among the surest,
too, and in every stretch of the later looks: a net that is still learning, or was thrown back for a while, gets the
surest right in some. Background: Northcutt et al. 2021, confident learning; Arpit et al. 2017.
"""

from __future__ import annotations

import math

import numpy as np

from workings.watching.findings.evidence import Evidence, Symptom, finite, first_of, reaches
from workings.watching.findings.progress import class_shares
from workings.watching.history import History

MISTAKES = 40
LEARNT = 0.45  # right at least, of the looks that count: a net that knows nothing has no second choice
WRONG = 0.05  # of the samples, at least
ROWS = 64  # of a batch that a look at a run of Workings sees, at most
GONE = 0.7  # of the mistakes at most, among the surest: more, and classes only overlap
STRETCHES = 3  # of the later looks
LEARNT_MORE = 0.1  # right beyond the share of the commonest class
SEQUENCES = ("language", "translation")


def answers_at_each_step(history: History) -> bool:
    """Whether a sample has several answers: what comes next in a text is random by nature."""
    batch, wrong = history.facts.get("batch"), [value for _, value in finite(history.of("wrong", "output"))]
    many = isinstance(batch, int | float) and bool(wrong) and max(wrong) > batch
    return many or history.facts.get("one_target") is False or history.facts.get("task") in SEQUENCES


def _measure(history: History) -> Evidence | None:
    K = sum(1 for p in class_shares(history) if p > 0)
    if K < 4 or answers_at_each_step(history) or not reaches(finite(history.of("right", "output")), history):
        return None
    right, wrong = dict(finite(history.of("right", "output"))), dict(finite(history.of("wrong", "output")))
    second = dict(finite(history.of("second", "output")))
    steps = sorted(step for step in second if step in wrong and step in right)
    steps = steps[len(steps) // 2 :]
    n, hits = sum(wrong[s] for s in steps), sum(second[s] for s in steps)
    share = sum(1 - right[s] for s in steps) / max(1, len(steps))
    if n < MISTAKES or not WRONG <= share <= 1 - LEARNT:
        return None
    chance = 1 / (K - 1)
    low, high = wilson(min(hits, n), n)
    course = [(s, second[s] / wrong[s]) for s in steps if wrong[s] > 0]
    value, low, high = ((each - chance) / (1 - chance) for each in (hits / n, low, high))
    return Evidence(value, low, high, steps[0], "output", course, {"n": int(n), "second": hits / n, "wrong": share})


def of_the_surest(history: History) -> Evidence | None:
    """Share right of the surest quarter of the samples, later half of the looks."""
    if answers_at_each_step(history):
        return None
    right, course = dict(finite(history.of("right", "output"))), finite(history.of("surest", "output"))
    late = course[len(course) // 2 :]
    batch = history.facts.get("batch", 32)
    n = len(late) * max(1, min(int(batch), ROWS) // 4) if isinstance(batch, int | float) else 0
    if n < MISTAKES or not reaches(late, history):
        return None
    value = sum(v for _, v in late) / len(late)
    usual = sum(right.get(s, 0.0) for s, _ in late) / len(late)
    most = max(class_shares(history), default=1.0)
    if usual < most + LEARNT_MORE or value - usual > GONE * (1 - usual):
        return None
    low, high = wilson(value * n, n)
    best = max(float(np.mean(part)) for part in np.array_split([v for _, v in late], min(STRETCHES, len(late))))
    return Evidence(value, min(low, value), max(high, value, best), late[0][0], "output", course, {"usual": usual})


def wilson(hits: float, n: float, z: float = 1.96) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    p, q = hits / n, z * z / n
    middle, half = (p + q / 2) / (1 + q), z / (1 + q) * math.sqrt(max(0.0, p * (1 - p) / n + q / (4 * n)))
    return middle - half, middle + half


_WHY = "The net must learn wrong labels by heart, and what it is judged by is wrong as well."
_DO = "Look at samples that the net contradicts for certain and mend their labels; label smoothing, early stopping."
SYMPTOMS = (
    Symptom(
        "label-noise",
        "how often the label of a mistake is the net's second choice, beyond chance, 0 to 1",
        _measure,
        0.4,
        "Of 35 healthy runs of the calibration part 99 % lie above 0.58, none below 0.58.",
        "{wrong:.0%} of the samples are not as the net says, and their labels look drawn at random: only "
        "{second:.0%} of {n:,} are its second choice.",
        _WHY,
        _DO,
        least=True,
    ),
    Symptom(
        "label-noise",
        "share right of the quarter of the samples of which the net is surest",
        of_the_surest,
        0.94,
        "Measured on 7 healthy runs of the calibration part only, none below 0.99.",
        "Even of the samples of which the net is surest, {value:.0%} only are labelled so ({usual:.0%} of all).",
        _WHY,
        _DO,
        least=True,
    ),
)
CODES = ("label-noise",)
look = first_of(SYMPTOMS)
