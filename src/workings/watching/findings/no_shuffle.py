"""No shuffling of data that is sorted: a batch holds few classes, or targets of one region.

Statistic: (s − e)/(1 − e), s the chance that two samples of a batch have the same class, e that of two samples of all
data; of numbers, the share of the targets' variance that lies between batches. 0 under shuffling, 1 where every batch
is all alike; mean over the looks with its standard error. Data in no particular order need not be shuffled, and shows
nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from workings.watching.findings.evidence import Evidence, Symptom, finite, first_of
from workings.watching.findings.progress import class_shares
from workings.watching.history import History

LOOKS = 4
LEAST_BATCH = 4


def _over_looks(course: Sequence[tuple[int, float]]) -> Evidence | None:
    if len(course) < LOOKS:
        return None
    x = np.array([value for _, value in course])
    mean, error = float(x.mean()), 2 * float(x.std(ddof=1)) / math.sqrt(len(x))
    return Evidence(mean, mean - error, mean + error, course[0][0], "target", course)


def classes(history: History) -> Evidence | None:
    """How much more alike the classes of a batch are than those of all samples."""
    shares = class_shares(history)
    by_chance = sum(p * p for p in shares)
    batch = history.facts.get("batch")
    if not shares or by_chance > 0.95 or (isinstance(batch, int | float) and batch < LEAST_BATCH):
        return None
    return _over_looks([(s, (v - by_chance) / (1 - by_chance)) for s, v in finite(history.of("same", "target"))])


def numbers(history: History) -> Evidence | None:
    """Share of the variance that lies between batches, beyond what chance puts there."""
    std, mean, batch = (history.facts.get(name) for name in ("target_std", "target_mean", "batch"))
    if class_shares(history) or not all(isinstance(each, int | float) for each in (std, mean, batch)):
        return None
    if std <= 0 or batch < LEAST_BATCH:  # type: ignore[operator]
        return None
    within = [(s, 1 - (v / std) ** 2 * batch / (batch - 1)) for s, v in finite(history.of("std", "target"))]  # type: ignore[operator]
    return _over_looks(within)


_WHY = "Each step unlearns what the step before learnt of other samples, and batch norm sees another mixture each time."
_DO = "DataLoader(…, shuffle=True); in a loop of your own, order = torch.randperm(n) every epoch. --set shuffle=true."
SYMPTOMS = (
    Symptom(
        "no-shuffle",
        "how much more alike the classes of a batch are than those of all samples, 0 to 1",
        classes,
        0.3,
        "Of 174 healthy runs of the calibration part 99 % lie below -0.00038, none above 0.0072.",
        "Batches hold few classes each: the data is sorted and not shuffled ({value:.0%} of the way to one class).",
        _WHY,
        _DO,
    ),
    Symptom(
        "no-shuffle",
        "share of the targets' variance that lies between batches",
        numbers,
        0.4,
        "Of 80 healthy runs of the calibration part 99 % lie below -0.0086, none above 0.023.",
        "Batches hold similar targets: {value:.0%} of the targets' variance lies between batches.",
        _WHY,
        _DO,
    ),
)
CODES = ("no-shuffle",)
look = first_of(SYMPTOMS)
