"""Larger batches against noise, smaller ones for more steps. Source: McCandlish et al. 2018; Keskar et al. 2017."""

from __future__ import annotations

from workings.doctor.cures.cure import Case, Cure

CAUSES = ("no-shuffle", "oscillating", "small-batch-norm", "underfitting", "plateau", "rate-too-low")


def cures(case: Case) -> list[Cure]:
    """Rows in a new order each epoch; from the data where a person gave it; eight times a very small batch for as many
    steps; four times the batch; a quarter of it."""
    if case.net == "perceptron":
        return []
    found = []
    if not case.recipe.shuffle:
        reason = "neighbouring rows are alike, and each batch would pull its own way"
        found.append(Cure("rows shuffled", "no-shuffle", reason, {"shuffle": True}, unset=case.measured))
    now = case.n if case.recipe.batch_size in ("all", None) else int(case.recipe.batch_size)
    if case.given("batch_size"):
        shows = "small-batch-norm" if now < 16 else "underfitting"
        found.append(Cure("batch from the data", shows, "enough rows for a mean, enough steps", unset=("batch_size",)))
    epochs = case.recipe.epochs
    normed = case.net_settings.get("batch_norm", case.net == "spectral-cnn")
    if normed and now < 16 and 8 * now <= case.n and epochs:
        reason = "the mean of more rows is less noisy, and as many steps are made as before"
        values = {"batch_size": 8 * now, "epochs": 8 * epochs}
        found.append(Cure("batch × 8, as many steps", "small-batch-norm", reason, values))
    if 4 * now <= min(case.n, 1024):
        shows = "small-batch-norm" if now < 16 and normed else "oscillating"
        found.append(Cure("batch × 4", shows, "the mean of more rows is less noisy", {"batch_size": 4 * now}))
    if now >= 64:
        reason = "four times as many steps in the same epochs"
        found.append(Cure("batch ÷ 4", "underfitting", reason, {"batch_size": now // 4}))
    return found
