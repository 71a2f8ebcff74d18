"""The readers of the one stream of events: a bar on a terminal, log lines elsewhere, JSON lines in a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from workings.base.events import Emit, Event, Noticed
from workings.base.files import finite
from workings.base.problems import Problem
from workings.cli import console

if TYPE_CHECKING:
    from workings.cli.bar import Bar
    from workings.cli.log import Log


class Readers:
    """Hands each event to every reader, and keeps the problems for ``--json`` and for the end."""

    def __init__(self) -> None:
        self.readers: list[Emit] = []
        self.problems: list[Problem] = []

    def __call__(self, event: Event) -> None:
        if isinstance(event, Noticed):
            self.problems.append(event.problem)
        for reader in self.readers:
            reader(event)


@contextmanager
def reading(*, quiet: bool = False, events: str | None = None) -> Iterator[Readers]:
    """The readers that a command wants, ended properly whatever happens.

    quiet: nothing is shown. events: a new file that gets one JSON object a line.
    """
    with ExitStack() as stack:
        readers = Readers()
        if events is not None:
            path = Path(events)
            path.parent.mkdir(parents=True, exist_ok=True)
            readers.readers.append(JsonLines(stack.enter_context(path.open("x", encoding="utf-8"))))
        if not quiet:
            readers.readers.append(stack.enter_context(_shown()))
        yield readers


def _shown() -> Bar | Log:
    screen = console.progress()
    if screen.is_terminal and not screen.is_dumb_terminal:
        from workings.cli.bar import Bar

        return Bar(screen)
    from workings.cli.log import Log

    return Log(screen)


class JsonLines:
    """One JSON object a line, written through at once so that another program can follow."""

    def __init__(self, file: TextIO) -> None:
        self.file = file

    def __call__(self, event: Event) -> None:
        text = json.dumps(finite(event.to_dict()), ensure_ascii=False, allow_nan=False, default=str)
        self.file.write(text + "\n")
        self.file.flush()
