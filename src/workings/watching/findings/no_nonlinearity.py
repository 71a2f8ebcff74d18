"""Layers with nothing between them: a stack of affine layers is one affine layer.

Statistic: how many affine operations a forward pass has, none that is not linear (activations, attention, recurrence,
pooling by the largest). Linear models on purpose have one affine layer. Source of the rule: NeuraLint, UMLAUT.
"""

from __future__ import annotations

from workings.watching.findings.evidence import Evidence, Symptom, first_of
from workings.watching.history import History


def _measure(history: History) -> Evidence | None:
    affine, others = history.facts.get("affine"), history.facts.get("nonlinear")
    if not isinstance(affine, int) or not isinstance(others, int) or others:
        return None
    value = float(affine)
    return Evidence(value, value, value)


SYMPTOMS = (
    Symptom(
        "no-nonlinearity",
        "affine operations of a forward pass without any that is not linear",
        _measure,
        2.0,
        "Exact: nets of several layers have activations between them.",
        "{value:.0f} affine layers follow one another with no activation between them.",
        "Together they can compute no more than one of them.",
        "Put an activation behind every hidden layer, such as nn.ReLU().",
    ),
)
CODES = ("no-nonlinearity",)
look = first_of(SYMPTOMS)
