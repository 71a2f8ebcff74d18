"""How fast the weights go: the step's change over their size, of every weight matrix.

Biases start at 0, so their size says nothing, and so do some matrices on purpose (the last of a residual branch): they
are left out where others are not.

About 10⁻³ a step is usual (Karpathy, CS231n notes, "Ratio of weights:updates"); published alarms lie at 10⁻¹ and 10⁻⁵
(TheDeepChecker, Ben Braiek and Khomh 2022).
"""

from __future__ import annotations

from statistics import median

from workings.watching.findings.evidence import finite
from workings.watching.history import History


def matrices(history: History, name: str = "update") -> list[str]:
    """Parameters with values of that name whose own size is known and not 0."""
    return [
        where
        for where in history.places(name)
        if "bias" not in where.rsplit(".", 1)[-1] and any(v > 1e-8 for _, v in finite(history.of("weight", where)))
    ]


NOTHING = 0.05  # gain at the first look: root mean square times the root of the number of inputs


def sized(history: History) -> list[str]:
    """The weight matrices that do not begin at nearly 0; all of them where all do."""
    places = matrices(history)
    first = {where: history.of("gain", where)[0][1] for where in places if history.of("gain", where)}
    return [where for where in places if not first.get(where, 1.0) < NOTHING] or places


def speed(history: History) -> list[tuple[int, float]]:
    """Of each look: the median over the weight matrices of change over size, a step."""
    by_step: dict[int, list[float]] = {}
    for where in sized(history):
        for step, value in finite(history.of("update", where)):
            by_step.setdefault(step, []).append(value)
    return [(step, float(median(values))) for step, values in sorted(by_step.items())]
