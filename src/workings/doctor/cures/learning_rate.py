"""Another learning rate: what suits the data, or tenfold steps down and up.

Source: Bengio 2012 (Practical recommendations): of all settings the one to try first; Smith 2017 for the range test.
"""

from __future__ import annotations

from workings.doctor.cures.cure import Case, Cure

CAUSES = ("rate-too-high", "rate-too-low", "rbm-rate")
LOW, HIGH = "rate-too-high", "rate-too-low"


def cures(case: Case) -> list[Cure]:
    """Derived anew where a person gave it; tenfold steps down and up to a thousandfold; ÷ 3 and × 3 last."""
    eta = case.recipe.learning_rate
    if eta is None or case.net == "perceptron":
        return []
    found = [_times(case, eta, factor) for factor in (0.1, 10.0, 0.01, 100.0, 0.001, 1000.0, 1 / 3, 3.0)]
    return [*_anew(case), *found]


def _times(case: Case, eta: float, factor: float) -> Cure:
    down = factor < 1
    by = f"{1 / factor if down else factor:.0f}"
    reason = (
        "steps that are too long leap over what they should descend into"
        if down
        else "steps that are too short do not get there in the time given"
    )
    shows = "rbm-rate" if case.net in ("rbm", "dbn") and not case.gradient else LOW if down else HIGH
    new = float(f"{eta * factor:.3g}")
    return Cure(f"learning rate {'÷' if down else '×'} {by}", shows, reason, {"learning_rate": new})


def _anew(case: Case) -> list[Cure]:
    if not case.given("learning_rate"):
        return []
    shows = "rbm-rate" if case.net in ("rbm", "dbn") and not case.gradient else ""
    return [Cure("learning rate from the data", shows, "measured on the data, not guessed", unset=("learning_rate",))]
