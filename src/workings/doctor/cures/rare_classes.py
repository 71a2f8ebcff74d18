"""Rare classes counted for more, or drawn more often. Source: King and Zeng 2001; He and Garcia 2009."""

from __future__ import annotations

from workings.doctor.cures.cure import Case, Cure

CAUSES = ("imbalance",)


def cures(case: Case) -> list[Cure]:
    """Class weights, then weighted sampling."""
    if case.task not in ("binary", "multiclass") or case.net == "perceptron":
        return []
    reason = "a mistake on a rare class weighs as much as all those on a frequent one"
    return [
        Cure(how, "imbalance", reason, {"imbalance": how})
        for how in ("class weights", "weighted sampling")
        if case.recipe.imbalance != how
    ]
