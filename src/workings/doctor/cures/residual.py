"""Shortcuts past each layer, by which gradients reach the first. Source: He et al. 2016."""

from __future__ import annotations

from workings.doctor.cures.cure import Case, Cure

CAUSES = ("vanishing-gradient", "exploding-gradient")


def cures(case: Case) -> list[Cure]:
    """Residual connections, where the net has them and is at least three layers deep."""
    hidden = case.net_settings.get("hidden", ())
    if case.net_settings.get("residual") is not False or (case.net == "mlp" and len(hidden) < 3):
        return []
    reason = "a layer adds to what it got, so gradients reach the first layer undiminished"
    return [Cure("residual connections", "vanishing-gradient", reason, net={"residual": True})]
