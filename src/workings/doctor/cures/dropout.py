"""Units left out at random while training. Source: Srivastava et al. 2014."""

from __future__ import annotations

from workings.doctor.cures.cure import Case, Cure

CAUSES = ("overfitting",)


def cures(case: Case) -> list[Cure]:
    """Dropout of 0.3, then of 0.5, where there is less."""
    now = case.net_settings.get("dropout")
    if now is None:
        return []
    reason = "units cannot rely on each other, so they learn what holds more widely"
    return [
        Cure(f"dropout {p:g}", "overfitting", reason, net={"dropout": p}) for p in (0.3, 0.5) if p > float(now) + 0.05
    ]
