"""A dead embedding: nearly all tokens are read as one, or no row ever moves.

Statistics: different rows that a batch asks for, of all looks the most; the share of the rows that have not moved
since the start, of small vocabularies (those made for other texts have words that never come).
"""

from __future__ import annotations

from workings.watching.findings.evidence import Evidence, Symptom, finite, first_of, lasting, worst
from workings.watching.history import History

SMALL = 1_000


def asked(history: History) -> Evidence | None:
    """The most different rows that any batch asked for."""
    found = []
    for where in history.places("rows_used"):
        course = finite(history.of("rows_used", where))
        if len(course) >= 2:
            values = [value for _, value in course]
            found.append(Evidence(max(values), min(values), max(values), course[0][0], where, course))
    return worst(found, least=True)


def resting(history: History) -> Evidence | None:
    """Share of rows that never moved, of small vocabularies: large ones have words that these texts do not."""
    rows = [value for where in history.places("rows") for _, value in finite(history.of("rows", where))]
    if not rows or max(rows) > SMALL:
        return None
    return worst([lasting(history.of("unmoved", where)[1:], where, 2) for where in history.places("unmoved")])


_WHY = "The net cannot tell words from one another."
SYMPTOMS = (
    Symptom(
        "dead-embedding",
        "different rows of the embedding that a batch asks for, at most",
        asked,
        2.0,
        "Of 44 healthy runs of the calibration part 99 % lie above 10, none below 10.",
        "Batches ask '{where}' for {value:.0f} different rows at most: nearly all tokens are one.",
        _WHY,
        "Look at the tokens: a vocabulary that knows no word gives the unknown token for all.",
        least=True,
    ),
    Symptom(
        "dead-embedding",
        "share of the embedding's rows that have not moved since the start",
        resting,
        0.5,
        "Of 44 healthy runs of the calibration part 99 % lie below 0.033, none above 0.033.",
        "{value:.0%} of the rows of '{where}' have not moved since the start.",
        _WHY,
        "Give its weights to the optimiser, and look for padding_idx, detach() and frozen weights.",
    ),
)
CODES = ("dead-embedding",)
look = first_of(SYMPTOMS)
