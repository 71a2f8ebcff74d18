"""Samples that a net makes, for ``workings generate``: images into a folder, rows of a table as CSV."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workings.base.files import finite
from workings.base.problems import Problem
from workings.cli import arguments as given
from workings.cli import console
from workings.cli.readers import reading
from workings.cli.use import format_problems, write_frame

if TYPE_CHECKING:
    from workings.api import Run
    from workings.base.events import Emit
    from workings.runs.drawing import Drawn

SAMPLES = 16


@dataclass(frozen=True)
class Asked:
    """What was typed; see ``cli.generate``."""

    run: str
    samples: int | None
    seed: int
    around: str | None
    spread: float
    between: tuple[str, str] | None
    steps: int
    out: str | None
    force: bool
    as_json: bool
    quiet: bool


def make(run: Run, asked: Asked) -> None:
    """Make the samples and write them."""
    problems = []
    if asked.between is not None and asked.samples is not None:
        what, do = "--samples is given with --between.", "Say how many with --steps."
        problems.append(Problem("error", "clashing-options", what, do=do))
    images = run.prep.kind == "images"
    if run.task.kind == "unsupervised":
        problems += place_problems(asked.out, images=images, force=asked.force)
    given.stop_if_any(problems)
    with reading(quiet=asked.quiet or asked.as_json) as readers:
        drawn = _drawn(run, asked, readers)
        written = None
        if images:
            from workings.runs.sample_files import write_drawn

            assert asked.out is not None
            written = write_drawn(drawn, Path(asked.out), readers)
    frame = None if images else drawn.rows()
    if frame is not None and asked.out is not None:
        write_frame(frame, Path(asked.out))
    if asked.as_json:
        how = {name: getattr(asked, name) for name in ("run", "seed", "around", "between", "out")}
        rows = None if frame is None else [finite(row) for row in frame.to_dicts()]
        told = [each.to_dict() for each in readers.problems]
        console.write_json({**how, "samples": len(drawn), "files": written, "rows": rows, "problems": told})
    elif frame is not None and asked.out is None:
        sys.stdout.write(frame.write_csv())
    elif not asked.quiet:
        where = f"{asked.out}; all of them in {Path(asked.out or '') / 'grid.png'}" if images else asked.out
        print(f"{len(drawn):,} samples in {where}", file=sys.stderr)


def _drawn(run: Run, asked: Asked, emit: Emit) -> Drawn:
    if asked.between is not None:
        return run.between(*asked.between, steps=asked.steps, emit=emit)
    samples = SAMPLES if asked.samples is None else asked.samples
    if asked.around is not None:
        return run.vary(asked.around, asked.spread, samples, asked.seed, emit)
    return run.draw(samples, asked.seed, emit)


def place_problems(out: str | None, *, images: bool, force: bool) -> list[Problem]:
    """What is wrong with the place that samples are to be written to."""
    if not images:
        return [] if out is None else [*given.free(out, force=force), *format_problems(out)]
    if out is None:
        do = "Say where: --out FOLDER, a new or empty one."
        return [Problem("error", "no-out", "The samples are images, which are written into a folder.", do=do)]
    problems = given.free_folder(out)
    if force:
        what = "--force is for a file of rows; a folder that holds something is not written over."
        problems.append(Problem("error", "option-of-another-task", what, do="Leave it out, and choose a new folder."))
    return problems
