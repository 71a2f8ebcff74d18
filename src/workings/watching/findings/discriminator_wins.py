"""The discriminator wins: it tells every made sample, and the generator gets no gradient to follow.

Statistics: share of real and made samples that the discriminator tells apart, of the last looks; 0.5 is a balance. Of
a loop, where only real samples are seen to be judged, the mean logit of those. An early lead is healthy, so only the
end counts. Source: Arjovsky and Bottou 2017.
"""

from __future__ import annotations

from workings.watching.findings.evidence import Evidence, Symptom, first_of, lasting
from workings.watching.history import History


def _measure(history: History) -> Evidence | None:
    return lasting(history.of("judged_right"), "", 3)


def sure(history: History) -> Evidence | None:
    """The mean score of real samples, in logits, where two optimisers take turns."""
    several = history.facts.get("optimisers", 1)
    if not isinstance(several, int) or several < 2 or history.of("right", "output") or not history.of("spread_made"):
        return None
    return lasting(history.of("mean", "output"), "output", 5)


_WHY = "Its answer hardly changes with what the generator makes, so the generator learns nothing from it."
_DO = (
    "Lower the discriminator's learning rate or its steps, spectral norm or a gradient penalty, noise on its inputs; "
    "the non-saturating loss."
)
SYMPTOMS = (
    Symptom(
        "discriminator-wins",
        "share of real and made samples that the discriminator tells apart",
        _measure,
        0.98,
        "None of 272 healthy runs of the calibration part met its conditions.",
        "The discriminator tells {value:.0%} of the samples apart.",
        _WHY,
        _DO,
    ),
    Symptom(
        "discriminator-wins",
        "mean logit that the discriminator gives to real samples",
        sure,
        4.0,
        "Measured on 8 healthy runs of the calibration part only, none above 0.042.",
        "The discriminator is sure of real samples: their mean logit is {value:.1f}.",
        _WHY,
        _DO,
    ),
)
CODES = ("discriminator-wins",)
look = first_of(SYMPTOMS)
