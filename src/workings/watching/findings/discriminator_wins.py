"""The discriminator wins: it tells every made sample, and the generator gets no gradient to follow.

Statistic: share of real and made samples that the discriminator tells apart, of the last looks; 0.5 is a balance. An
early lead is healthy, so only the end counts. Source: Arjovsky and Bottou 2017.
"""

from __future__ import annotations

from workings.watching.findings.evidence import Evidence, Symptom, first_of, lasting
from workings.watching.history import History


def _measure(history: History) -> Evidence | None:
    return lasting(history.of("judged_right"), "", 3)


SYMPTOMS = (
    Symptom(
        "discriminator-wins",
        "share of real and made samples that the discriminator tells apart",
        _measure,
        0.98,
        "Not yet calibrated.",
        "The discriminator tells {value:.0%} of the samples apart.",
        "Its answer hardly changes with what the generator makes, so the generator learns nothing from it.",
        "Lower the discriminator's learning rate or its steps, spectral norm or a gradient penalty, noise on its "
        "inputs; the non-saturating loss.",
    ),
)
CODES = ("discriminator-wins",)
look = first_of(SYMPTOMS)
