"""Attention that collapses: every place looks at one other place only, whatever it holds.

Statistic: mean entropy of the rows of attention over that of equal shares. Single heads may look at one place by right,
so it must be the mean of a whole layer, and is told only where little was learnt. Source: Zhai et al. 2023,
"Stabilizing transformer training by preventing attention entropy collapse".
"""

from __future__ import annotations

from workings.watching.findings.evidence import Evidence, Symptom, first_of, lasting, worst
from workings.watching.findings.progress import progress
from workings.watching.history import History

LEARNT = 0.5


def _measure(history: History) -> Evidence | None:
    done = progress(history)
    if done is None or done.most > LEARNT:
        return None
    return worst([lasting(history.of("entropy", where), where, 2) for where in history.places("entropy")], least=True)


SYMPTOMS = (
    Symptom(
        "attention-collapse",
        "mean entropy of a layer's attention over that of equal shares",
        _measure,
        0.2,
        "Of 15 healthy runs of the calibration part 99 % lie above 0.72, none below 0.71.",
        "Attention at '{where}' has collapsed: the entropy of its rows is {value:.1%} of that of equal shares.",
        "The softmax is saturated, so no gradient can move attention elsewhere.",
        "A lower learning rate with warm-up; scores divided by √d; normalised queries and keys (QK norm).",
        least=True,
    ),
)
CODES = ("attention-collapse",)
look = first_of(SYMPTOMS)
