"""More samples, without labels, that only pre-training sees: read and checked like any other data, and told."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workings.base.errors import refuse
from workings.base.events import Decided
from workings.base.problems import Problem
from workings.data import read_for
from workings.data.dataset import Dataset
from workings.data.source import Source
from workings.runs import folder as files
from workings.runs.job import Job

BATCH = 512
VALIDATION = "validation samples"


class Joined(Source):
    """The samples of several sources one after another, without their targets."""

    w: Tensor | None = None

    def __init__(self, parts: list[Source]) -> None:
        self.parts = parts
        self.shape, self.form, self.counted = parts[0].shape, parts[0].form, parts[0].counted
        self.starts = np.cumsum([0, *(len(part) for part in parts)])
        self.rows = np.arange(self.starts[-1])
        self.y = torch.zeros(len(self.rows), dtype=torch.int64)

    def x(self, index: Tensor) -> Tensor:
        out: Tensor | None = None
        for part, start in zip(self.parts, self.starts, strict=False):
            at = torch.nonzero((index >= start) & (index < start + len(part)))[:, 0]
            if len(at):
                found = part.x(index[at] - int(start))
                out = found.new_empty((len(index), *self.shape)) if out is None else out
                out[at] = found
        assert out is not None, "rows that are in no part"
        return out

    def where(self, i: int) -> str:
        number = int(np.searchsorted(self.starts, i, side="right")) - 1
        return self.parts[number].where(i - int(self.starts[number]))


def read_unlabelled(job: Job, dataset: Dataset, prep: Any, held_out: dict[str, Source]) -> Source | None:
    """The samples of ``recipe.unlabelled``, prepared as the others are; None where there are none.

    held_out: sources that nothing may be learnt from, by what they are called; samples of theirs that come up here
    again are told.

    Raises:
        UserError: samples that cannot be read or do not fit, or are not what they were when the run began.
    """
    path = job.recipe.unlabelled
    if path is None:
        return None
    more = read_for(prep, dataset.schema, path, False, on_bad_file=job.recipe.on_bad_file, emit=job.emit)
    if job.resume is not None:
        known = files.read_versioned(job.resume / "data_card.json").get("unlabelled") or {}
        if known.get("digest") != more.digest:
            raise refuse(
                "data-changed",
                f"The unlabelled samples of '{path}' are not what they were when the run began.",
                why="A resumed run must end with the same bits as one that never stopped.",
                do="Bring them back, or start a new run.",
            )
    source = more.source(prep, np.arange(more.n))
    for problem in [*more.problems, *source.problems]:
        job.notice(replace(problem, where=problem.where or "unlabelled samples"))
    if job.resume is None:
        _told_again(job, source, held_out)
        job.emit(Decided("unlabelled", f"{more.n:,} samples", "pre-training sees them beside the training samples"))
    job.unlabelled = {"path": path, "rows": more.n, "digest": more.digest}
    return source


def _told_again(job: Job, source: Source, held_out: dict[str, Source]) -> None:
    """Whether samples that are held out are among the unlabelled ones."""
    here = set(_fingerprints(source))
    for name, other in held_out.items():
        again = sum(each in here for each in _fingerprints(other))
        if again:
            what = f"{again:,} of the {len(other):,} {name} are among the unlabelled samples, too."
            why = "Pre-training sees them, though not their labels, so the figures may be a little too good."
            if name == VALIDATION:  # what is learnt from them in pre-training is no label, and they judge no result
                job.notice(Problem("note", "unlabelled-again", what, count=again))
            else:
                job.notice(Problem("warning", "unlabelled-again", what, count=again, why=why, do="Take them out."))


def _fingerprints(source: Source) -> list[bytes]:
    found = []
    for rows in torch.arange(len(source)).split(BATCH):
        samples = source.x(rows).flatten(1).contiguous().numpy()
        found += [hashlib.blake2b(sample.tobytes(), digest_size=16).digest() for sample in samples]
    return found
