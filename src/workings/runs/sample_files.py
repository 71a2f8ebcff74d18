"""Images that a net made, as a folder of PNG files: whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from workings.base.events import Emit, Noticed, silent
from workings.base.problems import Problem
from workings.data.images.picture import write_grid, write_image
from workings.runs.drawing import Drawn, pixels_of
from workings.runs.rebuilding import Rebuilt

GRID = "grid.png"
MOST = 200  # images in the grid


def write_drawn(drawn: Drawn, folder: Path, emit: Emit = silent) -> list[str]:
    """A PNG for each image, and ``grid.png`` with all of them (and before them what they went out from).

    Returns the names of the files.
    """
    made, given, rebuilt = (pixels_of(drawn.run, x) for x in (drawn.x, drawn.given, drawn.rebuilt))
    names = [f"{i + 1:0{_digits(len(made))}}.png" for i in range(len(made))]
    starts = [f"given{'-' + 'ab'[i] if len(given) > 1 else ''}.png" for i in range(len(given))]

    def fill(into: Path) -> None:
        for name, image in zip([*names, *starts], [*made, *given], strict=True):
            write_image(image, into / name)
        if len(given) == 2:  # the way from one to the other, between the two
            write_grid([np.concatenate([given[:1], made[:MOST], given[1:]])], into / GRID)
            return
        rows = _rows(made[:MOST])
        first = [np.concatenate([given, rebuilt])] if len(given) else []
        write_grid([*first, *rows], into / GRID, lead=bool(first))

    _whole(folder, fill)
    _told_of_cut(len(made), emit)
    return [*names, *starts, GRID]


def write_rebuilt(found: Rebuilt, folder: Path, emit: Emit = silent) -> list[str]:
    """Of each image a PNG as given and one as rebuilt, ``grid.png`` with the pairs, ``errors.csv``."""
    given, rebuilt = found.pixels()
    stems = [f"{i + 1:0{_digits(len(given))}}" for i in range(len(given))]
    files = {"given": [f"{stem}-given.png" for stem in stems], "rebuilt": [f"{stem}-rebuilt.png" for stem in stems]}
    table = found.table.with_columns(**{name: np.array(each) for name, each in files.items()})

    def fill(into: Path) -> None:
        for name, images in (("given", given), ("rebuilt", rebuilt)):
            for file, image in zip(files[name], images, strict=True):
                write_image(image, into / file)
        table.write_csv(into / "errors.csv")
        pairs = zip(_rows(given[:MOST]), _rows(rebuilt[:MOST]), strict=True)
        write_grid([row for pair in pairs for row in pair], into / GRID, lead=False)

    _whole(folder, fill)
    _told_of_cut(len(given), emit)
    return [*files["given"], *files["rebuilt"], "errors.csv", GRID]


def _digits(n: int) -> int:
    return max(4, len(str(n)))


def _rows(images: np.ndarray) -> list[np.ndarray]:
    """The images in rows that are about as many as they are long, twenty at most."""
    width = min(20, max(1, int(np.ceil(len(images) ** 0.5))))
    return [images[start : start + width] for start in range(0, len(images), width)]


def _told_of_cut(n: int, emit: Emit) -> None:
    if n > MOST:
        what = f"{GRID} shows the first {MOST:,} of {n:,} images."
        emit(Noticed(Problem("note", "grid-cut", what, count=n - MOST, why="The others are files of their own.")))


def _whole(folder: Path, fill: Callable[[Path], None]) -> None:
    """Let ``fill`` write into a folder beside ``folder``, which is absent or empty, then put it in its place."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        fill(temporary)
        temporary.chmod(0o755)
        os.replace(temporary, folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
