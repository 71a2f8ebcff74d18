"""Dead units: ReLU units that give 0 for every sample, so that no gradient reaches their weights any more.

Statistic: of each layer, the share of units that gave 0 for every sample of the last looks (``watching.tap.WINDOW``).
A net may have many zeros and no dead unit; the share of zeros alone says nothing (it alarms on 36 of 78 healthy nets
where others use it). Source: Lu et al. 2019, "Dying ReLU and initialization".
"""

from __future__ import annotations

from workings.watching.findings.evidence import Evidence, Symptom, first_of, lasting, worst
from workings.watching.history import History

SEEN = 4  # looks that a unit must have been silent in


def _measure(history: History) -> Evidence | None:
    found = []
    for where in history.places("dead"):
        course = history.of("dead", where)[SEEN - 1 :]
        found.append(lasting(course, where, 2))
    return worst(found)


SYMPTOMS = (
    Symptom(
        "dead-relu",
        "share of a layer's units that were silent for every sample of the last looks",
        _measure,
        0.8,
        "Not yet calibrated.",
        "{value:.0%} of the units of '{where}' are dead: they give 0 for every sample.",
        "No gradient reaches a dead unit, so it stays dead and the layer is as narrow as what is left.",
        "Lower the learning rate, or use leaky ReLU or GELU; start by He's initialisation with biases of 0 (code: "
        "nn.LeakyReLU(0.01) in place of nn.ReLU()).",
    ),
)
CODES = ("dead-relu",)
look = first_of(SYMPTOMS)
