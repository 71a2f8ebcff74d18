"""Texts with labels, as a dataset."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from workings.base.problems import Problem, shorten
from workings.data.labelled_dataset import LabelledDataset
from workings.data.schema import Schema, Task
from workings.data.split import FEW_ROWS, Split, stratified_split
from workings.data.text.brought import Unit
from workings.data.text.checks import equal_texts, normal
from workings.data.text.prepare import TextPreparation
from workings.data.text.sources import TextSource
from workings.data.text.tokeniser import Tokeniser
from workings.data.text.vocabulary import cut_problem, fit_vocabulary

MOST_TOKENS = {"word": 20_000, "bpe": 8_000, "character": 1_000}
LONGEST = {"word": 512, "bpe": 512, "character": 2_048}
BINS = 30  # of the histogram of lengths
LONGEST_CELL = 2_000  # characters of a text that are shown


@dataclass
class Texts:
    """Texts that were checked. y: class numbers (int64) or numbers (float64), or None where unknown.

    rows: (n,) numbers in the user's data, from 0. places: where each text is, or None where the row says it.
    same: (n,) numbers, equal for equal texts. groups: (n,) what stays on one side, or None.
    """

    texts: list[str]
    y: np.ndarray | None
    rows: np.ndarray
    places: list[str] | None
    column: str
    unit: Unit
    digest: str
    same: np.ndarray
    groups: list[str] | None = None
    options: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


class TextDataset(LabelledDataset):
    """Texts, each with a label."""

    kind: Literal["text"] = "text"
    counted = "texts"

    def __init__(self, read: Texts, task: Task, schema: Schema) -> None:
        self.read = read
        self.task = task
        self.schema = schema
        self.n = len(read.texts)
        self.problems = read.problems
        self.digest = read.digest

    @property
    def y(self) -> np.ndarray | None:
        """See :class:`LabelledDataset`."""
        return self.read.y

    def split(self, seed: int, test_fraction: float, val_fraction: float) -> Split:
        """Every class in proportion, equal texts and the texts of one group on one side; few texts are not split."""
        if self.n < FEW_ROWS:
            none = np.zeros(0, dtype=np.int64)
            return Split(np.arange(self.n), none, none, f"{self.n} texts are too few to hold any back")
        strata, by = self.strata()
        train, val, test = stratified_split(strata, self._together(), seed, test_fraction, val_fraction)
        what = "equal texts" if self.read.groups is None else "equal texts and those of one group"
        return Split(train, val, test, f"drawn at random, {by} in proportion, {what} on one side")

    def _together(self) -> np.ndarray:
        """(n,) numbers, equal for texts that must stay on one side: equal ones, those of a group, and so on."""
        same, groups = self.read.same, self.read.groups
        if groups is None:
            return same
        group = np.unique(np.array(groups), return_inverse=True)[1]
        size = int(same.max()) + 1
        total = size + int(group.max()) + 1
        graph = coo_matrix((np.ones(self.n), (same, size + group)), shape=(total, total))
        return connected_components(graph, directed=False)[1][same]

    def fit(self, train_rows: np.ndarray) -> TextPreparation:
        """The vocabulary, and the mean and deviation of a number as target, from ``train_rows`` only."""
        read, options = self.read, self.read.options
        kind = options.get("tokens", "word")
        lowercase = bool(options.get("lowercase", True))
        texts = [read.texts[i] for i in train_rows]
        found = fit_vocabulary(texts, kind, int(options.get("vocabulary", MOST_TOKENS[kind])), lowercase)
        sizes = np.array([len(tokens) for tokens in found.tokens])
        length = int(max(1, min(sizes.max(), options.get("length", LONGEST[kind]))))
        step = max(1, -(-int(sizes.max() + 1) // BINS))
        edges = np.arange(0, sizes.max() + 1 + step, step)
        mean, std = self.target_units(train_rows)
        return TextPreparation(
            tokens=kind,
            tokeniser=found.tokeniser.to_json(),
            vocabulary=found.tokeniser.size,
            lowercase=lowercase,
            length=length,
            text=read.column,
            unit=read.unit,
            target=self.task.target,
            task_kind=self.task.kind,
            classes=self.task.classes,
            target_mean=mean,
            target_std=std,
            rows=len(train_rows),
            unknown=found.unknown,
            edges=edges.tolist(),
            counts=np.histogram(sizes, edges)[0].tolist(),
            problems=found.problems + cut_problem(found.tokens, length, kind, "length" in options),
        )

    def source(self, prep: TextPreparation, rows: np.ndarray) -> TextSource:
        """``rows`` as batches by index."""
        read = self.read
        texts = [read.texts[i] for i in rows]
        tokens = Tokeniser.from_json(prep.tokeniser).encode(texts)
        places = None if read.places is None else [read.places[i] for i in rows]
        return TextSource(tokens, self.targets(prep, rows), read.rows[rows], prep.form, prep.length, places, texts)

    def texts_of(self, rows: np.ndarray) -> list[str]:
        """The texts of ``rows`` (m,), numbers in the user's data from 0."""
        return [self.read.texts[i] for i in np.searchsorted(self.read.rows, np.asarray(rows))]

    def cells(self, rows: np.ndarray) -> list[dict[str, Any]]:
        """The text of ``rows`` (m,), numbers in the user's data from 0, for whoever looks at single ones."""
        shown = [text if len(text) <= LONGEST_CELL else text[:LONGEST_CELL] + "…" for text in self.texts_of(rows)]
        return [{self.read.column: text} for text in shown]

    def shared_rows(self, other: TextDataset) -> list[Problem]:
        """The warning that texts of ``other``, a separate test set read for this one, are also here."""
        own = {normal(text) for text in self.read.texts}
        again = [i for i, text in enumerate(other.read.texts) if normal(text) in own]
        if not again:
            return []
        what = f"{len(again):,} of {other.n:,} test texts are also training texts."
        places = other.read.places or [f"row {row + 1:,}" for row in other.read.rows]
        why = "The network may know their answers by heart, so the test flatters it."
        do = "Take them out of one of the two, if they are the same cases."
        where = shorten(places[i] for i in again)
        return [Problem("warning", "rows-in-both", what, where, len(again), why, do)]


def checked(read_texts: list[str | None]) -> tuple[list[str], np.ndarray]:
    """Texts none of which is missing any more, and numbers that are equal for equal ones."""
    texts = ["" if text is None else text for text in read_texts]
    return texts, equal_texts(texts)
