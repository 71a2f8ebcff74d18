"""Saturation: sigmoid or tanh units sit at their bounds, where their slope and so the gradient is nearly 0.

Statistic: of each hidden layer, the share of its numbers within 1 % of a bound. Gates of LSTM and GRU are meant to
saturate, and so are outputs; both are left out. Told only where little was learnt: units of a net that has learnt well
may be sure. Published: DeepDiagnosis 50 % of |z| > 5; TheDeepChecker ρ > 0.85 for half of the units.
"""

from __future__ import annotations

from workings.watching.findings.evidence import Evidence, Symptom, first_of, lasting, worst
from workings.watching.findings.progress import progress
from workings.watching.history import History

LEARNT = 0.8


def _measure(history: History) -> Evidence | None:
    done = progress(history)
    if done is None or done.most > LEARNT or history.facts.get("net") in ("rbm", "dbn"):
        return None
    places = [where for where in history.places("saturated") if not where.endswith(("lstm", "gru"))]
    if places and places[-1] == history.order[-1]:
        places.pop()  # the output itself
    return worst([lasting(history.of("saturated", where), where, 2) for where in places])


SYMPTOMS = (
    Symptom(
        "saturated",
        "share of a layer's numbers within 1 % of the bounds of its activation",
        _measure,
        0.5,
        "None of 272 healthy runs of the calibration part met its conditions.",
        "{value:.0%} of what '{where}' gives lies at its bounds.",
        "There the slope is nearly 0, so the layers before it get nearly no gradient.",
        "Scale the inputs to mean 0 and spread 1, start by Xavier's initialisation, use tanh instead of sigmoid, or "
        "ReLU; batch or layer norm before the activation.",
    ),
)
CODES = ("saturated",)
look = first_of(SYMPTOMS)
