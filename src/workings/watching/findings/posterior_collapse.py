"""Posterior collapse of a variational autoencoder: the code says nothing of the sample.

Statistics: share of the code's units whose mean varies over samples by more than 0.01 (Burda et al. 2015, active
units); KL(q(z|x) ‖ p(z)) in nats a sample. Some resting units are healthy, so nearly all must rest. Source: Bowman et
al. 2016.
"""

from __future__ import annotations

from workings.watching.findings.evidence import Evidence, Symptom, finite, first_of, lasting, worst
from workings.watching.history import History


def active(history: History) -> Evidence | None:
    """Share of active units at places that have a KL."""
    if not history.of("kl"):
        return None
    places = ["", *history.places("active")]
    return worst([lasting(history.of("active", where), where, 3) for where in places], least=True)


def told(history: History) -> Evidence | None:
    """Nats a sample."""
    return lasting(finite(history.of("kl")), "", 3)


_WHY = "The decoder has learnt to do without the code, so codes and draws are of no use."
_DO = "Let β rise from 0 over the first epochs, or give free bits; a weaker decoder; a smaller β."
SYMPTOMS = (
    Symptom(
        "posterior-collapse",
        "share of the code's units that vary over samples",
        active,
        0.05,
        "Not yet calibrated.",
        "{value:.0%} of the code's units say anything of the sample.",
        _WHY,
        _DO,
        least=True,
    ),
    Symptom(
        "posterior-collapse",
        "KL(q(z|x) ‖ p(z)), nats a sample",
        told,
        0.1,
        "Not yet calibrated.",
        "The code tells {value:.2g} nats of a sample, next to nothing.",
        _WHY,
        _DO,
        least=True,
    ),
)
CODES = ("posterior-collapse",)
look = first_of(SYMPTOMS)
