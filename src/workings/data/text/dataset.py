"""Texts with labels, as a dataset."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from workings.base.problems import Problem
from workings.data.dataset import Dataset
from workings.data.schema import Schema, Task
from workings.data.source import Source
from workings.data.split import Split, bands, stratified_split
from workings.data.text.prepare import TextPreparation
from workings.data.text.sources import TextSource
from workings.data.text.tokeniser import Tokeniser, train_tokeniser

MOST_TOKENS = {"word": 20_000, "bpe": 8_000, "character": 1_000}
LONGEST = {"word": 512, "bpe": 512, "character": 2_048}


@dataclass
class Texts:
    """Everything read. y: class numbers (int64) or numbers (float64), or None; places: where each text is."""

    texts: list[str]
    y: np.ndarray | None
    places: list[str]
    column: str
    digest: str
    options: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


class TextDataset(Dataset):
    """Texts, each with a label."""

    kind: Literal["text"] = "text"

    def __init__(self, read: Texts, task: Task, schema: Schema) -> None:
        self.read = read
        self.task = task
        self.schema = schema
        self.n = len(read.texts)
        self.problems = read.problems
        self.digest = read.digest

    @property
    def labelled(self) -> bool:
        """Whether the target is known."""
        return self.read.y is not None

    @property
    def class_counts(self) -> dict[str, int]:
        """Texts of each class, in the order of the classes; empty for numbers and for unlabelled texts."""
        if self.read.y is None or self.task.classes is None:
            return {}
        counts = Counter(self.read.y.tolist())
        return {name: counts[k] for k, name in enumerate(self.task.classes)}

    def split(self, seed: int, test_fraction: float, val_fraction: float) -> Split:
        """Every class in proportion, equal texts on one side."""
        y = self.read.y
        assert y is not None, "unlabelled texts are predicted, not split"
        strata = bands(y) if self.task.classes is None else y
        same = np.unique(np.array([" ".join(text.lower().split()) for text in self.read.texts]), return_inverse=True)[1]
        train, val, test = stratified_split(strata, same, seed, test_fraction, val_fraction)
        by = "each tenth of the target" if self.task.classes is None else "each class"
        return Split(train, val, test, f"drawn at random, {by} in proportion, equal texts on one side")

    def fit(self, train_rows: np.ndarray) -> TextPreparation:
        """The vocabulary, and the mean and deviation of a number as target, from ``train_rows`` only."""
        read, options = self.read, self.read.options
        kind = options.get("tokens", "word")
        lowercase = bool(options.get("lowercase", True))
        texts = [read.texts[i] for i in train_rows]
        tokeniser = train_tokeniser(texts, kind, int(options.get("vocabulary", MOST_TOKENS[kind])), lowercase)
        longest = max((len(tokens) for tokens in tokeniser.encode(texts)), default=1)
        mean, std = 0.0, 1.0
        if self.task.classes is None and read.y is not None:
            mean, std = float(read.y[train_rows].mean()), float(read.y[train_rows].std()) or 1.0
        return TextPreparation(
            tokens=kind,
            tokeniser=tokeniser.to_json(),
            vocabulary=tokeniser.size,
            lowercase=lowercase,
            length=max(1, min(longest, int(options.get("length", LONGEST[kind])))),
            text=read.column,
            target=self.task.target,
            task_kind=self.task.kind,
            classes=self.task.classes,
            target_mean=mean,
            target_std=std,
            rows=len(train_rows),
        )

    def source(self, prep: TextPreparation, rows: np.ndarray) -> Source:
        """``rows`` as batches by index."""
        tokens = Tokeniser.from_json(prep.tokeniser).encode([self.read.texts[i] for i in rows])
        places = [self.read.places[i] for i in rows]
        return TextSource(tokens, self._target(prep, rows), rows, prep.form, prep.length, places)

    def _target(self, prep: TextPreparation, rows: np.ndarray) -> Tensor:
        y = self.read.y
        if y is None:
            return torch.zeros(len(rows), dtype=torch.int64 if self.task.classes else torch.float32)
        if self.task.classes is not None:
            return torch.from_numpy(y[rows].astype(np.int64))
        return torch.from_numpy(((y[rows] - prep.target_mean) / prep.target_std).astype(np.float32))
