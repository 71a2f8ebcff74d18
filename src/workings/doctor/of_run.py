"""What was seen of a finished run, as its folder holds it."""

from __future__ import annotations

from pathlib import Path

from workings.base.errors import refuse
from workings.runs.folder import read_versioned
from workings.watching.history import History


def history_of(path: Path) -> History:
    """The history of a run folder.

    Raises:
        UserError: it is no run, or was not watched.
    """
    read_versioned(path / "metrics.json")
    if not (path / "watch.json").is_file():
        raise refuse(
            "not-watched",
            f"'{path}' was not watched while it trained: it has no watch.json.",
            why="What happened in its layers is not known any more.",
            do="Train it again without --set watch=0; runs of earlier versions were not watched.",
        )
    return History.from_dict(read_versioned(path / "watch.json"))
