"""``workings translate``: a text for a text, by a run that learnt it from pairs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from workings.base.problems import Problem
from workings.cli import arguments as given
from workings.cli.options import Force, Json, Quiet, RunFolder
from workings.cli.use import FORMATS, write_frame


def translate(
    run: RunFolder,
    texts: Annotated[
        list[str] | None, typer.Argument(metavar="TEXT", help="Texts to translate, each in quotes.")
    ] = None,
    file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Translate each line of a text file, or each row of a table.")
    ] = None,
    beams: Annotated[
        int, typer.Option(metavar="N", help="Beginnings followed by the beam search; 1 takes the likeliest token.")
    ] = 4,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="A new file: .csv, .parquet or .json with the sources, any other with a line a text."
        ),
    ] = None,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write what the net makes of each text: one line a text."""
    problems = [*given.is_run(run)]
    if bool(texts) == (file is not None):
        what = "There is nothing to translate." if not texts else "Texts and --file are given both."
        do = 'Give texts, workings translate RUN "A text", or a file of them, --file FILE.'
        problems.append(Problem("error", "what-to-translate", what, do=do))
    if file is not None:
        problems += given.existing(file, "file")
    if beams < 1:
        problems.append(Problem("error", "bad-value", f"beams is {beams}; it must be 1 or more.", do="Give --beams 4."))
    if out is not None:
        problems += given.free(out, force=force)
    given.stop_if_any(problems)

    from workings import api
    from workings.cli import console
    from workings.cli.readers import reading

    with reading(quiet=quiet or as_json or file is None) as readers:
        frame = api.open_run(run).translate(file if file is not None else list(texts or []), beams, readers)
    if out is not None and Path(out).suffix.lower() in FORMATS:
        write_frame(frame, Path(out))
    elif out is not None:
        from workings.base.files import write_text

        write_text(Path(out), _lines(frame["prediction"].to_list()))
    if as_json:
        told = [each.to_dict() for each in readers.problems]
        rows = frame.select("where", "source", "prediction").to_dicts()
        console.write_json({"run": run, "out": out, "rows": rows, "problems": told})
    elif out is None:
        sys.stdout.write(_lines(frame["prediction"].to_list()))
    elif not quiet:
        print(f"{frame.height:,} texts in {out}", file=sys.stderr)


def _lines(texts: list[str]) -> str:
    """A line a text, whatever is in it."""
    return "".join(" ".join(text.split("\n")) + "\n" for text in texts)
