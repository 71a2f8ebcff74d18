"""Images as a dataset: labelled or not, in memory or mapped from disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from workings.base.problems import Problem
from workings.data.bad_files import BadFile
from workings.data.dataset import Dataset
from workings.data.images.decode import Plan
from workings.data.images.prepare import ImagePreparation
from workings.data.images.sources import ImageSource
from workings.data.images.statistics import channel_statistics
from workings.data.images.store import Pixels
from workings.data.schema import Schema, Task
from workings.data.split import Split, bands, stratified_split
from workings.data.unsupervised import unsupervised_split


@dataclass
class Images:
    """Everything read, before it is a dataset. ``y``: class numbers (int64) or numbers (float64); None without."""

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
    skipped: list[BadFile] = field(default_factory=list)


class ImageDataset(Dataset):
    """Images that were all decoded and checked, in one size and number of channels.

    skipped: files that could not be used and were left out on request, with the reasons.
    """

    kind: Literal["images"] = "images"

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
    def labelled(self) -> bool:
        """Whether the target is known."""
        return self.images.y is not None

    @property
    def class_counts(self) -> dict[str, int]:
        """Images of each class, in the order of the classes; empty for numbers and for unlabelled images."""
        if self.images.y is None or self.task.classes is None:
            return {}
        counts = Counter(self.images.y.tolist())
        return {name: counts[k] for k, name in enumerate(self.task.classes)}

    def split(self, seed: int, test_fraction: float, val_fraction: float) -> Split:
        """Rows for training, validation and test: every class in proportion, equal pictures on one side."""
        y = self.images.y
        if self.task.kind == "unsupervised":
            return unsupervised_split(y, self.task, self.images.hashes, seed, test_fraction, val_fraction)
        assert y is not None, "unlabelled images are predicted, not split"
        strata = bands(y) if self.task.classes is None else y
        train, val, test = stratified_split(strata, self.images.hashes, seed, test_fraction, val_fraction)
        by = "each tenth of the target" if self.task.classes is None else "each class"
        return Split(train, val, test, f"drawn at random, {by} in proportion, equal pictures on one side")

    def fit(self, train_rows: np.ndarray) -> ImagePreparation:
        """Mean and deviation of every channel, and of a number as target, over ``train_rows`` only."""
        images = self.images
        if self.task.kind == "unsupervised" or self.binarise is not None:
            # Pixels stay 0…1: what a net rebuilds are pixels, and binary units know no other numbers.
            mean, std = [0.0] * images.pixels.shape[0], [1.0] * images.pixels.shape[0]
        else:
            mean, std = channel_statistics(images.pixels, train_rows, images.low, images.high)
        target_mean, target_std = 0.0, 1.0
        if self.task.classes is None and images.y is not None:
            y = images.y[train_rows]
            target_mean, target_std = float(y.mean()), float(y.std()) or 1.0
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
        y = self._target(prep, rows)
        return ImageSource(images.pixels, images.low, images.high, prep, y, None, rows, images.names)

    def _target(self, prep: ImagePreparation, rows: np.ndarray) -> Tensor:
        y = self.images.y
        if y is None:
            whole = self.task.classes or self.task.kind == "unsupervised"
            return torch.zeros(len(rows), dtype=torch.int64 if whole else torch.float32)
        if self.task.classes is not None:
            return torch.from_numpy(y[rows].astype(np.int64))
        return torch.from_numpy(((y[rows] - prep.target_mean) / prep.target_std).astype(np.float32))
