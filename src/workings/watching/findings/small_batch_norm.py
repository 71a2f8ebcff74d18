"""A batch too small for batch norm: means and spreads of a few numbers are mostly noise.

Statistic: from how many numbers the mean of a channel is made (samples, times places of an image). Sources: Ioffe and
Szegedy 2015; Wu and He 2018, "Group normalization", whose error rises from batches of 8 downwards.
"""

from __future__ import annotations

from workings.watching.findings.evidence import Evidence, Symptom, first_of, lasting, worst
from workings.watching.history import History


def _measure(history: History) -> Evidence | None:
    return worst([lasting(history.of("normed_over", w), w, 2) for w in history.places("normed_over")], least=True)


SYMPTOMS = (
    Symptom(
        "small-batch-norm",
        "numbers that the mean of a channel is made from",
        _measure,
        8.0,
        "Of 36 healthy runs of the calibration part 99 % lie above 22, none below 16.",
        "Batch norm at '{where}' takes means and spreads from {value:.0f} numbers.",
        "They are mostly noise, and what evaluation uses instead of them differs.",
        "Batches of 16 or more; or nn.LayerNorm, nn.GroupNorm, which do not look across samples.",
        least=True,
    ),
)
CODES = ("small-batch-norm",)
look = first_of(SYMPTOMS)
