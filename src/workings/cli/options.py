"""Arguments and options that several commands take: said once, so that they mean the same everywhere."""

from __future__ import annotations

from typing import Annotated

import typer

from workings.cli.arguments import TASKS

RunFolder = Annotated[str, typer.Argument(metavar="RUN", help="The folder that `workings train` made.")]
Target = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="The column to predict; folders need none. Of a text file: the file of its translations.",
    ),
]
Task = Annotated[
    str | None,
    typer.Option(
        metavar="KIND",
        help=f"{', '.join(task for task in TASKS[:-1] if task != 'classification')} or {TASKS[-1]}. "
        "Default: from the data.",
    ),
]
OnBadFile = Annotated[
    str,
    typer.Option(
        metavar="refuse|skip", help="What to do about unreadable images and recordings: refuse, or skip and list them."
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Write over the file if it is there.")]
SamplesOut = Annotated[
    str | None,
    typer.Option(
        metavar="PATH",
        help="Images: the new folder to write. Rows: a new .csv, .parquet or .json file; else they are printed.",
    ),
]
ForceRows = Annotated[bool, typer.Option("--force", help="Rows: write over the file if it is there.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else.")]
