"""The entry point: run a command, turn what went wrong into one message and an exit code."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

import typer

from workings.base.errors import UserError
from workings.base.problems import Problem
from workings.cli import errors
from workings.cli.app import app

__all__ = ["app", "main", "run"]

# Typer's own base of wrong usage; public only through its subclass.
UsageError: type[Exception] = typer.BadParameter.__bases__[0]

REFUSALS = frozenset({errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EROFS, errno.EDQUOT})


def main() -> NoReturn:
    """The command ``workings``."""
    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    errors.report_bugs(debug=debug, as_json="--json" in arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a terminal of few letters
    try:
        code = run([each for each in arguments if each != "--debug"])
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read us has enough, as `| head` does. Nothing more may be written, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command in this process and return its exit code."""
    as_json = "--json" in arguments
    command = typer.main.get_command(app)
    try:
        code = command.main(args=list(arguments) or ["--help"], prog_name="workings", standalone_mode=False)
    except UserError as error:
        errors.say(error.problems, as_json=as_json)
        return errors.WRONG_INPUT
    except UsageError as error:
        errors.say([_usage(error, arguments)], as_json=as_json)
        return errors.WRONG_INPUT
    except typer.Abort:
        return errors.INTERRUPTED
    except MemoryError:
        errors.say([OUT_OF_MEMORY], as_json=as_json)
        return errors.WRONG_INPUT
    except OSError as error:
        if error.errno not in REFUSALS:
            raise
        errors.say([errors.refused(error)], as_json=as_json)
        return errors.WRONG_INPUT
    return code if isinstance(code, int) else 0


OUT_OF_MEMORY = Problem(
    "error",
    "out-of-memory",
    "There is not enough memory.",
    do="Give a smaller batch (--set batch_size=32) or a smaller net (--set size=small), or bring the data as Parquet.",
)


def _usage(error: Exception, arguments: Sequence[str]) -> Problem:
    verbs = [command.name for command in app.registered_commands]
    verb = next((each for each in arguments if each in verbs), None)
    help_ = f"workings {verb} --help" if verb else "workings --help"
    what = " ".join(str(getattr(error, "format_message", error.__str__)()).split())
    return Problem("error", "usage", what, do=f"See: {help_}")


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """A polite kill is like Ctrl-C: the run is left resumable."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
