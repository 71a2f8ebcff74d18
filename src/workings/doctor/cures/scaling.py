"""Inputs scaled by their ranks or robustly, where far outliers leave the rest no room.

Source: LeCun et al. 1998 (Efficient backprop); Holzmüller et al. 2024 for the robust form.
"""

from __future__ import annotations

from workings.doctor.cures.cure import Case, Cure

CAUSES = ("unscaled-inputs", "saturated")


def cures(case: Case) -> list[Cure]:
    """Quantiles, then the robust scale, for columns of numbers of a table."""
    if not case.table or case.task in ("forecast", "language", "translation"):
        return []
    now = case.recipe.prepare.get("numeric", "auto")
    reason = "no single far value sets the scale of all the others"
    return [
        Cure(
            f"numbers scaled: {how}",
            "unscaled-inputs",
            reason,
            {"prepare": {**case.recipe.prepare, "numeric": how}},
            unset=case.measured,
        )
        for how in ("quantile", "robust")
        if how != now
    ]
