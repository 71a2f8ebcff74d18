"""Training from a person's data to a finished run folder; every door ends here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from workings.base.events import Checkpointed, Decided, Event, Finished, Noticed
from workings.data.augment import preview
from workings.data.images import ImageSource
from workings.learning.loop_state import LoopState
from workings.nets import arithmetic
from workings.runs import folder as files
from workings.runs.checkpoint import load_checkpoint, save_checkpoint
from workings.runs.fit import Fit, start_net, unseen
from workings.runs.job import Job, Prepared
from workings.runs.machine import steady
from workings.runs.making import augmentation, make_net, perceptron_verdict
from workings.runs.memory import save_memory
from workings.runs.outcome import write_outcome
from workings.runs.preparing import open_data, prepare
from workings.runs.run import Run

__all__ = ["Job", "train"]


def train(job: Job) -> Run:
    """Do the job; see :func:`workings.api.train`."""
    told = unseen(job.emit)

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
        dataset = open_data(job)
    with job.phase("preparing", "splits and features"):
        data = prepare(job, dataset)
    net, description = make_net(job, data)
    augment = augmentation(job, data)
    fit = Fit(
        net,
        dataset.task.kind,
        job.recipe,
        data.train,
        data.val,
        job.emit,
        augment,
        may_compile=description["source"] is None and description["name"] != "custom",
        unlabelled=data.unlabelled,
    )
    start_net(net, job.recipe, data.train)
    if job.resume is None:
        with job.phase("measuring", "on the first batches"):
            fit.settle()
        job.recipe = fit.recipe
        path = _start_folder(job, data, description, fit)
    else:
        path = job.resume
        fit.settle()
        state = load_checkpoint(path / "checkpoint", fit.rule)
        if state is not None:
            fit.state = state
            fit.seen = _watched_before(path)
            job.emit(Decided("resumed from step", state.step, "the newest whole checkpoint"))
    with job.phase("training", f"{fit.before + fit.steps - fit.state.step:,} steps on {fit.stream.n:,} rows"):
        try:
            fit.run(_saver(job, path, fit))
        finally:  # a run that stops on NaN or by Ctrl-C keeps what was seen, too
            _keep_watched(path, fit)
    perceptron_verdict(job, fit)
    files.save_weights(path / "weights.safetensors", net)
    save_memory(path, fit.rule, fit.state)
    files.save_record(path / "record.parquet", fit.state.points)
    if fit.state.shown:
        files.save_tensors(path / "draws.safetensors", fit.state.shown)
    run = Run(path, job.recipe, dataset.schema, data.prep, net)
    with job.phase("evaluating", "on the test rows"):
        outcome = write_outcome(run, fit, data.train, data.test, data.test_dataset or dataset, job.emit)
    if job.look_further is not None:
        with job.phase("comparing", "with simpler models"):
            job.look_further(run, outcome, job.emit)
    _card(job, path, data)
    files.write_versioned(path / "environment.json", files.environment(job.seconds) | {"lanes": _lanes(fit)})
    if job.recipe.report and job.report is not None:
        with job.phase("reporting", "everything on one page"):
            job.report(path)
    job.emit(Finished(str(path), dict(run.metrics)))
    return run


def _saver(job: Job, path: Path, fit: Fit) -> Any:
    def save(state: LoopState) -> None:
        save_checkpoint(path / "checkpoint", fit.rule, state)
        _keep_watched(path, fit)
        job.emit(Checkpointed(state.step))

    return save


def _keep_watched(path: Path, fit: Fit) -> None:
    if fit.watched is not None:
        files.write_versioned(path / "watch.json", fit.watched.to_dict())


def _watched_before(path: Path) -> dict[str, Any] | None:
    return files.read_versioned(path / "watch.json") if (path / "watch.json").is_file() else None


def _lanes(fit: Fit) -> list[dict[str, object]]:
    return [{**m.to_dict(), "microseconds": m.microseconds if not m.refused else None} for m in fit.lanes]


def _start_folder(job: Job, data: Prepared, description: Mapping[str, Any], fit: Fit) -> Path:
    """Everything that is known before the first step, so that a kill at any later moment leaves a resumable run."""
    recipe = job.recipe
    stem = Path(recipe.data).stem if recipe.data else "run"
    path = files.new_folder(job.out, stem)
    files.write_versioned(path / "schema.json", data.dataset.schema.model_dump(mode="json"))
    files.write_versioned(path / "prepare.json", data.prep.model_dump(mode="json"))
    rows = arithmetic.describe(fit.net, tuple(data.train.shape), data.train.form)
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
            "unlabelled": job.unlabelled,
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
