"""``workings forecast``: the next values of the series that a run was trained on, with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from workings.base.problems import Problem
from workings.cli import arguments as given
from workings.cli.options import Force, Json, Quiet, RunFolder
from workings.cli.use import format_problems, give_out

if TYPE_CHECKING:
    from polars import DataFrame
    from rich.console import Console

SHOWN = 24  # lines of a table on the screen; the rest is in the file


def forecast(
    run: RunFolder,
    horizon: Annotated[
        int | None,
        typer.Option(metavar="N", help="How many steps. Default: as many as in training; more are rolled on."),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(metavar="DATA", help="The series up to now. Default: the data of the training, to its end."),
    ] = None,
    out: Annotated[
        str | None, typer.Option(metavar="FILE", help="A new .csv, .parquet or .json file. Default: a table here.")
    ] = None,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Forecast what comes after the end of a series: values and 95 % intervals, step by step."""
    problems = [*given.is_run(run)]
    if data is not None:
        problems += given.existing(data)
    if horizon is not None and horizon < 1:
        what = f"The horizon is {horizon}; it must be 1 or more."
        problems.append(Problem("error", "bad-value", what, do="Give --horizon 12, for example."))
    if out is not None:
        problems += [*given.free(out, force=force), *format_problems(out)]
    given.stop_if_any(problems)

    from workings import api
    from workings.cli.readers import reading

    with reading(quiet=quiet or as_json) as readers:
        frame = api.open_run(run).forecast(horizon, data, emit=readers)
    facts = {"run": run, "data": data, "out": out} if as_json else None
    said = f"{frame.height:,} forecasts"
    give_out(frame, out, facts, readers.problems, said, lambda screen: _show(frame, screen), quiet=quiet)


def _show(frame: DataFrame, screen: Console) -> None:
    """The forecast as a table of what fits a screen."""
    from rich.table import Table

    from workings.cli.words import number

    several = frame["variable"].n_unique() > 1
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("time", no_wrap=True)
    if several:
        table.add_column("variable", no_wrap=True, overflow="ellipsis")
    for name in ("forecast", "95 % from", "to"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in frame.head(SHOWN).iter_rows(named=True):
        cells = [str(row["where"]), *([str(row["variable"])] if several else [])]
        table.add_row(*cells, *(number(float(row[name])) for name in ("prediction", "low_95", "high_95")))
    screen.print(table)
    if frame.height > SHOWN:
        screen.print(f"and {frame.height - SHOWN:,} more lines; --out FILE has them all", style="dim")
