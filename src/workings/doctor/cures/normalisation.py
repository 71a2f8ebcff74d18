"""Batch norm before each activation, so that no layer drifts into saturation. Source: Ioffe and Szegedy 2015."""

from __future__ import annotations

from workings.doctor.cures.cure import Case, Cure

CAUSES = ("vanishing-gradient", "exploding-gradient", "bad-start", "saturated", "dead-relu", "unscaled-inputs")
FEWEST = 16  # rows of a batch whose mean and spread say something


def cures(case: Case) -> list[Cure]:
    """Batch norm, where the net has it and batches are large enough; off where they are too small for it."""
    now, batch = case.net_settings.get("batch_norm"), case.recipe.batch_size
    few = isinstance(batch, int) and batch < FEWEST
    if now is False and not few:
        reason = "each layer's input is centred and scaled anew in every batch"
        return [Cure("batch norm", "vanishing-gradient", reason, net={"batch_norm": True}, unset=case.measured)]
    if now is True and few:
        reason = f"means over {batch} rows are mostly noise"
        return [Cure("no batch norm", "small-batch-norm", reason, net={"batch_norm": False}, unset=case.measured)]
    return []
