"""Posterior collapse of a variational autoencoder: the code says nothing of the sample.

Statistics: share of the code's units whose mean varies over samples by more than 0.01 (Burda et al. 2015, active
units); KL(q(z|x) ‖ p(z)) in nats a sample. Some resting units are healthy, so nearly all must rest. Source: Bowman et
al. 2016.
"""

from __future__ import annotations

import math
from itertools import pairwise

from workings.watching.findings.evidence import Evidence, Symptom, finite, first_of, lasting, worst
from workings.watching.history import History

AFFINE = ("linear", "conv1d", "conv2d")


def active(history: History) -> Evidence | None:
    """Share of active units at places that have a KL."""
    if not history.of("kl"):
        return None
    places = ["", *history.places("active")]
    return worst([lasting(history.of("active", where), where, 3) for where in places], least=True)


def told(history: History) -> Evidence | None:
    """Nats a sample."""
    return lasting(finite(history.of("kl")), "", 3)


def silent(history: History) -> Evidence | None:
    """Of a loop that rebuilds what it is given: the size of what the two heads of the code give, at most.

    They are two affine layers that follow one another; where mean and log-variance both go to 0 for every sample, the
    code is noise. Sizes are √(mean² + std²).
    """
    if history.facts.get("net") or not rebuilds(history):
        return None
    places = [where for where in history.places("std") if where.endswith(AFFINE)]
    found = []
    for one, two in pairwise(places[:-1]):
        first, second = size(history, one), size(history, two)
        course = [(s, max(v, second[s])) for s, v in first.items() if s in second]
        if course and course[-1][1] < 0.5 * course[0][1]:
            found.append(lasting(course, one, 3))
    return worst(found, least=True)


def size(history: History, where: str) -> dict[int, float]:
    """√(mean² + std²) of each look."""
    means = dict(finite(history.of("mean", where)))
    return {step: math.hypot(std, means[step]) for step, std in finite(history.of("std", where)) if step in means}


def rebuilds(history: History) -> bool:
    """Whether targets are the inputs themselves: equal means and spreads at every look."""
    given = [(dict(finite(history.of(n, "input"))), dict(finite(history.of(n, "target")))) for n in ("mean", "std")]
    return all(
        len(x) > 2 and x.keys() == y.keys() and all(abs(x[s] - y[s]) <= 1e-4 * (1e-3 + abs(x[s])) for s in x)
        for x, y in given
    )


_WHY = "The decoder has learnt to do without the code, so codes and draws are of no use."
_DO = "Let β rise from 0 over the first epochs, or give free bits; a weaker decoder; a smaller β."
SYMPTOMS = (
    Symptom(
        "posterior-collapse",
        "share of the code's units that vary over samples",
        active,
        0.05,
        "None of 272 healthy runs of the calibration part met its conditions.",
        "{value:.0%} of the code's units say anything of the sample.",
        _WHY,
        _DO,
        least=True,
    ),
    Symptom(
        "posterior-collapse",
        "KL(q(z|x) ‖ p(z)), nats a sample",
        told,
        0.1,
        "None of 272 healthy runs of the calibration part met its conditions.",
        "The code tells {value:.2g} nats of a sample, next to nothing.",
        _WHY,
        _DO,
        least=True,
    ),
    Symptom(
        "posterior-collapse",
        "size of what both heads of the code give",
        silent,
        0.05,
        "None of 272 healthy runs of the calibration part met its conditions.",
        "What '{where}' and the layer after it give for every sample has shrunk to {value:.1g}: mean and log-variance "
        "are 0 whatever the sample.",
        _WHY,
        _DO,
        least=True,
    ),
)
CODES = ("posterior-collapse",)
look = first_of(SYMPTOMS)
