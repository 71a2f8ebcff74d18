"""A Boltzmann machine's rate: too high, so that its units are stuck at their bounds, or too low to learn.

Statistics, of the last looks: the squared difference between samples and what is rebuilt of them, over the samples'
variance: at 1 the machine tells no more than the mean sample; the share of hidden units that vary over samples; the
late reconstruction loss over its least. Weights grow from nearly 0, so their change over their size says little at
first. Source: Hinton 2012, "A practical guide to training restricted Boltzmann machines", 6 and 15.
"""

from __future__ import annotations

from workings.watching.findings.evidence import Evidence, Symptom, finite, first_of, lasting, mean_of
from workings.watching.findings.oscillating import smoothed
from workings.watching.history import History

NETS = ("rbm", "dbn")


def rebuilt(history: History) -> Evidence | None:
    """Squared difference over variance."""
    return lasting(history.of("reconstruction"), "", 3) if history.facts.get("net") in NETS else None


def active(history: History) -> Evidence | None:
    """Share of hidden units that vary."""
    return lasting(history.of("active"), "", 3) if history.facts.get("net") in NETS else None


def lost(history: History) -> Evidence | None:
    """Late loss over the least mean of eight steps."""
    course = smoothed(finite(history.of("loss"))) if history.facts.get("net") in NETS else []
    if len(course) < 6:
        return None
    values = [value for _, value in course]
    least = min(values)
    if least <= 0:
        return None
    late, low, high = mean_of(values[-max(3, len(values) // 4) :])
    return Evidence(late / least, low / least, high / least, course[-1][0], "", course, {"late": late, "least": least})


_DO = (
    "A rate at which weights change by about a thousandth of their size a step, such as 0.05 to 0.1 for batches of 20; "
    "momentum 0.5, later 0.9; visible biases that start at the logits of the means."
)
SYMPTOMS = (
    Symptom(
        "rbm-rate",
        "squared difference between samples and what is rebuilt, over the samples' variance",
        rebuilt,
        0.8,
        "Measured on 6 healthy runs of the calibration part only, none above 0.53.",
        "What is rebuilt is no nearer to the samples than their mean is ({value:.0%} of the variance is left).",
        "The machine has learnt nothing of how inputs hang together: the rate is too low, or so high that its units "
        "are stuck.",
        _DO,
    ),
    Symptom(
        "rbm-rate",
        "share of hidden units that vary over samples",
        active,
        0.4,
        "Measured on 6 healthy runs of the calibration part only, none below 0.97.",
        "{value:.0%} of the hidden units vary over samples.",
        "Units that are always on or always off say nothing of a sample; too high a rate drives them there.",
        _DO,
        least=True,
    ),
    Symptom(
        "rbm-rate",
        "late reconstruction loss over its least",
        lost,
        1.5,
        "Measured on 6 healthy runs of the calibration part only, none above 1.1.",
        "The reconstruction loss was {least:.3g} and ends at {late:.3g}.",
        "The rate is too high: the machine loses what it had learnt.",
        _DO,
    ),
)
CODES = ("rbm-rate",)
look = first_of(SYMPTOMS)
