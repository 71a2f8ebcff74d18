"""What datasets share that have one label a row, or none at all; and more of images, recordings and texts."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workings.data.dataset import Dataset
from workings.data.split import bands


class OfLabels(Dataset):
    """Rows with one label each: ``y``, (n,) class numbers (int64) or numbers (float64), or None where not known."""

    y: Any

    @property
    def labelled(self) -> bool:
        """Whether the labels are known."""
        return self.y is not None

    @property
    def class_counts(self) -> dict[str, int]:
        """Rows of each class, in the order of the classes; empty for numbers and where labels are not known."""
        if self.y is None or self.task.classes is None:
            return {}
        counts = np.bincount(self.y, minlength=len(self.task.classes))
        return {name: int(count) for name, count in zip(self.task.classes, counts, strict=True)}


class LabelledDataset(OfLabels):
    """Samples with one label each."""

    @property
    @abstractmethod
    def y(self) -> np.ndarray | None:
        """(n,) labels, or None where they are not known."""

    def strata(self) -> tuple[np.ndarray, str]:
        """(n,) what a split draws in proportion: classes, or tenths of a number; and these in words."""
        assert self.y is not None, "samples without labels are predicted, not split"
        if self.task.classes is None:
            return bands(self.y), "each tenth of the target"
        return self.y, "each class"

    def target_units(self, train_rows: np.ndarray) -> tuple[float, float]:
        """Mean and deviation of a number as target over ``train_rows``; 0 and 1 of classes and unknown labels."""
        if self.task.classes is not None or self.y is None:
            return 0.0, 1.0
        y = self.y[train_rows]
        return float(y.mean()), float(y.std()) or 1.0

    def targets(self, prep: Any, rows: np.ndarray) -> Tensor:
        """(len(rows),) class numbers (int64), or numbers in the units of ``prep``; zeros where they are not known."""
        y = self.y
        if y is None:
            whole = self.task.classes or self.task.kind == "unsupervised"
            return torch.zeros(len(rows), dtype=torch.int64 if whole else torch.float32)
        if self.task.classes is not None:
            return torch.from_numpy(y[rows].astype(np.int64))
        return torch.from_numpy(((y[rows] - prep.target_mean) / prep.target_std).astype(np.float32))
