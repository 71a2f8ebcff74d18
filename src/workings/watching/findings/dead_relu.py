"""Dead units: ReLU units that give 0 for every sample, so that no gradient reaches their weights any more.

Statistic: of each layer, the share of units that gave 0 for every sample of the last looks (``watching.tap.WINDOW``).
A net may have many zeros and no dead unit; the share of zeros alone says nothing (it alarms on 36 of 78 healthy nets
where others use it). Source: Lu et al. 2019, "Dying ReLU and initialization".
"""

from __future__ import annotations

from workings.base.finding import Finding
from workings.watching.history import History
from workings.watching.tap import WINDOW

CODES = ("dead-relu",)
THRESHOLD = 0.5  # of a layer's units; a prior until it is calibrated
LASTING = 3  # looks in a row


def look(history: History) -> list[Finding]:
    """One finding for the layer with the most dead units."""
    worst: Finding | None = None
    for where in history.places("dead"):
        course = history.of("dead", where)
        late = [value for _, value in course[-LASTING:]]
        if len(course) < WINDOW or min(late) < THRESHOLD:
            continue
        step = next(s for i, (s, _) in enumerate(course) if all(v >= THRESHOLD for _, v in course[i:]))
        if worst is None or late[-1] > worst.value:
            what = f"{late[-1]:.0%} of the units of '{where}' are dead: they give 0 for every sample."
            worst = Finding(
                "dead-relu",
                what,
                where,
                step,
                f"share of units silent over {WINDOW} looks",
                late[-1],
                min(late),
                max(late),
                THRESHOLD,
                "Not yet calibrated.",
                why="No gradient reaches a dead unit, so it stays dead and the layer is as narrow as what is left.",
                do="Lower the learning rate, or use leaky ReLU; start by He's initialisation with biases of 0.",
                course=course,
            )
    return [] if worst is None else [worst]
