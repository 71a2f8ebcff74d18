"""The record of a run as curves and as a table."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars

from workings.learning.metrics import higher_is_better
from workings.report import figures
from workings.report.figures import Figure
from workings.report.reading import RunFiles
from workings.report.words import number


class Record:
    """The curves of the record, and the step whose weights were kept."""

    def __init__(self, run: RunFiles) -> None:
        self.frame = run.record
        self.monitor = str(run.recipe.get("monitor") or "loss")
        self.kept: int | None = run.metrics.get("best_step") if run.recipe.get("keep_best", True) else None
        if self.kept is None and run.recipe.get("keep_best"):
            watched = self.line("val", self.monitor)
            if len(watched):
                values = watched[:, 1] * (1 if higher_is_better(self.monitor) else -1)
                self.kept = int(watched[int(np.nanargmax(values)), 0])

    def line(self, split: str, name: str) -> np.ndarray:
        """(n, 2) of step and value."""
        if self.frame is None:
            return np.empty((0, 2))
        chosen = self.frame.filter((polars.col("split") == split) & (polars.col("name") == name)).sort("step")
        return chosen.select("step", "value").to_numpy().astype(float)

    def figures(self) -> list[Figure]:
        """Loss, the metric watched or the first other one, the learning rate."""
        if self.frame is None or not len(self.frame):
            return []
        validated = self.frame.filter(polars.col("split") == "val")["name"].unique(maintain_order=True).to_list()
        others = [name for name in validated if name != "loss"]
        second = self.monitor if self.monitor in others else next(iter(others), None)
        drawn = []
        for name in ("loss", second, "learning_rate"):
            lines = {split: self.line(split, name) for split in ("train", "val")} if name else {}
            lines = {split: line for split, line in lines.items() if len(line) and np.isfinite(line[:, 1]).any()}
            if name and lines:
                drawn.append(figures.curve(name, lines, self._kept_point(name)))
        return drawn

    def _kept_point(self, name: str) -> tuple[float, float] | None:
        line = self.line("val", name)
        at = line[line[:, 0] == self.kept] if self.kept else line[:0]
        return (float(at[0, 0]), float(at[0, 1])) if len(at) else None

    def numbers(self) -> dict[str, Any] | None:
        """The same as a table: at most about forty looks, evenly spread, the kept one among them."""
        if self.frame is None or not len(self.frame):
            return None
        wide = (
            self.frame.with_columns((polars.col("split") + " " + polars.col("name")).alias("column"))
            .pivot("column", index="step", values="value", aggregate_function="last")
            .sort("step")
        )
        every = max(1, -(-len(wide) // 40))
        shown = wide.filter(
            (polars.int_range(polars.len()) % every == 0)
            | (polars.int_range(polars.len()) == polars.len() - 1)
            | (polars.col("step") == (self.kept if self.kept is not None else -1))
        )
        names = [name for name in wide.columns if name != "step"]
        rows = [
            {
                "step": f"{row['step']:,}",
                "kept": row["step"] == self.kept,
                "values": ["–" if row[name] is None else number(row[name]) for name in names],
            }
            for row in shown.iter_rows(named=True)
        ]
        said = [name.replace("val ", "validation ").replace("train ", "training ").replace("_", " ") for name in names]
        return {"columns": said, "rows": rows, "left_out": len(wide) - len(shown)}
