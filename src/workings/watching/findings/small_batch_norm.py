"""A batch too small for batch norm: means and spreads of a few numbers are mostly noise.

Statistic: from how many numbers the mean of a channel is made; places of one image are much alike, so they count as
their root only. Sources: Ioffe and Szegedy 2015; Wu and He 2018, "Group normalization", whose error rises from batches
of 8 downwards.
"""

from __future__ import annotations

import math

from workings.watching.findings.evidence import Evidence, Symptom, finite, first_of, lasting, worst
from workings.watching.history import History


def _measure(history: History) -> Evidence | None:
    B = history.facts.get("batch")
    B = float(B) if isinstance(B, int | float) and B >= 1 else math.inf
    found = []
    for where in history.places("normed_over"):
        course = [(step, math.sqrt(n * min(n, B))) for step, n in finite(history.of("normed_over", where)) if n >= 0]
        found.append(lasting(course, where, 2))
    return worst(found, least=True)


SYMPTOMS = (
    Symptom(
        "small-batch-norm",
        "samples that the mean of a channel is made from, times the root of the places of each",
        _measure,
        6.0,
        "Of 36 healthy runs of the calibration part 99 % lie above 22, none below 16.",
        "Batch norm at '{where}' takes means and spreads from few samples, worth {value:.0f} numbers.",
        "They are mostly noise, and what evaluation uses instead of them differs.",
        "Batches of 16 or more; or nn.LayerNorm, nn.GroupNorm, which do not look across samples.",
        least=True,
    ),
)
CODES = ("small-batch-norm",)
look = first_of(SYMPTOMS)
