"""Less of what holds a net back: dropout, penalties, noise, smoothing, heavy augmentation.

Source: Goodfellow, Bengio, Courville 2016, chapter 11: what fits its training rows badly needs none.
"""

from __future__ import annotations

from typing import Any

from workings.doctor.cures.cure import Case, Cure

CAUSES = ("over-regularised", "underfitting")
REASON = "it keeps the net from fitting even what it is shown"


def cures(case: Case) -> list[Cure]:
    """All of it away; then penalties alone, and dropout alone."""
    recipe = case.recipe
    penalties: dict[str, Any] = {}
    if recipe.l1:
        penalties["l1"] = 0.0
    if recipe.l2:
        penalties["l2"] = 0.0
    if recipe.weight_decay:
        penalties["weight_decay"] = 0.0
    drops = {
        name: 0.0
        for name in ("dropout", "conv_dropout", "word_dropout", "noise", "mask")
        if float(case.net_settings.get(name) or 0) > 0
    }
    more: dict[str, Any] = {}
    if recipe.label_smoothing:
        more["label_smoothing"] = 0.0
    if recipe.augmentation not in ("none", "auto") and case.image:
        more["augmentation"] = "none"
    found = []
    if sum(map(bool, (penalties, drops, more))) > 1:
        found.append(Cure("no regularisation", "over-regularised", REASON, {**penalties, **more}, drops))
    if penalties:
        found.append(Cure("no penalty on weights", "over-regularised", REASON, penalties))
    if drops:
        found.append(Cure("no dropout", "over-regularised", REASON, net=drops))
    if more:
        found.append(Cure(f"no {' and '.join(more).replace('_', ' ')}", "over-regularised", REASON, more))
    return found
