"""The weights of the best look are kept, and training stops when none is better. Source: Prechelt 1998."""

from __future__ import annotations

from workings.doctor.cures.cure import Case, Cure

CAUSES = ("overfitting",)


def cures(case: Case) -> list[Cure]:
    """Where the last weights were kept instead; where they were the best already, fewer epochs."""
    recipe, reason = case.recipe, "what is learnt after the best look is learnt by heart"
    if recipe.keep_best is False and recipe.monitor is not None and case.net != "perceptron":
        values = {"keep_best": True, "patience": recipe.patience or 10}
        return [Cure("the best weights kept", "overfitting", reason, values)]
    if recipe.epochs is not None and recipe.epochs >= 4:
        values = {"epochs": round(recipe.epochs / 3, 3)}
        return [
            Cure("a third of the epochs", "overfitting", "the rate then falls before rows are known by heart", values)
        ]
    return []
