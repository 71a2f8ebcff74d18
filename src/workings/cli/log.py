"""Plain log lines, for where no terminal is: a line an epoch, at most one a second, each within 80 columns."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from workings.base.events import EpochEnded, Event, Stepped, Stopped
from workings.cli.course import Course
from workings.cli.telling import lines
from workings.cli.words import duration, number

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console

EVERY = 1.0  # seconds between lines on progress; steps are told less often, epochs say more
STEPS_EVERY = 10.0


class Log:
    """Writes lines and nothing else: no colours, no carriage returns."""

    def __init__(self, screen: Console) -> None:
        self.screen = screen
        self.course = Course()
        self.said = float("-inf")
        self.owed = False

    def __enter__(self) -> Log:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self.owed and kind is not None:
            self._epoch()

    def __call__(self, event: Event) -> None:
        self.course(event)
        now = time.monotonic()
        match event:
            case EpochEnded():
                self.owed = True
                if now - self.said >= EVERY or event.epoch == 1:
                    self._epoch()
            case Stepped():
                if now - self.said >= STEPS_EVERY:
                    rate = f"{event.rows_per_second:,.0f} {event.counted}/s"
                    left = f"{duration(event.seconds_left)} left"
                    self._say([f"  step {event.step:,}/{event.steps:,} · loss {number(event.loss)} · {rate} · {left}"])
            case Stopped():
                if self.owed:  # the last epoch is always told
                    self._epoch()
                self._lasting(event)
            case _:
                self._lasting(event)

    def _lasting(self, event: Event) -> None:
        self._say([line.plain for line in lines(event, self.screen.width)])

    def _epoch(self) -> None:
        ended, stepped = self.course.ended, self.course.stepped
        assert ended is not None
        facts = [f"epoch {ended.epoch}/{ended.epochs}" if ended.epoch else f"before epoch 1, step {ended.step:,}"]
        if stepped is not None and ended.epoch < ended.epochs:
            facts.append(f"{duration(stepped.seconds_left)} left")
        facts += self.course.facts()
        self.said, self.owed = time.monotonic(), False
        # What does not fit in the line is least important, and last.
        while len("  " + " · ".join(facts)) > self.screen.width:
            facts.pop()
        self._say(["  " + " · ".join(facts)])

    def _say(self, texts: list[str]) -> None:
        if texts:
            self.said = time.monotonic() if texts[0].startswith("  step") else self.said
            self.screen.file.write("\n".join(texts) + "\n")
            self.screen.file.flush()
