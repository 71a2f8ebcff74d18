"""``workings doctor``: what is wrong with a run, what lies behind it, and what cures it, each with its evidence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workings.base.problems import Problem
from workings.cli import arguments as given
from workings.cli.options import Json, Quiet, RunFolder

if TYPE_CHECKING:
    from workings.doctor.diagnosis import Diagnosis

Cure = Annotated[bool, typer.Option("--cure", help="Try cures, and train the recipe that was shown to do better.")]
Minutes = Annotated[
    float | None,
    typer.Option(
        metavar="M",
        help="Minutes for trials that tell causes apart. Default: 5 with --cure, else none are made.",
        show_default=False,
    ),
]
Out = Annotated[
    str | None, typer.Option(metavar="DIR", help="With --cure: the cured run's folder. Default: RUN-cured.")
]


def doctor(
    run: RunFolder,
    cure: Cure = False,
    minutes: Minutes = None,
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Tell what went wrong in a run's training, with the evidence; show its cause and its cure by trials.

    A trial repeats the training, whole or shortened, with one thing changed. Test rows are never looked at.
    """
    problems = [*given.is_run(run), *given.above_zero("minutes", minutes)]
    if out is not None and not cure:
        what = "--out is where a cured run goes; without --cure there is none."
        problems.append(Problem("error", "out-without-cure", what, do="Say --cure too, or leave --out out."))
    if cure and out is not None:
        problems += given.free_folder(out)
    given.stop_if_any(problems)

    from workings import api
    from workings.cli import console
    from workings.cli.readers import reading

    with reading(quiet=quiet or as_json) as readers:
        found = api.examine(run, minutes=minutes, cure=cure, out=out, emit=readers)
        if found.treatment is not None:
            from workings.report import write_report

            write_report(Path(run))
    if as_json:
        console.write_json(found.to_dict())
    else:
        show(found, run, out)


def show(found: Diagnosis, run: str, out: str | None) -> None:
    """The diagnosis for people: symptoms, controls, causes, what was tried, before and after, what to type next."""
    from workings.cli import console
    from workings.cli.doctor_words import paragraphs, tried_table

    screen = console.results()
    width = min(screen.width, 100)
    for part in paragraphs(found, run, width):
        if part == "TABLE":
            screen.print(tried_table(found, width))
        else:
            screen.print(part, markup=False, highlight=False, soft_wrap=True)
