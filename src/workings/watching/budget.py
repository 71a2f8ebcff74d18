"""How much of a run's time watching may take, kept by measuring it.

A look is allowed when the time spent on watching, this look's expected cost included, stays within the share of the
time that has passed. The first looks (``free`` of them) are always taken: the state before the first update cannot be
seen later. Their cost counts, and is waited off before the next look.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass
class Budget:
    """share: of the run's time. free: looks taken whatever they cost."""

    share: float = 0.03
    free: int = 1
    spent: float = 0.0
    looks: int = 0
    expected: float = 0.0
    began: float = field(default_factory=time.perf_counter)

    def allows(self, now: float) -> bool:
        """Whether a look may be taken now (``time.perf_counter()``)."""
        if self.looks < self.free:
            return True
        return self.spent + self.expected <= self.share * (now - self.began)

    def pay(self, seconds: float) -> None:
        """A look took so long. The next is expected to take as long, or a quarter of the way back to it."""
        self.spent += seconds
        self.looks += 1
        # The first look also pays for what is set up once, so it says little of the next.
        self.expected = seconds if self.looks <= 2 else max(seconds, 0.75 * self.expected + 0.25 * seconds)

    @property
    def part(self) -> float:
        """The share of time that watching has taken so far."""
        passed = time.perf_counter() - self.began
        return self.spent / passed if passed > 0 else 0.0
