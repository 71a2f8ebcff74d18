"""``workings reconstruct``: samples beside what the net rebuilds of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from workings.base.files import finite
from workings.cli import arguments as given
from workings.cli.arguments import BAD_FILES
from workings.cli.options import ForceRows, Json, OnBadFile, Quiet, RunFolder, SamplesOut
from workings.cli.use import write_frame

if TYPE_CHECKING:
    from workings.data.opening import OnBad


def reconstruct(
    run: RunFolder,
    data: Annotated[str, typer.Argument(metavar="DATA", help="Samples in the form trained on; no labels needed.")],
    out: SamplesOut = None,
    force: ForceRows = False,
    on_bad_file: OnBadFile = "refuse",
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Rebuild samples by a net that can, and say how far each comes out from what was given.

    Images: a file as given and one as rebuilt of each, both side by side in grid.png, the errors in errors.csv.
    Rows of a table: the cells as rebuilt, with the error of each row. A series: the same of each step.
    """
    problems = [*given.is_run(run), *given.existing(data), *given.one_of("on-bad-file", on_bad_file, BAD_FILES)]
    given.stop_if_any(problems)

    from workings import api
    from workings.cli import console
    from workings.cli.draw import place_problems
    from workings.cli.readers import reading

    opened = api.open_run(run)
    images = opened.prep.kind == "images"
    if opened.task.kind == "unsupervised":
        given.stop_if_any(place_problems(out, images=images, force=force))
    with reading(quiet=quiet or as_json) as readers:
        found = opened.reconstruct(data, readers, cast("OnBad", on_bad_file))
        written = None
        if images:
            from workings.runs.sample_files import write_rebuilt

            assert out is not None
            written = write_rebuilt(found, Path(out), readers)
    if out is not None and not images:
        write_frame(found.table, Path(out))
    if as_json:
        rows = [finite(row) for row in found.table.to_dicts()]
        told = [each.to_dict() for each in readers.problems]
        content = {"run": run, "data": data, "out": out, "samples": len(found), "rows": rows, "files": written}
        console.write_json({**content, "problems": told})
    elif out is None:
        sys.stdout.write(found.table.write_csv())
    elif not quiet:
        error = float(found.table["error"].mean())  # type: ignore[arg-type]
        pairs = f"; side by side in {Path(out) / 'grid.png'}" if images else ""
        print(f"{len(found):,} samples rebuilt in {out}{pairs}. Mean error {error:.4g}.", file=sys.stderr)
