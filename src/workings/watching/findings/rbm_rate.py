"""A Boltzmann machine's rate: too high, so that its chains lose the data, or too low to learn.

Statistics: the late reconstruction loss over its least so far; the change of the weights a step over their size, which
should be about 10⁻³ (Hinton 2012, "A practical guide to training restricted Boltzmann machines", 6).
"""

from __future__ import annotations

from workings.watching.findings.evidence import Evidence, Symptom, finite, first_of, mean_of
from workings.watching.findings.oscillating import smoothed
from workings.watching.findings.weights import speed
from workings.watching.history import History

NETS = ("rbm", "dbn")


def _losses(history: History) -> list[tuple[int, float]]:
    kept = finite(history.of("loss")) if history.facts.get("net") in NETS else []
    return kept if len(kept) >= 12 else []


def lost(history: History) -> Evidence | None:
    """Late loss over the least mean of eight steps."""
    course = smoothed(_losses(history))
    if len(course) < 6:
        return None
    values = [value for _, value in course]
    least = min(values)
    if least <= 0:
        return None
    late, low, high = mean_of(values[-max(3, len(values) // 4) :])
    return Evidence(late / least, low / least, high / least, course[-1][0], "", course, {"late": late, "least": least})


def fast(history: History) -> Evidence | None:
    """Change of the weights a step."""
    course = speed(history)
    if not _losses(history) or len(course) < 3:
        return None
    values = sorted(value for _, value in course)
    return Evidence(values[-1], values[len(values) // 2], values[-1], course[0][0], "", course)


def slow(history: History) -> Evidence | None:
    """Share of the first loss that was learnt away."""
    course = _losses(history)
    if not course:
        return None
    values = [value for _, value in course]
    start = max(values[:3])
    late, low, high = mean_of(values[-max(6, len(values) // 4) :])
    if start <= 0:
        return None
    return Evidence(1 - late / start, 1 - high / start, 1 - low / start, course[-1][0], "", course)


_DO = "A rate at which weights change by about a thousandth of their size a step; momentum 0.5, later 0.9."
SYMPTOMS = (
    Symptom(
        "rbm-rate",
        "late reconstruction loss over its least",
        lost,
        1.3,
        "Not yet calibrated.",
        "The reconstruction loss was {least:.3g} and ends at {late:.3g}.",
        "The rate is too high: the machine loses what it had learnt.",
        _DO,
    ),
    Symptom(
        "rbm-rate",
        "change of the weights a step over their size; the median look",
        fast,
        0.1,
        "Not yet calibrated.",
        "The weights change by {value:.0%} of their size a step.",
        "Weights that large steps throw about settle on none of the data.",
        _DO,
    ),
    Symptom(
        "rbm-rate",
        "share of the first reconstruction loss that was learnt away",
        slow,
        0.02,
        "Not yet calibrated.",
        "{value:.1%} of the first reconstruction loss was learnt away.",
        "The rate is too low, or so high that the units sit at their bounds.",
        _DO,
        least=True,
    ),
)
CODES = ("rbm-rate",)
look = first_of(SYMPTOMS)
