"""Dead units: ReLU units that give 0 for every sample, so that no gradient reaches their weights any more.

Statistic: of each layer, the share of units that gave 0 for every sample of the last looks (``watching.tap.WINDOW``).
A net may have many zeros and no dead unit; the share of zeros alone says nothing (it alarms on 36 of 78 healthy nets
where others use it). Source: Lu et al. 2019, "Dying ReLU and initialization".
"""

from __future__ import annotations

from workings.watching.findings.evidence import Evidence, Symptom, first_of, lasting, worst
from workings.watching.findings.progress import progress
from workings.watching.history import History

LEARNT = 0.7
SEEN = 4  # looks that a unit must have been silent in


def _measure(history: History) -> Evidence | None:
    found = []
    for where in history.places("dead"):
        course = history.of("dead", where)[SEEN - 1 :]
        found.append(lasting(course, where, 2))
    return worst(found)


def where_little_is_learnt(history: History) -> Evidence | None:
    """The same, of a run that learnt little: then fewer dead units are enough to explain it."""
    done = progress(history)
    return None if done is None or done.most > LEARNT else _measure(history)


_WHAT = "{value:.0%} of the units of '{where}' are dead: they give 0 for every sample."
_WHY = "No gradient reaches a dead unit, so it stays dead and the layer is as narrow as what is left."
_DO = (
    "Lower the learning rate, or use leaky ReLU or GELU; start by He's initialisation with biases of 0 (code: "
    "nn.LeakyReLU(0.01) in place of nn.ReLU())."
)
SYMPTOMS = (
    Symptom(
        "dead-relu",
        "share of a layer's units that were silent for every sample of the last looks",
        _measure,
        0.9,
        "Of 185 healthy runs of the calibration part 99 % lie below 0.67, none above 0.75.",
        _WHAT,
        _WHY,
        _DO,
    ),
    Symptom(
        "dead-relu",
        "share of silent units of a layer, where less than 70 % of the loss was learnt away",
        where_little_is_learnt,
        0.75,
        "Of 32 healthy runs of the calibration part 99 % lie below 0.63, none above 0.64.",
        _WHAT,
        _WHY,
        _DO,
    ),
)
CODES = ("dead-relu",)
look = first_of(SYMPTOMS)
