"""How a command that fails says so: one message, the right exit code, never a traceback in the user's face.

2: the input is wrong (every problem found is said). 1: a bug in Workings. 130: interrupted.
"""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from workings.base.problems import Problem
from workings.cli.words import folded

WRONG_INPUT = 2
INTERRUPTED = 130

_RED, _YELLOW, _BOLD, _DIM, _PLAIN = "\033[1;31m", "\033[33m", "\033[1m", "\033[2m", "\033[0m"


def coloured() -> bool:
    """Whether standard error shows colours: a terminal, and the user has not asked for none."""
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def say(problems: Sequence[Problem], *, as_json: bool = False) -> None:
    """Print problems on standard error; with ``as_json`` also as one object on standard output."""
    red, yellow, bold, dim, plain = (_RED, _YELLOW, _BOLD, _DIM, _PLAIN) if coloured() else ("",) * 5
    errors = [each for each in problems if each.level == "error"]
    if len(errors) > 1:
        print(f"{red}{len(errors)} things are wrong.{plain}", file=sys.stderr)
    for each in problems:
        mark, colour = f"{each.level.capitalize()}:", red if each.level == "error" else yellow
        head, *rest = each.text().splitlines()
        first, *more = _lines(f"{mark} {head}", "  ")
        print(
            f"{colour}{mark}{plain}{bold}{first.removeprefix(mark)}", *more, sep="\n", end=f"{plain}\n", file=sys.stderr
        )
        for line in rest:
            style = dim if line.startswith("  why") else ""
            print(style + "\n".join(_lines(line.strip(), "    ", "  ")) + (plain if style else ""), file=sys.stderr)
    if as_json:
        from workings.cli.console import write_json

        write_json({"error": [each.to_dict() for each in problems]})


def _lines(text: str, rest: str, first: str = "") -> list[str]:
    """As wide as the terminal; in one line where there is none, so that a message can be searched for."""
    if not sys.stderr.isatty():
        return [first + text]
    return folded(text, os.get_terminal_size(sys.stderr.fileno()).columns - 1, first, rest)


def refused(error: OSError) -> Problem:
    """The operating system's refusal as a problem: no permission, no space, a read-only disk."""
    place = f" '{error.filename}'" if error.filename else ""
    return Problem(
        "error",
        "system",
        f"The system refused{place}: {error.strerror or error}.",
        do="Check the permissions and the space on the disk, or choose another place.",
    )


def report_bugs(*, debug: bool, as_json: bool) -> None:
    """From now on, an exception that nobody expected becomes one line and a file to send us."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        told = "".join(traceback.format_exception(kind, error, trace))
        path = _write(told)
        what = f"{kind.__name__}: {' '.join(str(error).split())[:300]}"
        problem = Problem(
            "error",
            "bug",
            f"This is a bug in Workings: {what}",
            where=f"the details are in {path}",
            do="Please report it with that file. --debug shows the details here.",
        )
        say([problem], as_json=as_json)
        if debug:
            print(told, file=sys.stderr)

    sys.excepthook = hook


def _write(told: str) -> Path:
    import platform

    import workings

    head = f"workings {workings.__version__}, Python {platform.python_version()}, {platform.platform()}\n"
    head += f"{' '.join(sys.argv)}\n\n"
    with tempfile.NamedTemporaryFile("w", prefix="workings-", suffix=".txt", delete=False, encoding="utf-8") as handle:
        handle.write(head + told)
    return Path(handle.name)
