"""What was tried, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from workings.base.finding import Finding
from workings.doctor.cures.cure import Cure
from workings.doctor.paired import Gain
from workings.doctor.trial import Trial
from workings.runs.recipe import Recipe


@dataclass
class Tried:
    """A cure that was tried.

    rank: its place among the cures of the round, the likeliest first. verdict: accepted, better (but another was
    best), no difference, harmful, worse at first, not proved, or does not fit. screened: how much less it lost than
    nothing in its first trial, None where that did not end; hopeful: less than nothing and placebo both; seconds: what
    that trial took. gain, placebo: over nothing, and over the placebo. cause: what its success would show.
    """

    cure: Cure
    round: int
    rank: int = 0
    verdict: str = "not proved"
    screened: float | None = None
    hopeful: bool = False
    seconds: float = 0.0
    gain: Gain | None = None
    placebo: Gain | None = None
    cause: str = ""
    note: str = ""
    recipe: Recipe | None = None
    trials: list[Trial] = field(default_factory=list)

    @property
    def told(self) -> list[str]:
        """The change as settings, ``name=value`` each; what was derived has the value that it got."""
        found = self.cure.told()
        if self.recipe is None:
            return found
        return [_with_value(each, self.recipe) for each in found]


def _with_value(told: str, recipe: Recipe) -> str:
    name, anew, _ = told.partition(" from the data")
    value = recipe.net_settings.get(name, getattr(recipe, name, None)) if anew else None
    return told if not anew or value is None or isinstance(value, dict) else f"{name}={value} (from the data)"


@dataclass
class Treatment:
    """What was tried and what came of it. recipe: with every accepted cure. share: of the epochs that trials had.

    placebo: the gain of the placebo over nothing in the first round: what chance alone does. whole: that of all
    accepted cures together. left: symptoms that a training with all accepted cures still has.
    """

    recipe: Recipe
    tried: list[Tried] = field(default_factory=list)
    share: float = 1.0
    steps: int = 0
    trials: int = 0
    seconds: float = 0.0
    placebo: Gain | None = None
    whole: Gain | None = None
    out_of_time: bool = False
    left: list[Finding] = field(default_factory=list)

    @property
    def accepted(self) -> list[Tried]:
        """The cures that were accepted, in order."""
        return [each for each in self.tried if each.verdict == "accepted"]
