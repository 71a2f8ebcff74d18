"""Exploding gradients: they grow layer by layer on the way back, or from step to step.

Statistics: log₁₀ of the largest gradient norm of the run over the loss of a constant answer, told only where little was
learnt or the gradient is not clipped and the loss jumps; log₁₀ of δ at the first layer over δ at the last. AutoTrainer
alarms from a ratio of 70 on (ICSE 2021). Sources: Bengio et al. 1994; Pascanu et al. 2013.
"""

from __future__ import annotations

import math

from workings.watching.findings.evidence import Evidence, Symptom, finite, first_of, lasting
from workings.watching.findings.progress import progress
from workings.watching.history import History

LEARNT = 0.5


def growth(history: History) -> Evidence | None:
    """δ of the first layer over that of the last, log₁₀."""
    done = progress(history)
    places = history.places("delta")
    if len(places) < 3 or done is None or done.most > LEARNT:
        return None
    first, last = (dict(finite(history.of("delta", where))) for where in (places[0], places[-1]))
    course = [
        (step, math.log10(first[step] / last[step]))
        for step in sorted(first)
        if first[step] > 0 and last.get(step, 0) > 0
    ]
    return lasting(course, places[0], 2)


def size(history: History) -> Evidence | None:
    """The gradient's norm in units of what there is to lose, log₁₀."""
    done = progress(history)
    if done is None or done.most > LEARNT:
        return None
    course = [(step, math.log10(g / done.reference)) for step, g in finite(history.of("gradient_norm")) if g > 0]
    return lasting(course, "", 2)


def through_time(history: History) -> Evidence | None:
    """∂L/∂h at the first step of a sequence over that at the last, log₁₀."""
    done = progress(history)
    if done is None or done.most > LEARNT:
        return None
    found = None
    for where in history.places("delta_first"):
        course = [(s, math.log10(v)) for s, v in finite(history.of("delta_first", where)) if v > 0]
        e = lasting(course, where, 2)
        if e is not None and (found is None or e.low > found.low):
            found = e
    return found


_WHY = "Steps are thrown far off, and what was learnt is lost; beyond some size numbers overflow."
_DO = (
    "Clip the gradient's norm (torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0) before optimizer.step()), lower "
    "the learning rate, start smaller (He, Xavier, orthogonal), use batch or layer norm, LSTM or GRU."
)
SYMPTOMS = (
    Symptom(
        "exploding-gradient",
        "log₁₀ of ∂L/∂h at the first step of a sequence over that at the last",
        through_time,
        2.0,
        "None of 272 healthy runs of the calibration part met its conditions.",
        "The gradient grows to 10^{value:.1f} of its size on its way back through time in '{where}'.",
        _WHY,
        _DO,
    ),
    Symptom(
        "exploding-gradient",
        "log₁₀ of the gradient at the first layer's output over that at the last's",
        growth,
        2.0,
        "Of 28 healthy runs of the calibration part 99 % lie below 0.98, none above 0.98.",
        "The gradient grows to 10^{value:.1f} of its size on the way back to '{where}'.",
        _WHY,
        _DO,
    ),
    Symptom(
        "exploding-gradient",
        "log₁₀ of the gradient's norm over the loss of an answer that knows nothing",
        size,
        2.0,
        "Of 28 healthy runs of the calibration part 99 % lie below -0.62, none above -0.6.",
        "The gradient's norm is 10^{value:.1f} times what there is to lose.",
        _WHY,
        _DO,
    ),
)
CODES = ("exploding-gradient",)
look = first_of(SYMPTOMS)
