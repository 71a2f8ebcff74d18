"""More epochs, for what was still getting better when time was up."""

from __future__ import annotations

from workings.doctor.cures.cure import Case, Cure

CAUSES = ("underfitting", "rate-too-low", "plateau")


def cures(case: Case) -> list[Cure]:
    """Three times the epochs."""
    epochs = case.recipe.epochs
    if epochs is None or case.net == "perceptron":
        return []
    reason = "it was still getting better when its epochs were over"
    values = {"epochs": 3 * epochs, "patience": None}
    return [Cure("three times the epochs", "underfitting", reason, values)]
