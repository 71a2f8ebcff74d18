"""Mode collapse of an adversarial net: it makes a few samples again and again.

Statistic: the mean distance between two made samples over that between two real ones, of the last looks; 1 where the
made ones vary as the real ones do. Losses that swing are healthy here and say nothing. Sources: Goodfellow 2016; Arora
and Zhang 2017.
"""

from __future__ import annotations

from workings.watching.findings.evidence import Evidence, Symptom, first_of, lasting
from workings.watching.history import History


def _measure(history: History) -> Evidence | None:
    return lasting(history.of("spread_made"), "", 3)


SYMPTOMS = (
    Symptom(
        "mode-collapse",
        "mean distance of two made samples over that of two real ones",
        _measure,
        0.5,
        "Measured on 8 healthy runs of the calibration part only, none below 0.97.",
        "Made samples are {value:.0%} as far apart as real ones: the generator makes nearly the same again and again.",
        "It fools the discriminator with few samples and covers little of the data.",
        "Lower both learning rates, that of the generator first; gradient penalty (R1, WGAN-GP) or spectral norm; "
        "larger batches.",
        least=True,
    ),
)
CODES = ("mode-collapse",)
look = first_of(SYMPTOMS)
