"""A gradient that dies through time: a recurrent net cannot learn what lies many steps back.

Statistic: log₁₀ of ‖∂L/∂h_1‖/‖∂L/∂h_T‖, of the part of L that hangs on the last step. Tasks that the last steps decide
are healthy with any, so it is told only where little was learnt. Sources: Hochreiter 1991; Bengio, Simard and Frasconi
1994.
"""

from __future__ import annotations

import math

from workings.watching.findings.evidence import Evidence, Symptom, finite, first_of, lasting, reaches, worst
from workings.watching.findings.progress import progress
from workings.watching.history import History

LEARNT = 0.5


def _measure(history: History) -> Evidence | None:
    done = progress(history)
    if done is None or done.most > LEARNT:
        return None
    found = []
    for where in history.places("delta_first"):
        course = [(s, math.log10(max(v, 1e-30))) for s, v in finite(history.of("delta_first", where))]
        if reaches(course, history):
            found.append(lasting(course, where, 2, learnt=done.learnt))
    return worst(found, least=True)


SYMPTOMS = (
    Symptom(
        "forgetting-gradient",
        "log₁₀ of ∂L/∂h at the first step of a sequence over that at the last",
        _measure,
        -4.0,
        "None of 272 healthy runs of the calibration part met its conditions.",
        "On its way back through time in '{where}' the gradient shrinks to 10^{value:.1f}.",
        "What the first steps hold cannot be learnt: no gradient tells them apart.",
        "LSTM or GRU with a forget bias of 1; orthogonal initialisation of recurrent weights; shorter sequences; "
        "attention.",
        least=True,
    ),
)
CODES = ("forgetting-gradient",)
look = first_of(SYMPTOMS)
