"""``workings evaluate``, ``predict`` and ``report``: what is done with a run once it is trained."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from workings.base.problems import Problem, nearest
from workings.cli import arguments as given
from workings.cli.arguments import BAD_FILES
from workings.cli.options import Force, Json, OnBadFile, Quiet, RunFolder

if TYPE_CHECKING:
    from polars import DataFrame
    from rich.console import Console

    from workings.data.opening import OnBad

FORMATS = (".csv", ".parquet", ".json")


def evaluate(
    run: RunFolder,
    data: Annotated[str, typer.Argument(metavar="DATA", help="Rows with the target, in the form trained on.")],
    metric: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this metric; may be given many times. Default: all of the task's."),
    ] = None,
    on_bad_file: OnBadFile = "refuse",
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Judge a trained net on other rows: every metric of its task, with 95 % intervals."""
    given.stop_if_any([*given.is_run(run), *given.existing(data), *given.one_of("on-bad-file", on_bad_file, BAD_FILES)])

    from rich.markup import escape

    from workings import api
    from workings.cli import console
    from workings.cli.readers import reading
    from workings.cli.result import metrics_table
    from workings.report.words import judged

    opened = api.open_run(run)
    with reading(quiet=quiet) as readers:
        found = opened.evaluate(data, metrics=metric or None, emit=readers, on_bad_file=cast("OnBad", on_bad_file))
    if as_json:
        problems = [each.to_dict() for each in readers.problems]
        console.write_json({"run": run, "data": data, **found, "problems": problems})
        return
    screen = console.results()
    samples = f"{found['rows']:,} {judged(found, opened.prep.kind)}s"
    screen.print(f"[bold]{escape(Path(run).name)}[/] on {escape(data)}: {samples}, {found['task']}", soft_wrap=True)
    screen.print(metrics_table(found["metrics"], found["intervals"], width=screen.width))


def predict(
    run: RunFolder,
    data: Annotated[str, typer.Argument(metavar="DATA", help="Rows in the form trained on; no target needed.")],
    out: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="A new .csv, .parquet or .json file. Default: CSV on standard output."),
    ] = None,
    force: Force = False,
    on_bad_file: OnBadFile = "refuse",
    quiet: Quiet = False,
) -> None:
    """Predict every row: the row's number or file, the prediction, the probability of each class."""
    problems = [*given.is_run(run), *given.existing(data), *given.one_of("on-bad-file", on_bad_file, BAD_FILES)]
    if out is not None:
        problems += [*given.free(out, force=force), *format_problems(out)]
    given.stop_if_any(problems)

    from workings import api
    from workings.cli.readers import reading

    with reading(quiet=quiet) as readers:
        frame = api.open_run(run).predict(data, emit=readers, on_bad_file=cast("OnBad", on_bad_file))
    if out is None:
        sys.stdout.write(frame.write_csv())
        return
    write_frame(frame, Path(out))
    if not quiet:
        print(f"{frame.height:,} predictions in {out}", file=sys.stderr)


def report(
    run: RunFolder,
    open_: Annotated[bool, typer.Option("--open", help="Also open it in the browser.")] = False,
    as_json: Json = False,
) -> None:
    """Write the report of a run anew, one self-contained HTML file, and print its path."""
    given.stop_if_any(given.is_run(run))

    from workings import api

    path = api.open_run(run).report()
    if as_json:
        from workings.cli import console

        console.write_json({"run": run, "report": str(path)})
    else:
        print(path)
    if open_:
        import webbrowser

        if not webbrowser.open(Path(path).resolve().as_uri()):
            print("There is no browser to open it in; the path is above.", file=sys.stderr)


def format_problems(out: str) -> list[Problem]:
    """The problem of a file to be written whose name says no format that is known."""
    suffix = Path(out).suffix.lower()
    if suffix in FORMATS:
        return []
    guess = nearest(suffix, FORMATS) if suffix else None
    what = f"'{out}' ends in '{suffix}'" if suffix else f"'{out}' has no ending"
    do = (f"Did you mean '{guess}'? " if guess else "") + "Give a name that ends in .csv, .parquet or .json."
    return [Problem("error", "unknown-format", f"{what}, so its format is not known.", do=do)]


def give_out(
    frame: DataFrame,
    out: str | None,
    facts: dict[str, object] | None,
    problems: Sequence[Problem],
    said: str,
    show: Callable[[Console], None],
    *,
    quiet: bool,
) -> None:
    """A table into the file ``out``; or, without one, to people as ``show`` draws it, and to programs as CSV.

    facts: of ``--json``: one object of these, ``rows`` and ``problems``. said: once the file is written.
    """
    from workings.base.files import finite
    from workings.cli import console

    if out is not None:
        write_frame(frame, Path(out))
    if facts is not None:
        rows = [finite(row) for row in frame.to_dicts()]
        console.write_json({**facts, "rows": rows, "problems": [each.to_dict() for each in problems]})
    elif out is not None:
        if not quiet:
            print(f"{said} in {out}", file=sys.stderr)
    elif sys.stdout.isatty():
        show(console.results())
    else:
        sys.stdout.write(frame.write_csv())


def write_frame(frame: DataFrame, path: Path) -> None:
    """Whole or not at all, in the format that the name says."""
    from workings.base.files import write_atomically

    def write(temporary: Path) -> None:
        match path.suffix.lower():
            case ".parquet":
                frame.write_parquet(temporary)
            case ".json":
                frame.write_json(temporary)
            case _:
                frame.write_csv(temporary)

    write_atomically(path, write)
