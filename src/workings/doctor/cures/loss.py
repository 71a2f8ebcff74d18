"""The usual loss of the task, on raw outputs. Source: Bishop 2006, 4.3.6: the loss that belongs to the output."""

from __future__ import annotations

from workings.doctor.cures.cure import Case, Cure

CAUSES = ("wrong-loss", "loss-reduction", "label-noise", "double-softmax")


def cures(case: Case) -> list[Cure]:
    """The loss derived anew where a person gave it; smoothed labels, or errors that are not squared, against noise."""
    recipe, found = case.recipe, []
    if case.given("loss") or case.given("loss_settings"):
        reason = "its gradient is the error itself, however wrong the net is"
        found.append(Cure("loss from the data", "wrong-loss", reason, unset=("loss", "loss_settings")))
    if case.task == "multiclass" and (recipe.label_smoothing or 0) < 0.05:
        reason = "no label is taken as quite certain"
        found.append(Cure("labels smoothed", "label-noise", reason, {"label_smoothing": 0.1}))
    if case.task == "regression" and recipe.loss == "mse":
        reason = "a few wrong targets do not count by their square"
        found.append(Cure("Huber's loss", "label-noise", reason, {"loss": "huber", "loss_settings": {}}))
    return found
