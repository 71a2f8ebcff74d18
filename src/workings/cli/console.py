"""Where the command line writes: results on standard output, everything else on standard error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def results() -> Console:
    """Standard output."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=not sys.stdout.isatty())


def progress() -> Console:
    """Standard error. Colours where it is a terminal and NO_COLOR is not set."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def write_json(value: object) -> None:
    """The one JSON object of ``--json``, on standard output."""
    import json

    print(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))
