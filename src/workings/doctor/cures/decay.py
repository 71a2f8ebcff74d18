"""Weights pulled towards 0. Sources: Krogh and Hertz 1991; Loshchilov and Hutter 2019 (decoupled)."""

from __future__ import annotations

from workings.doctor.cures.cure import Case, Cure

CAUSES = ("overfitting", "exploding-gradient")


def cures(case: Case) -> list[Cure]:
    """Ten times the weight decay, or what is usual where there is none; an L2 penalty where decay cannot be set."""
    now = case.recipe.weight_decay or 0.0
    if not case.gradient:
        return []
    usual = 0.1 if case.recipe.optimiser == "adamw" else 1e-3
    new = min(10 * now, 3.0) if now else usual
    if new <= now:
        return []
    reason = "small weights make a smooth net, which learns single rows less by heart"
    return [Cure(f"weight decay {new:g}", "overfitting", reason, {"weight_decay": float(f"{new:.3g}")})]
