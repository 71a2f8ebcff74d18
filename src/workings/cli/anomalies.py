"""``workings anomalies``: which samples are unusual, and why."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from workings.base.files import finite
from workings.base.problems import Problem
from workings.cli import arguments as given
from workings.cli.arguments import BAD_FILES
from workings.cli.use import Json, OnBadFile, Quiet, RunFolder, format_problems, write_frame

if TYPE_CHECKING:
    from polars import DataFrame
    from rich.console import Console

    from workings.data.opening import OnBad

SHOWN = 20  # lines of a table on the screen; the rest is in the file


def anomalies(
    run: RunFolder,
    data: Annotated[str, typer.Argument(metavar="DATA", help="Samples in the form trained on; no labels needed.")],
    false_alarms: Annotated[
        float, typer.Option(metavar="RATE", help="The share of regular samples that may be told as anomalies.")
    ] = 0.05,
    out: Annotated[
        str | None, typer.Option(metavar="FILE", help="A new .csv, .parquet or .json file. Default: a table here.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over the file if it is there.")] = False,
    on_bad_file: OnBadFile = "refuse",
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Tell which samples are unusual: the score of each, the threshold, and the columns that add most to the score."""
    problems = [*given.is_run(run), *given.existing(data), *given.one_of("on-bad-file", on_bad_file, BAD_FILES)]
    if not 0 < false_alarms < 1:
        what = f"The rate of false alarms is {false_alarms:g}; it must be between 0 and 1."
        problems.append(Problem("error", "bad-value", what, do="Give --false-alarms 0.05, for one in twenty."))
    if out is not None:
        problems += [*given.free(out, force=force), *format_problems(out)]
    given.stop_if_any(problems)

    from workings import api
    from workings.cli import console
    from workings.cli.readers import reading

    with reading(quiet=quiet or as_json) as readers:
        frame = api.open_run(run).anomalies(data, false_alarms, emit=readers, on_bad_file=cast("OnBad", on_bad_file))
    if out is not None:
        write_frame(frame, Path(out))
    threshold, told = float(frame["threshold"][0]), int(frame["anomaly"].sum())
    if as_json:
        found = {"run": run, "data": data, "out": out, "false_alarms": false_alarms, "threshold": threshold}
        problems = [each.to_dict() for each in readers.problems]
        rows = [finite(row) for row in frame.to_dicts()]
        console.write_json({**found, "samples": frame.height, "anomalies": told, "rows": rows, "problems": problems})
    elif out is not None:
        if not quiet:
            print(f"{told:,} anomalies among {frame.height:,} samples in {out}", file=sys.stderr)
    elif sys.stdout.isatty():
        _show(frame, false_alarms, console.results())
    else:
        sys.stdout.write(frame.write_csv())


def _show(frame: DataFrame, false_alarms: float, screen: Console) -> None:
    """What is told, the most unusual first, as far as it fits a screen."""
    from rich.table import Table
    from rich.text import Text

    from workings.cli.words import number

    told = frame.filter("anomaly").sort("score", descending=True)
    limit = f"{number(float(frame['threshold'][0]))}, which {100 * false_alarms:.3g} % of regular ones exceed"
    screen.print(f"{told.height:,} of {frame.height:,} samples are told: their score is above {limit}.", soft_wrap=True)
    if not told.height:
        return
    screen.print()
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("sample", no_wrap=True, overflow="ellipsis")
    labelled, explained = "label" in frame.columns, "column_1" in frame.columns
    if labelled:
        table.add_column("label", no_wrap=True, overflow="ellipsis", max_width=16)
    table.add_column("score", justify="right", no_wrap=True)
    if explained:
        table.add_column("most of it from", no_wrap=True, overflow="ellipsis", ratio=1)
    for row in told.head(SHOWN).iter_rows(named=True):
        label = [Text(str(row["label"]))] if labelled else []
        because = [Text(_because(row))] if explained else []
        table.add_row(Text(str(row["where"])), *label, number(float(row["score"])), *because)
    screen.print(table)
    if told.height > SHOWN:
        screen.print(f"and {told.height - SHOWN:,} more; --out FILE has all samples", style="dim")


def _because(row: dict[str, Any]) -> str:
    """``age 12.3, income 4.1``."""
    from workings.cli.words import number

    pairs = [(row[f"column_{k}"], row[f"part_{k}"]) for k in range(1, 4) if f"column_{k}" in row]
    return ", ".join(f"{name} {number(float(part))}" for name, part in pairs)
