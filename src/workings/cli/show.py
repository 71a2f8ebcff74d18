"""``workings show``: one learning step of a trained net, worked through like a page of a textbook."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workings.base.problems import Problem
from workings.cli import arguments as given
from workings.cli.use import Quiet, RunFolder

if TYPE_CHECKING:
    from workings.solutions.steps import Solution

FORMATS = ("text", "markdown", "latex", "html", "json")
_ENDINGS = {".txt": "text", ".md": "markdown", ".tex": "latex", ".html": "html", ".json": "json"}

Format = Annotated[
    str | None,
    typer.Option("--format", metavar="|".join(FORMATS), help="Default: by the ending of --out, else text."),
]
Out = Annotated[str | None, typer.Option(metavar="FILE", help="A new file. Default: standard output.")]
Force = Annotated[bool, typer.Option("--force", help="Write over the file if it is there.")]


def show(
    run: RunFolder,
    sample: Annotated[int, typer.Option(metavar="N", help="The row of the data, from 1.")] = 1,
    data: Annotated[
        str | None, typer.Option(metavar="DATA", help="Other rows, with the target. Default: what it was trained on.")
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option(metavar="N", help="Rows from the sample on that make the step. Default: 1.", show_default=False),
    ] = None,
    layer: Annotated[
        str | None, typer.Option(metavar="NAME", help="Work out this part of the net only; the rest is summed up.")
    ] = None,
    unit: Annotated[
        str | None, typer.Option(metavar="I[,J…]", help="Work out this unit or position of every layer, from 1.")
    ] = None,
    stage: Annotated[
        int | None,
        typer.Option(metavar="N", help="Of a run that learnt layer by layer: its stage, from 1. Default: the last."),
    ] = None,
    digits: Annotated[int, typer.Option(metavar="N", help="Significant digits that are printed.")] = 4,
    format_: Format = None,
    out: Out = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Work one learning step of a trained net through: forward, loss, backward, update, every line checked."""
    problems = [*given.is_run(run), *(given.existing(data) if data is not None else [])]
    problems += [*output_problems(format_, out, force), *_digits(digits)]
    place, wrong = _unit(unit)
    given.stop_if_any([*problems, *wrong])

    from workings import api
    from workings.cli.readers import reading

    with reading(quiet=quiet or out is None) as readers:
        solution = api.open_run(run).show(
            sample, data, batch=batch, layer=layer, unit=place, stage=stage, digits=digits, emit=readers
        )
    give_out(solution, format_, out, quiet=quiet)


def output_problems(format_: str | None, out: str | None, force: bool) -> list[Problem]:
    """What is wrong with where and how the page is to be written."""
    problems = given.one_of("format", format_, FORMATS)
    if out is not None:
        problems += given.free(out, force=force)
        if format_ is None and Path(out).suffix.lower() not in _ENDINGS:
            ends = ", ".join(_ENDINGS)
            what = f"'{out}' does not say its format."
            problems.append(Problem("error", "unknown-format", what, do=f"Give --format, or a name in {ends}."))
    return problems


def _digits(digits: int) -> list[Problem]:
    if 2 <= digits <= 15:
        return []
    return [Problem("error", "bad-value", f"{digits} digits cannot be printed.", do="Give --digits from 2 to 15.")]


def _unit(text: str | None) -> tuple[tuple[int, ...] | None, list[Problem]]:
    if text is None:
        return None, []
    parts = [part.strip() for part in text.split(",")]
    if all(part.isdecimal() and int(part) > 0 for part in parts):
        return tuple(int(part) for part in parts), []
    what = f"'{text}' is no unit."
    return None, [Problem("error", "bad-unit", what, do="Write --unit 3, or --unit 2,5,5: channel, row, column.")]


def kind_of(format_: str | None, out: str | None) -> str:
    """The format that was asked for, by its name or by the ending of the file."""
    return format_ or ("text" if out is None else _ENDINGS[Path(out).suffix.lower()])


def width() -> int:
    """Of a page of text."""
    return min(shutil.get_terminal_size((100, 24)).columns, 120)


def put(page: str, out: str | None, told: str = "", *, quiet: bool = False) -> None:
    """Write a page to a file, or to standard output; of a file what it holds is told on standard error."""
    if out is None:
        sys.stdout.write(page)
        return
    from workings.base.files import write_text

    write_text(Path(out), page)
    if not quiet:
        print("\n".join(filter(None, (told, out))), file=sys.stderr)


def give_out(solution: Solution, format_: str | None, out: str | None, *, quiet: bool = False) -> None:
    """Write the page; what did not hold is also said on standard error, and ends with 1."""
    from workings.solutions.pages import sheet

    kind = kind_of(format_, out)
    if kind == "json":
        page = json.dumps(solution.to_dict(), ensure_ascii=False, indent=1) + "\n"
    else:
        page = sheet([solution], kind, width=width())
    put(page, out, solution.verdict(), quiet=quiet)
    if solution.failed:
        raise typer.Exit(1)
