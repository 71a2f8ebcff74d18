"""Texts as they were brought, from whatever they came in; the checks and the dataset know no more than this."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import polars as pl

from workings.base.problems import Problem, shorten
from workings.data.schema import Field

Unit = Literal["row", "line", "file"]
UNITS: dict[Unit, str] = {"row": "a cell of a table", "line": "a line of a file", "file": "a whole file"}


@dataclass
class Brought:
    """n texts and what came with them.

    texts: None where there is none. labels: (n,) cells of the target, or None. by_name: the labels are names of files
    or folders. groups: (n,) what stays together in a split, or None. rows: (n,) numbers in the user's data, from 0.
    places: where each is, or None where the row says it. column: of the texts. unit: what one text was.
    others: (n, …) the cells beside the text, for whoever looks at a single one.
    """

    texts: list[str | None]
    labels: pl.Series | None
    rows: np.ndarray
    column: str
    target: str
    unit: Unit
    digest: str
    by_name: bool = False
    groups: list[str] | None = None
    places: list[str] | None = None
    fields: list[Field] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    others: dict[str, Any] = field(default_factory=dict)

    def place(self, i: int) -> str:
        """Where text ``i`` is: ``row 17``, ``pos.txt, line 3`` or a file's name."""
        return f"row {int(self.rows[i]) + 1:,}" if self.places is None else self.places[i]

    def where(self, numbers: np.ndarray, limit: int = 5) -> str:
        """The places of some texts, shortened."""
        if self.places is None:
            return f"rows {shorten((f'{int(self.rows[i]) + 1:,}' for i in numbers), limit)}"
        return shorten((self.places[i] for i in numbers), limit)

    def keep(self, kept: np.ndarray) -> None:
        """Keep the texts whose numbers are in ``kept`` only."""
        self.texts = [self.texts[i] for i in kept]
        self.labels = None if self.labels is None else self.labels[kept.tolist()]
        self.groups = None if self.groups is None else [self.groups[i] for i in kept]
        self.places = None if self.places is None else [self.places[i] for i in kept]
        self.rows = self.rows[kept]
