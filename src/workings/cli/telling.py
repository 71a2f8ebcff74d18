"""The lasting lines of a run: phases, decisions, problems. The bar and the plain log show the same ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workings.base.events import Checkpointed, Decided, Event, Found, Noticed, Phase, Stopped
from workings.base.finding import Finding
from workings.base.problems import Problem
from workings.cli.words import folded, value

if TYPE_CHECKING:
    from rich.text import Text

NAME, VALUE = 15, 12  # columns of a decision: most names and values fit


def lines(event: Event, width: int) -> list[Text]:
    """What stays on the screen of an event; nothing for those that only move the progress."""
    match event:
        case Phase():
            return _phase(event, width)
        case Decided():
            return _decided(event, width)
        case Noticed():
            return noticed(event.problem, width)
        case Found():
            return found(event.finding, width)
        case Stopped():
            return _styled(folded(f"Stopped at step {event.step:,}: {event.reason}.", width, "  ", "  "), "")
        case Checkpointed():
            return []
        case _:
            return []


def noticed(problem: Problem, width: int) -> list[Text]:
    """A problem: the fact first, then what belongs to it, indented."""
    from rich.text import Text

    mark, style = {"error": ("✗", "bold red"), "warning": ("!", "yellow"), "note": ("·", "cyan")}[problem.level]
    head, *rest = problem.text().splitlines()
    shown = folded(head, width, f"  {mark} ", "    ")
    first = Text(shown[0])
    first.stylize(style, 2, 3)
    found = [first, *map(Text, shown[1:])]
    for line in rest:
        found += _styled(folded(line.strip(), width, "    ", "      "), "dim")
    return found


def found(finding: Finding, width: int) -> list[Text]:
    """A finding, quietly: the fact, and where to read more."""
    return noticed(Problem("warning", finding.code, f"{finding.what} See: workings doctor RUN"), width)


def _phase(event: Phase, width: int) -> list[Text]:
    from rich.text import Text

    name = event.name[:1].upper() + event.name[1:]
    shown = folded(f"{name}  {event.text}".rstrip(), width, "", " " * (len(name) + 2))
    first = Text(shown[0])
    first.stylize("bold", 0, len(name))
    return [first, *map(Text, shown[1:])]


def _decided(event: Decided, width: int) -> list[Text]:
    """``name = value — reason``; the reason goes on beneath itself where there is room."""
    from rich.text import Text

    head = f"  {event.name:<{NAME}} = {value(event.value):<{VALUE}} "
    if not event.reason:
        shown = folded(head.rstrip(), width, "", " " * (NAME + 5))
    elif len(head) > width - 34:
        # A long value stands alone, and the reason starts on the next line.
        shown = folded(head.rstrip(), width, "", " " * (NAME + 5))
        shown += folded(f"— {event.reason}", width, " " * (NAME + 5), " " * (NAME + 7))
    else:
        shown = folded(f"— {event.reason}", width, head, " " * (len(head) + 2))
    first = Text(shown[0])
    first.stylize("bold", 2, 2 + len(event.name))
    if len(shown[0]) > len(head):
        first.stylize("dim", len(head))
    return [first, *_styled(shown[1:], "dim")]


def _styled(texts: list[str], style: str) -> list[Text]:
    from rich.text import Text

    return [Text(text, style) for text in texts]
