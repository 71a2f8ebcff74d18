"""The progress bar of a terminal: two lines that are redrawn; what is to stay is printed above them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from workings.base.events import EpochEnded, Event, Phase, Stepped, Stopped
from workings.cli.course import Course
from workings.cli.telling import lines
from workings.cli.words import duration

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console, RenderableType


class Bar:
    """A reader of events. It draws when an event comes; no thread of its own, so it cannot disturb a run."""

    def __init__(self, screen: Console) -> None:
        self.screen = screen
        self.course = Course()
        self.live: Live | None = None

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._end()

    def __call__(self, event: Event) -> None:
        self.course(event)
        match event:
            case Stepped() | EpochEnded():
                self._draw()
            case Stopped():
                self._end()
                self._print(event)
            case Phase():
                self._end()
                self._print(event)
            case _:
                self._print(event)

    def _print(self, event: Event) -> None:
        for line in lines(event, self.screen.width):
            self.screen.print(line, soft_wrap=True)

    def _draw(self) -> None:
        if self.live is None:
            # A fixed rate would need a thread; the loop tells us of steps a few times a second as it is.
            self.live = Live(console=self.screen, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
            self.live.start()
        self.live.update(self.shown(), refresh=True)

    def _end(self) -> None:
        if self.live is not None:
            self.live.stop()
            self.live = None
            self.course.stepped = None

    def shown(self) -> RenderableType:
        """The two lines: how far and how fast; how well."""
        stepped, ended = self.course.stepped, self.course.ended
        rows: list[RenderableType] = []
        if stepped is not None or ended is not None:
            newest = stepped if stepped is not None and (ended is None or stepped.step >= ended.step) else ended
            assert newest is not None
            total = stepped.steps if stepped is not None else newest.step * newest.epochs / max(newest.epoch, 1)
            line = Table.grid(padding=(0, 1))
            for _ in range(4):
                line.add_column(no_wrap=True)
            line.columns[1].ratio = 1
            line.expand = True
            percent = f"{min(newest.step / total, 1):4.0%}" if total else ""
            tail = ""
            if stepped is not None:
                tail = f"{stepped.rows_per_second:,.0f} {stepped.counted}/s · {duration(stepped.seconds_left)} left"
            line.add_row(
                Text(f"  epoch {newest.epoch}/{newest.epochs}", "bold"),
                ProgressBar(total=total, completed=newest.step),
                Text(percent),
                Text(tail, "dim"),
            )
            rows.append(line)
        facts = self.course.facts()
        while len("  " + " · ".join(facts)) > self.screen.width:
            facts.pop()
        rows.append(Text("  " + " · ".join(facts)))
        return Group(*rows)
