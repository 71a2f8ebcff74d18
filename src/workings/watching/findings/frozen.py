"""Layers frozen as they were drawn at random.

Statistic: how many weight matrices require no gradient and look as drawn at random: no singular value beyond those of
independent numbers (Marčenko and Pastur 1967). Freezing layers that were learnt before is healthy: learning leaves
singular values far beyond (Martin and Mahoney 2021).
"""

from __future__ import annotations

from workings.watching.findings.evidence import Evidence, Symptom, first_of, of_names
from workings.watching.history import History


def _measure(history: History) -> Evidence | None:
    frozen = history.facts.get("frozen")
    if not isinstance(frozen, dict):
        return None
    return of_names([name for name, drawn in frozen.items() if drawn is True])


SYMPTOMS = (
    Symptom(
        "frozen",
        "weight matrices that require no gradient and look as drawn at random",
        _measure,
        1,
        "Exact but for the test of randomness; layers learnt before do not look so.",
        "{names} cannot learn (requires_grad is False) and look as drawn at random.",
        "Layers behind them only see a random mixture of the inputs.",
        "parameter.requires_grad_(True), or load the weights that were meant to be kept before freezing.",
    ),
)
CODES = ("frozen",)
look = first_of(SYMPTOMS)
