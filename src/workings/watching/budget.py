"""How much of a run's time watching may take, kept by measuring it.

A look is allowed when the time spent on watching, this look's expected cost included, stays within the share of the
time that has passed. The first looks (``free`` of them) are always taken: the state before the first update cannot be
seen later. Their cost counts, and is waited off before the next look.

A run shorter than ``AHEAD`` seconds counts as one of ``AHEAD`` seconds, or nothing would be seen of it; what is worked
out ``once`` before it begins is left out of that, or a short run on much data would get a single look. The looks that
are so paid for in advance lie evenly on the logarithm of its steps, so that the last of them are late. Looks also
become rarer as a run grows old (``SPARSE`` of them while its age grows e-fold), so that a run of any length keeps a
bounded record.

What happens between looks is the same few calls in every step that is seen; where steps are short these alone cost a
share. From a ``BETWEEN`` part of it on, fewer steps are to be seen (``pay_between``), so that most is left for looks.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

SPARSE = 400
AHEAD = 4.0
MISSED = 1.75  # 1.1 to 1.5 was seen: a step with a look takes more than is measured of it, and so do those after it
BETWEEN = 0.3


@dataclass
class Budget:
    """share: of the run's time. free: looks taken whatever they cost.

    spent: seconds so far, of looks, of what happens between them (``between``) and of what was worked out ``once``
    before the run began. expected: of the next look.
    began, next: the clock's time when the run began, and before which no look is taken.
    """

    share: float = 0.03
    free: int = 1
    spent: float = 0.0
    between: float = 0.0
    once: float = 0.0
    looks: int = 0
    expected: float = 0.0
    began: float = field(default_factory=time.perf_counter)
    next: float = 0.0
    _next_step: int = 0
    _look: float = 0.0
    _paid_at: float = 0.0

    def allows(self, now: float, step: int = 0) -> bool:
        """Whether a look may be taken now (``time.perf_counter()``), after so many steps."""
        if self.looks < self.free:
            return True
        if now < self.next:
            return False
        passed, wanted = now - self.began, MISSED * (self.spent + self.expected)
        return wanted <= self.share * passed or (
            step >= self._next_step and wanted - MISSED * self.once <= self.share * AHEAD
        )

    def pay(self, seconds: float) -> None:
        """A part of the look that is being taken took so long."""
        self.spent += seconds
        self._look += seconds

    def pay_between(self, seconds: float, now: float) -> bool:
        """What happened between looks since this was called last took so long; whether that is more than its part of
        the share, on the whole and of late."""
        self.spent += seconds
        self.between += seconds
        late, self._paid_at = now - max(self._paid_at, self.began), now
        part = BETWEEN * self.share / MISSED
        return self.between > part * max(now - self.began, AHEAD) and seconds > part * late

    def bears_between(self, seconds: float) -> bool:
        """Whether something besides looks that takes so long lies within its part of the share."""
        return MISSED * (self.between + seconds) <= BETWEEN * self.share * max(self.passed, AHEAD)

    def looked(self, step: int = 0, now: float | None = None) -> None:
        """The look is done. The next is expected to cost as much, or a quarter of the way back to it if it was
        cheaper; but the first also pays for what is set up once, so it says little of the next."""
        seconds, self._look = self._look, 0.0
        self.looks += 1
        self.expected = seconds if self.looks <= 2 else max(seconds, 0.75 * self.expected + 0.25 * seconds)
        now = time.perf_counter() if now is None else now
        self.next = now + (now - self.began) / SPARSE if self.share < 1 else 0.0
        self._next_step = max(step + 1 + step // 10, self._evenly(step + 1, now))

    def _evenly(self, steps: int, now: float) -> int:
        """The step of the next look in advance: n more of them up to step N, which ``AHEAD`` seconds will reach."""
        n = math.floor((self.share * AHEAD / MISSED - (self.spent - self.once)) / max(self.expected, 1e-9))
        N = AHEAD * steps / max(now - self.began, 1e-9)
        return math.ceil(steps * (N / steps) ** (1 / (n + 0.5))) if n > 0 and steps < N else 0

    @property
    def passed(self) -> float:
        """Seconds since the run began."""
        return time.perf_counter() - self.began

    @property
    def part(self) -> float:
        """The share of time that watching has taken so far."""
        passed = self.passed
        return MISSED * self.spent / passed if passed > 0 else 0.0

    def to_dict(self) -> dict[str, float | int]:
        """What it cost, for the record of a run."""
        return {"share": self.share, "seconds": MISSED * self.spent, "of": self.passed, "looks": self.looks}
