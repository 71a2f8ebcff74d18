"""Gradients cut to a length: g ← τ g/‖g‖ where ‖g‖ > τ. Source: Pascanu, Mikolov, Bengio 2013."""

from __future__ import annotations

from workings.doctor.cures.cure import Case, Cure

CAUSES = ("exploding-gradient", "nonfinite", "attention-collapse")


def cures(case: Case) -> list[Cure]:
    """A norm of 1, where nothing is cut yet."""
    if not case.gradient or (case.recipe.clip_norm is not None and case.recipe.clip_norm <= 1):
        return []
    reason = "a single steep place cannot throw the weights far off"
    return [Cure("gradients clipped to norm 1", "exploding-gradient", reason, {"clip_norm": 1.0})]
