"""Leakage: validation samples that were trained on, or an input that gives the answer away.

Statistics: the share of validation samples that are training samples number by number, less the share of training
samples that occur twice (coarse data repeats itself); the share of the targets' variance that one input alone explains
(η², of classes between their means). A high validation accuracy alone is no finding: rules of 95 % alarm on 54 of 68
good nets (UMLAUT). Source: Kapoor and Narayanan 2023.
"""

from __future__ import annotations

from workings.watching.findings.evidence import Evidence, Symptom, first_of
from workings.watching.history import History

NEXT = 0.9  # η² of the next best input at most: neighbouring values of a series all nearly tell the next


def shared(history: History) -> Evidence | None:
    """Share of validation samples that were trained on, beyond what repeats itself anyway."""
    both, twice = history.facts.get("val_in_train"), history.facts.get("twice_in_train", 0.0)
    if not isinstance(both, int | float) or not isinstance(twice, int | float):
        return None
    value = both - twice
    return Evidence(value, value, value, 0, "", (), {"both": both})


def by_one(history: History) -> Evidence | None:
    """η² of the best single input."""
    value, where = history.facts.get("told_by_one"), history.facts.get("told_by", "?")
    after = history.facts.get("told_by_next", 0.0)
    if not isinstance(value, int | float) or not isinstance(after, int | float) or after > NEXT:
        return None
    return Evidence(value, value, value, 0, "input", (), {"which": where})


SYMPTOMS = (
    Symptom(
        "leakage",
        "share of validation samples that are training samples, less those that occur twice in training",
        shared,
        0.1,
        "Of 55 healthy runs of the calibration part 99 % lie below 0.021, none above 0.022.",
        "{both:.0%} of the validation samples are training samples, number by number.",
        "The validation score says how well they were learnt by heart, not how well the net does on new samples.",
        "Remove duplicates before splitting; keep samples of one group (person, day, document) on one side.",
    ),
    Symptom(
        "leakage",
        "share of the targets' variance that one input alone explains",
        by_one,
        0.995,
        "Of 139 healthy runs of the calibration part 99 % lie below 0.91, none above 0.92.",
        "Input {which} alone tells the answer ({value:.1%} of the targets' variance).",
        "It likely holds the answer itself and will not be there when predictions are wanted.",
        "Leave the input out, unless it is known before the answer is.",
    ),
)
CODES = ("leakage",)
look = first_of(SYMPTOMS)
