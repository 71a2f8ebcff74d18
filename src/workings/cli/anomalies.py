"""``workings anomalies``: which samples are unusual, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from workings.base.problems import Problem
from workings.cli import arguments as given
from workings.cli.arguments import BAD_FILES
from workings.cli.use import Json, OnBadFile, Quiet, RunFolder, format_problems, give_out
from workings.cli.words import number

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
    """Tell which samples are unusual: the score of each, the threshold, and the columns that add most to the score.

    Of a series each step is told, by the windows that hold it.
    """
    problems = [*given.is_run(run), *given.existing(data), *given.one_of("on-bad-file", on_bad_file, BAD_FILES)]
    if not 0 < false_alarms < 1:
        what = f"The rate of false alarms is {false_alarms:g}; it must be between 0 and 1."
        problems.append(Problem("error", "bad-value", what, do="Give --false-alarms 0.05, for one in twenty."))
    if out is not None:
        problems += [*given.free(out, force=force), *format_problems(out)]
    given.stop_if_any(problems)

    from workings import api
    from workings.cli.readers import reading

    with reading(quiet=quiet or as_json) as readers:
        opened = api.open_run(run)
        frame = opened.anomalies(data, false_alarms, emit=readers, on_bad_file=cast("OnBad", on_bad_file))
    threshold, told = float(frame["threshold"][0]), int(frame["anomaly"].sum())
    numbers = {"false_alarms": false_alarms, "threshold": threshold, "samples": frame.height, "anomalies": told}
    facts = {"run": run, "data": data, "out": out, **numbers} if as_json else None
    steps, listed = opened.prep.kind == "series", frame.filter("anomaly")
    if steps:
        from workings.runs.series_steps import told_stretches

        listed = told_stretches(frame)
        if facts is not None:
            facts["stretches"] = listed.to_dicts()

    def show(screen: Console) -> None:
        name = "steps" if steps else "samples"
        limit = f"{number(threshold)}, which {100 * false_alarms:.3g} % of regular ones exceed"
        screen.print(f"{told:,} of {frame.height:,} {name} are told: their score is above {limit}.", soft_wrap=True)
        if told:
            screen.print()
            _show(listed, screen)

    said = f"{told:,} anomalies among {frame.height:,} {'steps' if steps else 'samples'}"
    give_out(frame, out, facts, readers.problems, said, show, quiet=quiet)


def _show(told: DataFrame, screen: Console) -> None:
    """What is told, the most unusual first, as far as it fits a screen; of a series stretches of steps side by side."""
    from rich.table import Table
    from rich.text import Text

    steps, told = "steps" in told.columns, told.sort("score", descending=True)
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    if steps:  # a time that is cut says nothing
        for name, align in (("from", "left"), ("to", "left"), ("steps", "right")):
            longest = max(len(str(each)) for each in [name, *told[name]])
            table.add_column(name, no_wrap=True, min_width=longest, justify=align)  # type: ignore[arg-type]
    else:
        table.add_column("sample", no_wrap=True, overflow="ellipsis")
    labelled, explained = "label" in told.columns, "column_1" in told.columns
    if labelled:
        longest = min(16, max(len(str(each)) for each in told["label"]))
        table.add_column("label", no_wrap=True, overflow="ellipsis", min_width=longest, max_width=16)
    table.add_column("highest" if steps else "score", justify="right", no_wrap=True, min_width=7)
    if explained:
        table.add_column("most of it from", no_wrap=True, overflow="ellipsis", ratio=1)
    for row in told.head(SHOWN).iter_rows(named=True):
        label = [Text(str(row["label"]))] if labelled else []
        because = [Text(_because(row))] if explained else []
        place = (str(row["from"]), str(row["to"]), f"{row['steps']:,}") if steps else (str(row["where"]),)
        table.add_row(*map(Text, place), *label, number(float(row["score"])), *because)
    screen.print(table)
    if told.height > SHOWN:
        rest = f"and {told.height - SHOWN:,} more{' stretches' if steps else ''}"
        screen.print(f"{rest}; --out FILE has all {'steps' if steps else 'samples'}", style="dim")


def _because(row: dict[str, Any]) -> str:
    """``age 12.3, income 4.1``."""
    pairs = [(row[f"column_{k}"], row[f"part_{k}"]) for k in range(1, 4) if f"column_{k}" in row]
    return ", ".join(f"{name} {number(float(part))}" for name, part in pairs)
