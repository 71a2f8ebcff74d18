"""What every door calls: train, check, open a run. The command line and ``import workings`` are this and no more."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workings.base.errors import refuse
from workings.base.events import Emit, silent
from workings.base.problems import Problem
from workings.runs import run as runs
from workings.runs.recipe import Recipe, load_recipe, make_recipe
from workings.runs.train import Job
from workings.runs.train import train as _run_job

if TYPE_CHECKING:
    from workings.data.dataset import Dataset
    from workings.doctor.diagnosis import Diagnosis
    from workings.nets.custom import Own
    from workings.solutions.steps import Solution

__all__ = ["Recipe", "Run", "check", "examine", "open_run", "train"]


class Run(runs.Run):
    """A trained net with all that belongs to it; see :class:`workings.runs.run.Run`."""

    def report(self) -> Path:
        """Write ``report.html`` anew from the run's files; its path."""
        from workings.report import write_report

        return write_report(self.path)

    def show(self, sample: int = 1, data: object = None, **how: Any) -> Solution:
        """One learning step on row ``sample``, worked through; see :func:`workings.solutions.of_run.show_run`."""
        from workings.solutions.of_run import show_run

        return show_run(self, sample, data, **how)


def examine(
    path: str | os.PathLike[str],
    *,
    minutes: float | None = None,
    cure: bool = False,
    out: str | os.PathLike[str] | None = None,
    data: object = None,
    test: object = None,
    net: Own | None = None,
    emit: Emit = silent,
) -> Diagnosis:
    """What is wrong with a run's training: ``.findings``, with evidence; ``.causes``; ``.healthy``.

    minutes: for trials that tell which cause lies behind the findings; without, only what was seen is told.
    cure: train the recipe with the cures that were accepted, into ``out`` (default: RUN-cured); minutes then are 5
        where none are given. data, test, net: what the run was trained on, tested on and made with, where these came
        from memory; no trial looks at ``test``.

    Raises:
        UserError: no run there, or not watched; its data is gone or changed; ``out`` is not empty.
    """
    from workings.doctor import visit

    folder = Path(path)
    if minutes is None and not cure:
        return visit.examine(folder)
    place = Path(out) if out is not None else visit.beside(folder)
    if cure:
        visit.refuse_place(place)
        visit.refuse_no_test(folder, test)
    diagnosis, recipe = visit.visit(folder, minutes or visit.MINUTES, data, net, emit)
    if cure and recipe is not None:
        brought = recipe.data if data is None else data
        tested = recipe.test if test is None else test
        _train(Job(recipe, emit, brought, tested, net, None, place))
        diagnosis.new_run = str(place)
    visit.keep(folder, diagnosis)
    return diagnosis


def open_run(path: str | os.PathLike[str], net: Own | None = None) -> Run:
    """Open a run's folder. ``net``: the person's own module or its class, where it was trained with one from memory.

    Raises:
        UserError: no run there, or one that is damaged, unfinished or of a newer version.
    """
    return _shown(runs.open_run(path, net))


def _shown(run: runs.Run) -> Run:
    return Run(run.path, run.recipe, run.schema, run.prep, run.net)


def _train(job: Job) -> Run:
    from workings.report import write_report
    from workings.report.finish import look_further

    job.look_further, job.report = look_further, write_report
    return _shown(_run_job(job))


def train(
    data: object = None,
    *,
    target: str | None = None,
    test: object = None,
    task: str | None = None,
    net: str | Own | None = None,
    out: str | os.PathLike[str] | None = None,
    seed: int | None = None,
    epochs: float | None = None,
    minutes: float | None = None,
    resume: str | os.PathLike[str] | None = None,
    recipe: str | os.PathLike[str] | Recipe | None = None,
    settings: Mapping[str, Any] | None = None,
    on_bad_file: str | None = None,
    emit: Emit = silent,
    **more: Any,
) -> Run:
    """Train a net on ``data``, test it, and keep everything in a run folder.

    data: a path (CSV, TSV, Parquet, a folder of images, a table of image paths), a DataFrame, a dict of columns, or
        ``(X, y)`` arrays. target: the column to learn. test: labelled data of the same kind to test on; otherwise a
        fifth of the rows is held out. task: binary, multiclass or regression, where it should not be found.
    net: a name, ``file.py:Class``, or an ``nn.Module`` that takes (B, *shape) and gives (B, outputs); of a class, one
        is made, its parameters filled by their names as for ``file.py:Class``.
    out: the run's folder, new or empty. seed, epochs, minutes: everyday knobs. settings, more: any other of the
        recipe's, the net's or the preparation's settings. recipe: a file to start from. resume: a stopped run.

    Raises:
        UserError: with every problem of the data or the settings, before anything is written.
    """
    if net is not None:
        from workings.nets.custom import refuse_no_net

        refuse_no_net(net)
    if resume is not None:
        return _train(_resumed(Path(resume), data, test, net, emit))
    given: dict[str, Any] = {}
    if recipe is not None:
        base = recipe if isinstance(recipe, Recipe) else load_recipe(Path(recipe))
        given = base.model_dump(exclude={"schema_version", "reasons"}) | {"reasons": base.reasons}
    if data is None:
        data = given.get("data")
    if test is None:
        test = given.get("test")
    if data is None:
        raise refuse("no-data", "There is nothing to train on.", do="Give a file, a folder, a DataFrame or arrays.")
    named = {"target": _target(data, target, task), "task": task, "seed": seed, "epochs": epochs, "minutes": minutes}
    named |= {"on_bad_file": on_bad_file, "net": net if isinstance(net, str) else None}
    given |= {name: value for name, value in named.items() if value is not None}
    given |= {"data": _path(data), "test": _path(test), **(settings or {}), **more}
    if isinstance(given.get("unlabelled"), (str, os.PathLike)):
        given["unlabelled"] = _path(given["unlabelled"])
    module = None if net is None or isinstance(net, str) else net
    if module is not None:
        given["net"] = "custom"
    return _train(Job(make_recipe(given), emit, data, test, module, None, out))


def _resumed(folder: Path, data: object, test: object, net: object, emit: Emit) -> Job:
    if not (folder / "recipe.yaml").is_file():
        raise refuse(
            "no-run",
            f"There is no run to resume at '{folder}'.",
            do="Give the folder of a run that was begun; its first checkpoint may be missing, its recipe not.",
        )
    recipe = load_recipe(folder / "recipe.yaml")
    data = recipe.data if data is None else data
    test = recipe.test if test is None else test
    if data is None:
        raise refuse(
            "no-data",
            "The run was trained on data from memory, which its folder does not hold.",
            do="Resume it from Python with the same data: train(data, resume=RUN).",
        )
    module = None if net is None or isinstance(net, str) else net
    return Job(recipe, emit, data, test, module, folder, None)  # type: ignore[arg-type]


def _path(data: object) -> str | None:
    """The absolute path of data that has one, so that a recipe works from anywhere."""
    return str(Path(data).absolute()) if isinstance(data, (str, os.PathLike)) else None


def _target(data: object, target: str | None, task: str | None) -> str | None:
    """The target; as an absolute path where it is the file of the other side of pairs."""
    from workings.data.pairs import door, reading

    if target is None or reading.is_table(data) or not door.recognise(data, target, task, {}):
        return target
    return _path(target)


def check(
    data: object, *, target: str | None = None, emit: Emit = silent, **options: Any
) -> tuple[Dataset | None, list[Problem]]:
    """Read and check data without training: the dataset (None where it has errors) and every problem found."""
    from workings.data import inspect_dataset

    return inspect_dataset(data, target=target, emit=emit, **options)
