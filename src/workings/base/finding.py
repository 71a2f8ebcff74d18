"""A finding: one symptom of training gone wrong, with the evidence for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What is seen, and by what.

    code: a stable short name, e.g. ``dead-relu``; tests, cures and programs rely on it.
    what: the fact, in one sentence. where: a layer, a parameter, or "" for the run as a whole.
    step: at which it was first clear. statistic: what ``value`` is, in words; ``low`` and ``high`` its interval, equal
    to it where it is exact. threshold: beyond it lies the finding; ``healthy`` says what healthy runs have, and where
    that is known from. why: why it matters. do: what to change, in words; code where a loop has to change.
    course: (step, value) of the statistic, for the picture.
    """

    code: str
    what: str
    where: str
    step: int
    statistic: str
    value: float
    low: float
    high: float
    threshold: float
    healthy: str
    why: str = ""
    do: str = ""
    course: Sequence[tuple[int, float]] = ()

    def to_dict(self) -> dict[str, object]:
        """As JSON-ready values."""
        return asdict(self)

    def text(self) -> str:
        """The whole finding, one line a part."""
        evidence = f"{self.statistic}: {self.value:.3g}"
        if self.low != self.high:
            evidence += f" ({self.low:.3g} to {self.high:.3g})"
        lines = [self.what, f"  evidence: {evidence}; told from {self.threshold:.3g} on. {self.healthy}"]
        lines += [f"  why it matters: {self.why}"] * bool(self.why) + [f"  what to do: {self.do}"] * bool(self.do)
        return "\n".join(lines)
