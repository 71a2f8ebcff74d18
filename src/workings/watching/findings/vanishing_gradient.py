"""Vanishing gradients: ∂L/∂output shrinks layer by layer on its way back, so the first layers hardly learn.

Statistic: log₁₀ of δ at the first layer over the largest δ behind it, δ the root mean square of ∂L/∂output. Small
gradients as such are healthy (Adam rescales them), and so is a moderate decay; published single thresholds on a
gradient's size alarm on 64.6 % of correct runs (Deep4ge). Told only where little was learnt. Source: Hochreiter 1991;
Glorot and Bengio 2010.
"""

from __future__ import annotations

import math

from workings.watching.findings.evidence import Evidence, Symptom, first_of, lasting
from workings.watching.findings.progress import progress
from workings.watching.history import History

LEARNT = 0.5  # of the loss; nets that learnt more are not hurt


def profile(history: History) -> list[tuple[int, float]]:
    """Of each look: log₁₀ of the first layer's δ over the largest δ behind it."""
    places = history.places("delta")
    if len(places) < 3:
        return []
    by_step: dict[int, list[float]] = {}
    for where in places:
        for step, value in history.of("delta", where):
            by_step.setdefault(step, []).append(value)
    course = []
    for step, values in sorted(by_step.items()):
        if len(values) == len(places) and all(map(math.isfinite, values)) and max(values[1:]) > 0:
            course.append((step, math.log10(max(values[0], 1e-30) / max(values[1:]))))
    return course


def _measure(history: History) -> Evidence | None:
    done = progress(history)
    if done is None or done.most > LEARNT:
        return None
    course = profile(history)
    return lasting(course, history.places("delta")[0] if course else "", 2, learnt=done.learnt)


SYMPTOMS = (
    Symptom(
        "vanishing-gradient",
        "log₁₀ of the gradient at the first layer's output over the largest behind it",
        _measure,
        -2.5,
        "Of 28 healthy runs of the calibration part 99 % lie above -0.88, none below -0.89.",
        "The gradient shrinks to 10^{value:.1f} of its size on the way back to '{where}'.",
        "The first layers hardly move, so the layers behind them learn from what is nearly random.",
        "Use ReLU, GELU or SELU instead of sigmoid and tanh, with He's or Xavier's initialisation; batch or layer "
        "norm; residual connections.",
        least=True,
    ),
)
CODES = ("vanishing-gradient",)
look = first_of(SYMPTOMS)
