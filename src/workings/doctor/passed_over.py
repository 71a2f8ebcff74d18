"""Changes of the learning rate that need no trial of their own, by what trials of others showed."""

from __future__ import annotations

from collections.abc import Sequence

from workings.doctor.cures.cure import Cure
from workings.doctor.tried import Tried
from workings.runs.recipe import Recipe

RATE = {"learning_rate"}


def wrong_way(cure: Cure, base: Recipe, done: Sequence[Tried]) -> bool:
    """Whether it moves the learning rate one way when the other way was seen to help."""
    eta, now = cure.values.get("learning_rate"), base.learning_rate
    if eta is None or now is None:
        return False
    helped = [t for t in done if t.hopeful and set(t.cure.values) <= RATE]
    rates = [t.recipe.learning_rate or now for t in helped if t.recipe and not t.cure.net and len(t.cure.unset) < 2]
    return any((rate - now) * (eta - now) < 0 for rate in rates)


def too_far(cure: Cure, base: Recipe, done: Sequence[Tried]) -> bool:
    """Whether it moves the learning rate further where a long step did less than a short one, which helped."""
    now = base.learning_rate
    if now is None or set(cure.values) != RATE or cure.net:
        return False
    times = cure.values["learning_rate"] / now
    of = {t.cure.values["learning_rate"] / now: t for t in done if set(t.cure.values) == RATE and not t.cure.net}
    before = sorted((each for each in of if 1 < each < times or 1 > each > times), reverse=times < 1)
    if len(before) < 2:
        return False
    near, far = (of[each] for each in before[-2:])
    return near.hopeful and (far.screened or 0.0) < (near.screened or 0.0)
