"""From what was brought to rows that can be batched: reading, splitting, fitting the preparation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from pydantic import ValidationError

from workings.base.errors import UserError, refuse
from workings.base.events import Decided
from workings.base.problems import Problem
from workings.data import open_dataset, read_for
from workings.data.dataset import Dataset
from workings.data.prepare import PrepareSettings
from workings.data.table import TableDataset
from workings.nets import registry
from workings.runs import folder as files
from workings.runs.job import Job, Prepared
from workings.runs.run import load_preparation
from workings.runs.settle_preparation import settle_preparation, settle_zeros
from workings.runs.settle_pretraining import unit_pixels
from workings.runs.settle_unsupervised import settle_reading
from workings.runs.unlabelled import VALIDATION, read_unlabelled


def open_data(job: Job) -> Dataset:
    """Read and check what was brought; a resumed run must find it unchanged."""
    job.recipe = recipe = settle_reading(job.recipe, job.data, job.emit)
    dataset = open_dataset(
        job.data,
        target=recipe.target,
        task=recipe.task or implied_task(recipe.net),
        on_bad_file=recipe.on_bad_file,
        emit=job.emit,
        **recipe.data_options,
    )
    for problem in dataset.problems:
        job.notice(problem)
    job.emit(Decided("task", dataset.task.kind, dataset.task.reason))
    if job.resume is not None:
        known = files.read_versioned(job.resume / "data_card.json")["digest"]
        if known != dataset.digest:
            raise refuse(
                "data-changed",
                f"The data of '{job.resume}' is not what it was when the run began.",
                why="A resumed run must end with the same bits as one that never stopped.",
                do="Bring the data back, or start a new run.",
            )
    return dataset


def implied_task(net: str) -> str | None:
    """The task that a net can only be for, or None."""
    return "unsupervised" if net in registry.names() and registry.info(net).learns == "samples" else None


def prepare(job: Job, dataset: Dataset) -> Prepared:
    """Split the rows, fit the preparation on the training rows, and make the sources."""
    recipe = job.recipe
    if recipe.val_fraction is None:
        job.recipe = recipe = recipe.settled("val_fraction", *(dataset.val_share() or _val_fraction(dataset.n)))
        job.emit(Decided("val_fraction", recipe.val_fraction, recipe.reasons["val_fraction"]))
    separate = job.test is not None
    test_fraction = 0.0 if separate else recipe.test_fraction
    split = dataset.split(recipe.seed, test_fraction, (recipe.val_fraction or 0.0) * (1 - test_fraction))
    if dataset.task.kind == "unsupervised" and job.resume is None:
        job.emit(Decided("split", [len(split.train), len(split.val), len(split.test)], split.reason))
    if len(split.train) == 0:
        raise refuse("no-training-rows", f"Of {dataset.n} rows none is left to train on.", do="Lower test_fraction.")
    if job.resume is None:
        prep = _fit_preparation(job, dataset, split.train)
    else:
        prep = load_preparation(files.read_versioned(job.resume / "prepare.json"), job.resume)
    train = dataset.source(prep, split.train)
    val = dataset.source(prep, split.val) if len(split.val) else None
    test_dataset = None
    if separate:
        if len(split.test):
            what = f"The {len(split.test):,} anomalies among the training data are left out: a test set was given."
            job.notice(Problem("note", "anomalies-left-out", what, count=len(split.test)))
        test_dataset = read_for(prep, dataset.schema, job.test, True, on_bad_file=recipe.on_bad_file, emit=job.emit)
        for problem in [*test_dataset.problems, *dataset.shared_rows(test_dataset)]:
            job.notice(problem)
        test = test_dataset.source(prep, np.arange(test_dataset.n))
    elif len(split.test):
        test = dataset.source(prep, split.test)
    else:
        test = train
        job.notice(
            Problem(
                "warning",
                "tested-on-training-rows",
                "There are no test rows: the metrics are of the training rows themselves.",
                why="They say how well the net remembers, not how well it will do on new data.",
                do="Give --test DATA, or a test_fraction above 0.",
            )
        )
    for source, name in ((val, "validation rows"), (test, "test rows")):
        if source is not None and source is not train:
            for problem in source.problems:
                job.notice(replace(problem, where=problem.where or name))
    held_out = {} if test is train else {"test samples": test}
    held_out |= {} if val is None else {VALIDATION: val}
    more = read_unlabelled(job, dataset, prep, held_out)
    return Prepared(dataset, split, prep, train, val, test, test_dataset, more)


def _fit_preparation(job: Job, dataset: Dataset, rows: np.ndarray) -> Any:
    if not isinstance(dataset, TableDataset):
        if job.recipe.prepare:
            raise refuse(
                "not-for-images",
                f"Images take no {', '.join(job.recipe.prepare)}.",
                do="Leave these settings out: they are about the columns of tables.",
            )
        prep = _unit_pixels(job, dataset.fit(rows))
        for problem in getattr(prep, "problems", ()):
            job.notice(problem)
        return prep
    numbers = sum(field.kind in ("numeric", "date") for field in dataset.schema.features)
    job.recipe = settle_preparation(job.recipe, len(rows), numbers, dataset.task.kind, job.emit)
    try:
        settings = PrepareSettings.model_validate(job.recipe.prepare)
    except ValidationError as error:
        raise UserError(
            [
                Problem(
                    "error", "bad-value", f"The value {one['input']!r} does not fit '{one['loc'][0]}': {one['msg']}."
                )
                for one in error.errors()
            ]
        ) from error
    prep = dataset.fit(rows, settings)
    job.recipe = settle_zeros(job.recipe, prep.settings.zeros_as_missing, job.emit)
    for problem in prep.problems:
        job.notice(problem)
    return prep


def _unit_pixels(job: Job, prep: Any) -> Any:
    """The preparation of images for a net of binary units: pixels stay 0…1."""
    reason = unit_pixels(job.recipe) if prep.kind == "images" else None
    if reason is None or prep.task_kind == "unsupervised":
        return prep
    job.emit(Decided("pixels", "0 to 1", reason))
    return prep.model_copy(update={"mean": [0.0] * len(prep.mean), "std": [1.0] * len(prep.std)})


def _val_fraction(n: int) -> tuple[float, str]:
    if n < 40:
        return 0.0, f"{n} rows are too few to set some aside for validation"
    fraction = min(0.15, 10_000 / n)
    return round(fraction, 6), f"{fraction:.3g} of the training rows, at most 10,000, to choose the best weights by"
