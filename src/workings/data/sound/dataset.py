"""Recordings as a dataset: labelled or not, their frames in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from workings.base.errors import refuse
from workings.base.problems import Problem, shorten
from workings.data.labelled_dataset import LabelledDataset
from workings.data.schema import Schema, Task
from workings.data.sound.grouping import split_recordings
from workings.data.sound.prepare import SoundPreparation
from workings.data.sound.reading import Recordings
from workings.data.sound.sources import SoundSource
from workings.data.split import Split


class SoundDataset(LabelledDataset):
    """Recordings that were all decoded and checked, as log-mel frames.

    options: of reading, as given. skipped: files that could not be used and were left out on request.
    """

    kind: Literal["sound"] = "sound"
    counted = "recordings"

    def __init__(self, recordings: Recordings, task: Task, schema: Schema, options: dict[str, Any]) -> None:
        self.recordings = recordings
        self.task = task
        self.schema = schema
        self.options = options
        self.n = len(recordings.names)
        self.problems = recordings.problems
        self.digest = recordings.digest
        self.skipped = recordings.skipped

    @property
    def names(self) -> Sequence[str]:
        """The file of each row, relative to what was opened; for arrays ``row 1``, ``row 2``, …"""
        return self.recordings.names

    @property
    def y(self) -> np.ndarray | None:
        """See :class:`LabelledDataset`."""
        return self.recordings.y

    def split(self, seed: int, test_fraction: float, val_fraction: float) -> Split:
        """Every class in proportion, equal recordings on one side; where there are groups, a group on one side."""
        hold_out = self.options.get("hold_out")
        if hold_out is not None and test_fraction == 0:
            raise refuse(
                "hold-out-without-test",
                f"The group '{hold_out}' is to be tested on, but no test rows are to be split off.",
                why="Its recordings would be neither trained nor tested on.",
                do="Leave out hold_out, or leave out --test and test_fraction=0.",
            )
        strata, by = self.strata()
        recordings = self.recordings
        fractions = (test_fraction, val_fraction)
        return split_recordings(strata, recordings.hashes, recordings.groups, hold_out, seed, fractions, by)

    def fit(self, train_rows: np.ndarray) -> SoundPreparation:
        """Mean and deviation of every mel band, and of a number as target, over ``train_rows`` only."""
        recordings = self.recordings
        bands, count = recordings.hearing.mel.bands, 0
        total_F, squares_F = torch.zeros(bands, dtype=torch.float64), torch.zeros(bands, dtype=torch.float64)
        for row in train_rows.tolist():
            Y_TF = self.frames(row).double()
            total_F, squares_F, count = total_F + Y_TF.sum(0), squares_F + (Y_TF**2).sum(0), count + len(Y_TF)
        mean_F = total_F / count
        std_F = (squares_F / count - mean_F**2).clamp(min=0).sqrt()
        std_F[std_F < 1e-3] = 1.0  # a band of one value carries nothing
        target_mean, target_std = self.target_units(train_rows)
        seconds = recordings.seconds[train_rows]
        return SoundPreparation(
            mel=recordings.hearing.mel,
            length=recordings.hearing.most_frames,
            mean=[round(value, 6) for value in mean_F.tolist()],
            std=[round(value, 6) for value in std_F.tolist()],
            pattern=self.options.get("pattern"),
            group=self.options.get("group"),
            shortest=float(seconds.min()),
            longest=float(seconds.max()),
            target=self.task.target,
            task_kind=self.task.kind,
            classes=self.task.classes,
            target_mean=target_mean,
            target_std=target_std,
            rows=len(train_rows),
        )

    def shared_rows(self, other: SoundDataset) -> list[Problem]:
        """The warnings that recordings or groups of ``other``, a separate test set, are also here."""
        found, ours, theirs = [], self.recordings, other.recordings
        again = np.flatnonzero(np.isin(theirs.hashes, ours.hashes))
        if len(again):
            what = f"{len(again):,} of {other.n:,} test recordings are also training recordings, sample for sample."
            why = "The network may know their answers by heart, so the test flatters it."
            where = shorten(theirs.names[i] for i in again)
            do = "Take them out of one of the two."
            found.append(Problem("warning", "rows-in-both", what, where, len(again), why, do))
        both = sorted(set(ours.groups or ()) & set(theirs.groups or ()))
        if both:
            what = f"{len(both):,} group(s) are in the training and in the test recordings."
            why = "The test then says how well the network does on groups that it knows."
            found.append(Problem("warning", "groups-in-both", what, shorten(both), len(both), why))
        return found

    def frames(self, row: int) -> Tensor:
        """(T, F): the log-mel frames of one recording."""
        recordings = self.recordings
        return recordings.frames_NF.narrow(0, int(recordings.starts[row]), int(recordings.lengths[row]))

    def source(self, prep: SoundPreparation, rows: np.ndarray) -> SoundSource:
        """``rows`` as batches by index."""
        recordings = self.recordings
        index = torch.from_numpy(np.asarray(rows, dtype=np.int64))
        return SoundSource(
            recordings.frames_NF,
            recordings.starts[index],
            recordings.lengths[index],
            prep,
            self.targets(prep, rows),
            rows,
            [recordings.names[i] for i in rows],
            recordings.seconds[rows],
            None if recordings.groups is None else [recordings.groups[i] for i in rows],
        )
