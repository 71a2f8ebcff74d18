"""Images as a dataset: labelled or not, in memory or mapped from disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from workings.base.problems import Problem
from workings.data.bad_files import BadFile
from workings.data.images.decode import Plan
from workings.data.images.prepare import ImagePreparation
from workings.data.images.sources import ImageSource
from workings.data.images.statistics import channel_statistics
from workings.data.images.store import Pixels
from workings.data.labelled_dataset import LabelledDataset
from workings.data.schema import Schema, Task
from workings.data.split import Split, stratified_split
from workings.data.unsupervised import unsupervised_split


@dataclass
class Images:
    """Everything read, before it is a dataset. ``y``: class numbers (int64) or numbers (float64); None without.

    kept: positions of the images in what was listed.
    """

    pixels: Pixels
    low: float
    high: float
    plan: Plan
    one_size: bool
    names: list[str]
    y: np.ndarray | None
    hashes: np.ndarray
    digest: str
    problems: list[Problem]
    kept: np.ndarray
    skipped: list[BadFile] = field(default_factory=list)


class ImageDataset(LabelledDataset):
    """Images that were all decoded and checked, in one size and number of channels.

    skipped: files that could not be used and were left out on request, with the reasons.
    """

    kind: Literal["images"] = "images"
    counted = "images"

    def __init__(self, images: Images, task: Task, schema: Schema, binarise: float | None = None) -> None:
        self.images = images
        self.task = task
        self.schema = schema
        self.n = len(images.pixels)
        self.problems = images.problems
        self.digest = images.digest
        self.skipped = images.skipped
        self.binarise = binarise

    @property
    def names(self) -> Sequence[str]:
        """The file of each row, relative to what was opened; for arrays ``row 1``, ``row 2``, …"""
        return self.images.names

    @property
    def y(self) -> np.ndarray | None:
        """See :class:`LabelledDataset`."""
        return self.images.y

    def split(self, seed: int, test_fraction: float, val_fraction: float) -> Split:
        """Rows for training, validation and test: every class in proportion, equal pictures on one side."""
        if self.task.kind == "unsupervised":
            return unsupervised_split(self.y, self.task, self.images.hashes, seed, test_fraction, val_fraction)
        strata, by = self.strata()
        train, val, test = stratified_split(strata, self.images.hashes, seed, test_fraction, val_fraction)
        return Split(train, val, test, f"drawn at random, {by} in proportion, equal pictures on one side")

    def fit(self, train_rows: np.ndarray) -> ImagePreparation:
        """Mean and deviation of every channel, and of a number as target, over ``train_rows`` only."""
        images = self.images
        if self.task.kind == "unsupervised" or self.binarise is not None:
            # Pixels stay 0…1: what a net rebuilds are pixels, and binary units know no other numbers.
            mean, std = [0.0] * images.pixels.shape[0], [1.0] * images.pixels.shape[0]
        else:
            mean, std = channel_statistics(images.pixels, train_rows, images.low, images.high)
        target_mean, target_std = self.target_units(train_rows)
        plan = images.plan
        return ImagePreparation(
            height=plan.height,
            width=plan.width,
            channels=plan.channels,
            bits=plan.bits,
            aspect=plan.aspect,
            one_size=images.one_size,
            pixels="bytes" if images.pixels.dtype == np.uint8 else "floats",
            low=images.low,
            high=images.high,
            mean=mean,
            std=[value if value > 1e-6 else 1.0 for value in std],  # a channel of one value carries nothing
            target=self.task.target,
            task_kind=self.task.kind,
            classes=self.task.classes,
            target_mean=target_mean,
            target_std=target_std,
            binarise=self.binarise,
            anomalies=self.task.anomalies,
            rows=len(train_rows),
        )

    def source(self, prep: ImagePreparation, rows: np.ndarray) -> ImageSource:
        """``rows`` as batches by index."""
        images = self.images
        y = self.targets(prep, rows)
        return ImageSource(images.pixels, images.low, images.high, prep, y, None, rows, images.names)
