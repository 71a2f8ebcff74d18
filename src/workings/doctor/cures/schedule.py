"""A learning rate that climbs at first and falls to 0: long steps early, short ones to settle.

Source: Goyal et al. 2017 (warm-up); Loshchilov and Hutter 2017 (cosine).
"""

from __future__ import annotations

from workings.doctor.cures.cure import Case, Cure

CAUSES = ("oscillating", "rate-too-high", "attention-collapse")


def cures(case: Case) -> list[Cure]:
    """Cosine with a tenth of warm-up, where the rate was constant; more warm-up for attention."""
    recipe = case.recipe
    if not case.gradient or recipe.schedule is None:
        return []
    found = []
    if recipe.schedule == "constant":
        reason = "steps become shorter towards the end, so that the net can settle"
        found.append(Cure("a falling learning rate", "oscillating", reason, {"schedule": "cosine", "warmup": 0.1}))
    if (recipe.warmup or 0) < 0.05 and case.net in ("transformer", "transformer-encoder", "gpt"):
        reason = "attention is chaotic at first, and long steps then fix what it looks at"
        found.append(Cure("warm-up", "attention-collapse", reason, {"warmup": 0.1}))
    return found
