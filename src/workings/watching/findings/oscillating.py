"""Oscillation: late in training the loss still jumps up and down instead of settling.

Statistic: half the distance between the 10th and the 90th percentile of the last quarter's losses, each the mean of
about eight steps, over the loss of an answer that knows nothing. Noise of small batches is healthy and averages out;
losses of adversarial nets swing by design and are left out. Published: AutoTrainer swings of 3 % of accuracy.
"""

from __future__ import annotations

import numpy as np

from workings.watching.findings.evidence import BLOCKS, Evidence, Symptom, first_of
from workings.watching.findings.progress import progress
from workings.watching.history import History

STEPS = 8


def smoothed(course: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """Means over about eight steps."""
    groups: dict[int, list[float]] = {}
    for step, value in course:
        groups.setdefault(step // STEPS, []).append(value)
    return [(group * STEPS, float(np.mean(values))) for group, values in groups.items()]


def _measure(history: History) -> Evidence | None:
    done = progress(history)
    if done is None or not done.known:
        return None
    course = smoothed(done.course)
    late = np.array([value for _, value in course[-max(2 * BLOCKS, len(course) // 4) :]])
    if len(late) < 2 * BLOCKS:
        return None
    swings = [
        float(np.subtract(*np.percentile(half, [90, 10]))) / 2 / done.reference
        for half in (late[::2], late[1::2], late)
    ]
    words = {"reference": done.reference}
    return Evidence(swings[-1], min(swings), max(swings), course[-len(late)][0], "", course, words)


SYMPTOMS = (
    Symptom(
        "oscillating",
        "half the distance of the 10th to the 90th percentile of late losses, over the loss of a constant answer",
        _measure,
        0.45,
        "Of 205 healthy runs of the calibration part 99 % lie below 0.26, none above 0.3.",
        "At the end the loss still swings by ±{value:.2g} times what a constant answer loses ({reference:.3g}).",
        "The steps are too long to settle; where the run happens to end is luck.",
        "Lower the learning rate towards the end (cosine schedule), or divide it by 3; larger batches; less momentum; "
        "clip the gradient's norm.",
    ),
)
CODES = ("oscillating",)
look = first_of(SYMPTOMS)
