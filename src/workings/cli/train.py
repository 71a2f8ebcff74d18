"""``workings train``: from data to a trained, evaluated, saved network."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from workings.base.events import Decided, Event
from workings.base.problems import Problem
from workings.cli import arguments as given
from workings.cli.options import Json, Target, Task
from workings.cli.words import quoted


def train(
    data: Annotated[
        str | None,
        typer.Argument(
            metavar="DATA",
            help="A table (CSV, TSV, Parquet) of features, texts or a series; a folder with a folder of images, texts "
            "or recordings for each class; a text file. Not needed with --resume or --recipe.",
            show_default=False,
        ),
    ] = None,
    target: Target = None,
    test: Annotated[
        str | None, typer.Option(metavar="DATA", help="Rows to test on. Default: a part of DATA is held out.")
    ] = None,
    task: Task = None,
    net: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="A net of `workings nets`, or file.py:ClassName for your own. Default: auto."
        ),
    ] = None,
    horizon: Annotated[
        int | None, typer.Option(metavar="N", help="Of a series: how many steps ahead to forecast. Default: a season.")
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="DIR", help="The run folder to make. Default: runs/NAME-TIME, NAME being that of the data."
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Seed of everything random. Default: 0.")] = None,
    epochs: Annotated[
        float | None, typer.Option(metavar="N", help="Passes over the training rows. Default: from the data.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(metavar="M", help="Stop training after so many minutes at the latest.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Any other setting of the recipe or the net; may be given many times. Values are read as YAML.",
        ),
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(metavar="FILE", help="Start from this recipe.yaml; other options override it.")
    ] = None,
    resume: Annotated[
        str | None, typer.Option(metavar="RUN", help="Go on with a stopped run, as if it had never stopped.")
    ] = None,
    on_bad_file: Annotated[
        str | None,
        typer.Option(
            metavar="refuse|skip",
            help="What to do about unreadable images and recordings: refuse to start (the default), or skip and list "
            "them.",
        ),
    ] = None,
    events: Annotated[
        str | None, typer.Option(metavar="FILE", help="Also write every event to this new file, as JSON lines.")
    ] = None,
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress, only the result.")] = False,
) -> None:
    """Train a network on your data, test it, and keep everything in a run folder.

    What you do not say is derived from the data and told with the reason.
    """
    chosen, problems = given.settings_of(settings or [])
    if horizon is not None:
        chosen["horizon"] = horizon
    options: dict[str, Any] = {
        "target": target,
        "test": test,
        "task": task,
        "net": net,
        "out": out,
        "seed": seed,
        "epochs": epochs,
        "minutes": minutes,
        "recipe": recipe,
        "on_bad_file": on_bad_file,
        "settings": chosen or None,
    }
    options = {name: value for name, value in options.items() if value is not None}
    problems += _problems(data, options, resume, events)
    given.stop_if_any(problems)
    if resume is not None:
        options["resume"] = resume

    from workings.cli import console, result
    from workings.cli.readers import reading

    place = _Place(resume or out)
    with reading(quiet=quiet, events=events) as readers:
        readers.readers.append(place)
        try:
            from workings import api

            run = api.train(data, **options, emit=readers)
        except KeyboardInterrupt:
            run = None
    if run is None:
        _say_how_to_resume(place, as_json=as_json)
        raise typer.Exit(130)
    if as_json:
        console.write_json(result.summary(run, readers.problems))
    else:
        result.show(run, console.results())


def _problems(data: str | None, options: dict[str, Any], resume: str | None, events: str | None) -> list[Problem]:
    """Everything that is wrong with the arguments themselves."""
    problems: list[Problem] = []
    if data is None and resume is None and "recipe" not in options:
        do = "Give a file or a folder: workings train DATA. `workings sample iris` makes one to try."
        problems.append(Problem("error", "no-data", "There is nothing to train on.", do=do))
    if data is not None:
        problems += given.existing(data)
    if "test" in options:
        problems += given.existing(options["test"], "test data")
    if "recipe" in options:
        problems += given.existing(options["recipe"], "recipe")
    if "out" in options and resume is None:
        problems += given.free_folder(options["out"])
    if resume is not None:
        problems += given.is_run(resume)
        problems += _with_resume(options)
    if events is not None:
        problems += given.free(events)
    for name in ("epochs", "minutes"):
        problems += given.above_zero(name, options.get(name))
    if options.get("seed", 0) < 0:
        what = f"The seed is {options['seed']}; it must be 0 or more."
        problems.append(Problem("error", "bad-value", what, do="Give another seed."))
    problems += given.one_of("task", options.get("task"), given.TASKS)
    return problems + given.one_of("on-bad-file", options.get("on_bad_file"), given.BAD_FILES)


def _with_resume(options: dict[str, Any]) -> list[Problem]:
    """A resumed run is the run that was stopped: nothing about it can be said anew."""
    said = [name for name in options if name != "test"]  # data and test data may have moved
    named = [f"--{name.replace('_', '-')}" if name != "settings" else "--set" for name in said]
    if not named:
        return []
    return [
        Problem(
            "error",
            "resume-with-options",
            f"--resume takes no {' and no '.join(named)}.",
            why="A resumed run ends with the same bits as one that never stopped, so its recipe stays as it is.",
            do="Leave them out; or start a new run from its recipe: --recipe RUN/recipe.yaml.",
        )
    ]


class _Place:
    """A reader of events that remembers where the run is."""

    def __init__(self, path: str | None) -> None:
        self.path = path

    def __call__(self, event: Event) -> None:
        if isinstance(event, Decided) and event.name == "run":
            self.path = str(event.value)


def _say_how_to_resume(place: _Place, *, as_json: bool) -> None:
    """Where it was left, and the command that goes on from there."""
    left = place.path is not None and (Path(place.path) / "recipe.yaml").is_file()
    command = f"workings train --resume {quoted(place.path)}"
    told = f"Interrupted. To go on from here:\n  {command}" if left else "Interrupted before anything could be kept."
    print(told, file=sys.stderr)
    if as_json:
        from workings.cli.console import write_json

        write_json({"interrupted": True, "run": place.path if left else None, "resume": command if left else None})
