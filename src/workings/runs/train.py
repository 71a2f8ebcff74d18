"""Training from a person's data to a finished run folder; every door ends here."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import ValidationError
from torch import nn

from workings.base.errors import UserError, refuse
from workings.base.events import Checkpointed, Decided, Emit, Event, Finished, Noticed, Phase
from workings.base.problems import Problem
from workings.data import open_dataset, read_for
from workings.data.augment import choose_policy, make_augment, preview
from workings.data.dataset import Dataset
from workings.data.images import ImageSource
from workings.data.prepare import PrepareSettings
from workings.data.source import Source
from workings.data.split import Split
from workings.data.table import TableDataset
from workings.learning.loop import LoopState
from workings.learning.perceptron import separable
from workings.nets import arithmetic, build, custom, registry
from workings.runs import folder as files
from workings.runs.checkpoint import load_checkpoint, save_checkpoint
from workings.runs.fit import Fit, start_net
from workings.runs.machine import steady
from workings.runs.outcome import Outcome, write_outcome
from workings.runs.recipe import Recipe
from workings.runs.run import Run, load_preparation
from workings.runs.settle import Facts, settle, settle_preparation


@dataclass
class Job:
    """A run on its way: what was brought, the recipe as far as it is settled, and what is told.

    look_further, report: what the rooms above do with a finished run; see ``workings.api``.
    """

    recipe: Recipe
    emit: Emit
    data: object
    test: object | None
    net: nn.Module | None
    resume: Path | None
    out: str | os.PathLike[str] | None
    look_further: Callable[[Run, Outcome, Emit], None] | None = None
    report: Callable[[Path], object] | None = None
    problems: list[Problem] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str, text: str = "") -> Iterator[None]:
        """A stretch of work, told and timed."""
        self.emit(Phase(name, text))
        began = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began

    def notice(self, problem: Problem) -> None:
        """Tell a problem once and keep it for the data card."""
        if problem not in self.problems:
            self.problems.append(problem)
            self.emit(Noticed(problem))


@dataclass
class Prepared:
    """The data of a run, ready to be batched. ``test`` may be the training rows, if there are no others."""

    dataset: Dataset
    split: Split
    prep: Any
    train: Source
    val: Source | None
    test: Source
    test_dataset: Dataset | None


def train(job: Job) -> Run:
    """Do the job; see :func:`workings.api.train`."""
    told = job.emit

    def emit(event: Event) -> None:
        # Whatever is noticed below (by the data room, a baseline) belongs in the data card too.
        if isinstance(event, Noticed) and event.problem not in job.problems:
            job.problems.append(event.problem)
        told(event)

    job.emit = emit
    with steady(job.recipe.threads), torch.random.fork_rng(devices=[]):
        torch.manual_seed(job.recipe.seed)
        return _train(job)


def _train(job: Job) -> Run:
    with job.phase("reading", "the data"):
        dataset = _open(job)
    with job.phase("preparing", "splits and features"):
        data = _prepare(job, dataset)
    net, description = _make_net(job, data)
    augment = _augmentation(job, data)
    fit = Fit(
        net,
        dataset.task.kind,
        job.recipe,
        data.train,
        data.val,
        job.emit,
        augment,
        may_compile=description["source"] is None and description["name"] != "custom",
    )
    start_net(net, job.recipe, data.train)
    if job.resume is None:
        with job.phase("measuring"):
            fit.settle()
        job.recipe = fit.recipe
        path = _start_folder(job, data, description, fit)
    else:
        path = job.resume
        fit.settle()
        state = load_checkpoint(path / "checkpoint", fit.rule)
        if state is not None:
            fit.state = state
            job.emit(Decided("resumed from step", state.step, "the newest whole checkpoint"))
    with job.phase("training"):
        fit.run(_saver(job, path, fit))
    _perceptron_verdict(job, fit)
    files.save_weights(path / "weights.safetensors", net)
    files.save_record(path / "record.parquet", fit.state.points)
    run = Run(path, job.recipe, dataset.schema, data.prep, net)
    with job.phase("evaluating", "on the test rows"):
        outcome = write_outcome(run, fit, data.train, data.test, data.test_dataset or dataset, job.emit)
    if job.look_further is not None:
        with job.phase("comparing", "with simpler models"):
            job.look_further(run, outcome, job.emit)
    _card(job, path, data)
    files.write_versioned(path / "environment.json", files.environment(job.seconds) | {"lanes": _lanes(fit)})
    if job.recipe.report and job.report is not None:
        with job.phase("reporting"):
            job.report(path)
    job.emit(Finished(str(path), dict(run.metrics)))
    return run


def _saver(job: Job, path: Path, fit: Fit) -> Any:
    def save(state: LoopState) -> None:
        save_checkpoint(path / "checkpoint", fit.rule, state)
        job.emit(Checkpointed(state.step))

    return save


def _lanes(fit: Fit) -> list[dict[str, object]]:
    return [{**m.to_dict(), "microseconds": m.microseconds if not m.refused else None} for m in fit.lanes]


def _open(job: Job) -> Dataset:
    recipe = job.recipe
    dataset = open_dataset(
        job.data,
        target=recipe.target,
        task=recipe.task,
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


def _prepare(job: Job, dataset: Dataset) -> Prepared:
    recipe = job.recipe
    if recipe.val_fraction is None:
        job.recipe = recipe = recipe.settled("val_fraction", *_val_fraction(dataset.n))
        job.emit(Decided("val_fraction", recipe.val_fraction, recipe.reasons["val_fraction"]))
    separate = job.test is not None
    test_fraction = 0.0 if separate else recipe.test_fraction
    split = dataset.split(recipe.seed, test_fraction, (recipe.val_fraction or 0.0) * (1 - test_fraction))
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
        test_dataset = read_for(prep, dataset.schema, job.test, True, on_bad_file=recipe.on_bad_file, emit=job.emit)
        shared = (
            dataset.shared_rows(test_dataset)
            if isinstance(dataset, TableDataset) and isinstance(test_dataset, TableDataset)
            else []
        )
        for problem in [*test_dataset.problems, *shared]:
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
    return Prepared(dataset, split, prep, train, val, test, test_dataset)


def _fit_preparation(job: Job, dataset: Dataset, rows: np.ndarray) -> Any:
    if not isinstance(dataset, TableDataset):
        if job.recipe.prepare:
            raise refuse(
                "not-for-images",
                f"Images take no {', '.join(job.recipe.prepare)}.",
                do="Leave these settings out: they are about the columns of tables.",
            )
        return dataset.fit(rows)
    numbers = sum(field.kind in ("numeric", "date") for field in dataset.schema.features)
    job.recipe = settle_preparation(job.recipe, len(rows), numbers, job.emit)
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
    for problem in prep.problems:
        job.notice(problem)
    return prep


def _val_fraction(n: int) -> tuple[float, str]:
    if n < 40:
        return 0.0, f"{n} rows are too few to set some aside for validation"
    fraction = min(0.15, 10_000 / n)
    return round(fraction, 6), f"{fraction:.3g} of the training rows, at most 10,000, to choose the best weights by"


def _make_net(job: Job, data: Prepared) -> tuple[nn.Module, dict[str, Any]]:
    """The net and its ``net.json`` (without the layers), and the recipe settled to it."""
    dataset, recipe = data.dataset, job.recipe
    counts = np.bincount(data.train.y.numpy(), minlength=len(dataset.task.classes)) if dataset.task.classes else ()
    outs = len(dataset.task.classes or ()) if dataset.task.kind == "multiclass" else 1
    shape = tuple(data.train.shape)
    n_val = 0 if data.val is None else len(data.val)
    facts = Facts(len(data.train), n_val, shape, dataset.task.kind, outs, [int(c) for c in counts])
    if isinstance(recipe.batch_size, int) and recipe.batch_size > facts.n:
        raise refuse(
            "batch-larger-than-data",
            f"A batch of {recipe.batch_size:,} rows is larger than the {facts.n:,} training rows.",
            do=f"Give a batch_size of at most {facts.n}, or batch_size=all.",
        )
    own = None
    if job.net is not None or custom.is_custom(recipe.net):
        own = custom.load(job.net if job.net is not None else recipe.net, shape, outs, dataset.task.kind)
        for problem in own.problems:
            job.notice(problem)
    if own is None and recipe.net != "auto":
        problems = registry.check_shape(recipe.net, shape, outs)
        if problems:
            raise UserError(problems)
    job.recipe = recipe = settle(recipe, facts, job.emit) if job.resume is None else recipe
    if own is None:
        settings = registry.settle(recipe.net, recipe.net_settings)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            net = build(recipe.net, shape, outs, **settings)
        name, source, kind = recipe.net, None, type(net).__name__
    else:
        net, name, source, kind, settings = own.net, "custom", own.source, own.name, {}
    description = {
        "name": name,
        "class": kind,
        "settings": settings,
        "shape": list(shape),
        "outputs": outs,
        "source": source,
    }
    return net, description


def _augmentation(job: Job, data: Prepared) -> Any:
    """The augmentation of training batches, chosen from the training images where the recipe leaves it open."""
    source = data.train
    if not isinstance(source, ImageSource):
        if job.recipe.augmentation not in ("auto", "none"):
            raise refuse(
                "augmentation-of-a-table",
                f"The augmentation '{job.recipe.augmentation}' is for images; the samples are rows of a table.",
                do="Leave it out; noise=0.1 adds noise to the features instead.",
            )
        return None
    if job.recipe.augmentation == "auto":
        policy, reason = choose_policy(source.shape, source)
        job.recipe = job.recipe.settled("augmentation", policy, reason)
        job.emit(Decided("augmentation", policy, reason))
    return make_augment(job.recipe.augmentation, source.shape, source=source)


def _start_folder(job: Job, data: Prepared, description: Mapping[str, Any], fit: Fit) -> Path:
    """Everything that is known before the first step, so that a kill at any later moment leaves a resumable run."""
    recipe = job.recipe
    stem = Path(recipe.data).stem if recipe.data else "run"
    path = files.new_folder(job.out, stem)
    files.write_versioned(path / "schema.json", data.dataset.schema.model_dump(mode="json"))
    files.write_versioned(path / "prepare.json", data.prep.model_dump(mode="json"))
    rows = arithmetic.describe(fit.net, tuple(data.train.shape))
    parameters = sum(p.numel() for p in fit.net.parameters())
    layers = [row.to_dict() for row in rows]
    files.write_versioned(path / "net.json", {**description, "layers": layers, "parameters": parameters})
    _card(job, path, data)
    if fit.augment is not None:
        (path / "pictures").mkdir(exist_ok=True)
        with torch.random.fork_rng(devices=[]):
            assert isinstance(data.train, ImageSource)
            preview(data.train, fit.augment, path / "pictures" / "augmentation.png")
    recipe.save(path / "recipe.yaml")  # last: a folder with a recipe can be resumed
    job.emit(Decided("run", str(path), "everything about this run is kept there"))
    return path


def _card(job: Job, path: Path, data: Prepared) -> None:
    dataset, split = data.dataset, data.split
    files.write_versioned(
        path / "data_card.json",
        {
            "path": job.recipe.data,
            "test_path": job.recipe.test,
            "digest": dataset.digest,
            "kind": dataset.kind,
            "task": dataset.task.model_dump(),
            "rows": dataset.n,
            "split": {
                "train": len(split.train),
                "val": len(split.val),
                "test": len(split.test),
                "separate_test": None if data.test_dataset is None else data.test_dataset.n,
                "reason": split.reason,
            },
            "problems": [problem.to_dict() for problem in job.problems],
            "classes": dataset.task.classes,
            "class_counts": dataset.class_counts,
            "skipped": [bad.to_dict() for bad in getattr(dataset, "skipped", None) or []],
        },
    )


def _perceptron_verdict(job: Job, fit: Fit) -> None:
    """A perceptron that did not converge: are the classes separable at all? Asked only where it did not."""
    if job.recipe.net != "perceptron" or "converged" in (fit.state.stopped or "") or fit.task != "binary":
        return
    x = fit.train.x(torch.arange(len(fit.train)))
    if x.numel() > 20_000_000:
        return
    answer = separable(x, fit.train.y)
    if answer is False:
        job.notice(
            Problem(
                "warning",
                "not-linearly-separable",
                "The data is not linearly separable: no hyperplane puts the two classes on different sides.",
                why="The perceptron's rule can never stop making mistakes on such data (shown by linear programming).",
                do="Use a net with a hidden layer: --net mlp.",
            )
        )
    elif answer is True:
        job.notice(
            Problem(
                "warning",
                "perceptron-not-converged",
                f"The perceptron did not converge in {job.recipe.epochs:g} epochs, though the classes are separable.",
                do="Give more epochs: a narrow gap between the classes needs many.",
            )
        )
