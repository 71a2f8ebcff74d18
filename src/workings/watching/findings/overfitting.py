"""Overfitting: held-out samples are predicted worse and worse while the training loss falls on.

Statistics: how far the validation loss has risen from its least value, over what had been learnt until then; how much
more of the loss was learnt on training samples than on validation samples; and, where there is such a gap, how many
times as large the validation loss is: samples learnt by heart have next to none left. One rise is noise (rules of one
epoch alarm on healthy runs, UMLAUT), so the last looks must all say it. Dropout, which makes validation better than
training, shows neither.
"""

from __future__ import annotations

import math

from workings.watching.findings.evidence import Evidence, Symptom, finite, first_of, lasting
from workings.watching.findings.progress import constant_loss, progress
from workings.watching.history import History

RISEN = 0.03  # of what was learnt
APART = 0.2  # of the loss: a validation loss of many times next to nothing is no harm


def rise(history: History) -> Evidence | None:
    """(val_loss − least) / (constant answer − least) since the least value."""
    course = finite(history.of("val_loss"))
    done = progress(history)
    if done is None or len(course) < 6 or done.least < 0.05:
        return None
    values = [value for _, value in course]
    at = values.index(min(values))
    least = values[at]
    reference = constant_loss(history) or values[0]
    if reference <= least:
        return None
    risen = [(step, (value - least) / (reference - least)) for step, value in course]
    e = lasting(risen, "", 3, step=course[at][0], least=least, last=values[-1])
    return e if at < len(course) - 3 else None


def gap(history: History) -> Evidence | None:
    """Share learnt on training samples less that on validation samples."""
    course = finite(history.of("val_loss"))
    done = progress(history)
    if done is None or len(course) < 3:
        return None
    if not done.known and not 0.6 < course[0][1] / done.start < 1.6:
        return None  # another scale than the training loss
    apart = [(step, done.learnt - done.share(value)) for step, value in course]
    return lasting(apart, "", 3, train=done.late, last=course[-1][1])


def by_heart(history: History) -> Evidence | None:
    """log₁₀ of the validation loss over the training loss, where they lie apart."""
    done, apart = progress(history), gap(history)
    if done is None or apart is None or apart.low < APART:
        return None
    late = max(done.late - done.floor, 1e-9 * done.reference)
    course = [(s, math.log10(max(v - done.floor, late * 1e-3) / late)) for s, v in finite(history.of("val_loss"))]
    return lasting(course, "", 3, train=done.late, last=history.of("val_loss")[-1][1])


def both(history: History) -> Evidence | None:
    """The gap, where the validation loss rises besides."""
    apart, up = gap(history), rise(history)
    return apart if apart is not None and up is not None and up.low >= RISEN else None


_WHY = "The net learns the training samples by heart, noise and all; on new ones it gets worse."
_DO = (
    "Stop at the best validation loss and keep those weights; more data or augmentation; dropout, weight decay; a "
    "smaller net."
)
SYMPTOMS = (
    Symptom(
        "overfitting",
        "share learnt on training samples less that on validation samples, whose loss has risen by 3 % or more",
        both,
        0.2,
        "Measured on 3 healthy runs of the calibration part only, none above -0.02.",
        "The loss is {train:.3g} on training samples and {last:.3g} on validation samples, where it rises.",
        _WHY,
        _DO,
    ),
    Symptom(
        "overfitting",
        "rise of the validation loss since its least, over what was learnt until then",
        rise,
        0.2,
        "Of 27 healthy runs of the calibration part 99 % lie below 0.043, none above 0.044.",
        "The validation loss was least at step {step:,} ({least:.3g}) and has risen to {last:.3g}.",
        _WHY,
        _DO,
    ),
    Symptom(
        "overfitting",
        "share of the loss learnt on training samples less that on validation samples",
        gap,
        0.5,
        "Of 251 healthy runs of the calibration part 99 % lie below 0.25, none above 0.32.",
        "The loss is {train:.3g} on training samples and {last:.3g} on validation samples.",
        _WHY,
        _DO,
    ),
    Symptom(
        "overfitting",
        "log₁₀ of the validation loss over the training loss, where 20 % more of it was learnt on training samples",
        by_heart,
        0.9,
        "Measured on 4 healthy runs of the calibration part only, none above 0.35.",
        "The loss is {train:.3g} on training samples and {last:.3g} on validation samples, 10^{value:.1f} times that.",
        _WHY,
        _DO,
    ),
)
CODES = ("overfitting",)
look = first_of(SYMPTOMS)
