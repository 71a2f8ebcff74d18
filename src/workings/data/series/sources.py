"""Windows of a series, batched by index without a copy of what they share.

Window i sees the L steps before ``starts[i]`` and forecasts the H steps from there on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workings.data.source import Source

if TYPE_CHECKING:
    from workings.data.series.prepare import SeriesPreparation
    from workings.data.series.reading import Series

Floats = NDArray[np.float64]


class SeriesSource(Source):
    """series: all of it, in its own units. starts: (N,) int64, the first step that each window forecasts."""

    counted = "windows"

    def __init__(self, series: Series, prep: SeriesPreparation, starts: np.ndarray) -> None:
        self.series = series
        self.prep = prep
        self.starts = np.asarray(starts, dtype=np.int64)
        self.shape = prep.shape
        self.form = prep.form
        self.w = None
        self.rows = series.rows[np.minimum(self.starts, len(series.rows) - 1)]
        values = np.ascontiguousarray(prep.prepared(series.values), dtype=np.float32)
        self._values = torch.from_numpy(values)
        self._first = torch.from_numpy(self.starts)
        # Each forecast is a stretch of one long tensor: the view of all of them takes no memory.
        H, k = prep.horizon, prep.targets
        flat = self._values[:, :k].contiguous()
        self._flat = flat
        whole = max(0, len(flat) - H + 1)
        self._targets = flat.as_strided((whole, H * k), (k, 1)) if whole else flat.new_zeros((0, H * k))

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def y(self) -> Tensor:  # type: ignore[override]
        """(N, H · targets) float32; a view where windows follow each other."""
        if not len(self.starts):
            return self._flat.new_zeros((0, self.prep.horizon * self.prep.targets))
        first, last = int(self.starts[0]), int(self.starts[-1])
        if last - first + 1 == len(self.starts) and last < len(self._targets):
            return self._targets[first : last + 1]
        return self._targets[self._first]

    def x(self, index: Tensor) -> Tensor:
        """(len(index), L, V) float32."""
        at = self._first[index, None] + torch.arange(-self.prep.window, 0)
        return self._values[at]

    def targets(self, index: Tensor) -> Tensor:
        """(len(index), H · targets) float32."""
        return self._targets[self._first[index]]

    def thinned(self, most: int) -> tuple[SeriesSource, int]:
        """Every s-th window, the last among them, so that they see and forecast at most ``most`` values; and s."""
        prep = self.prep
        values = len(self.starts) * max(prep.horizon * prep.targets, prep.window)
        s = max(1, -(-values // most))
        return (self, 1) if s == 1 else (SeriesSource(self.series, prep, self.starts[::-1][::s][::-1]), s)

    def truth(self) -> Floats:
        """(N, H, targets): what came, in its own units."""
        return self.series.values[self.starts[:, None] + np.arange(self.prep.horizon)][..., : self.prep.targets]

    def past(self) -> Floats:
        """(N, lag, targets): the values before each forecast that differences are taken from."""
        at = self.starts[:, None] + np.arange(-self.prep.lag, 0)
        return self.series.values[at][..., : self.prep.targets]

    def levels(self, outputs: Floats) -> Floats:
        """Outputs (N, H · targets) of the net as ẑ (N, H, targets)."""
        shaped = np.asarray(outputs, dtype=np.float64).reshape(len(outputs), self.prep.horizon, self.prep.targets)
        return self.prep.levels(shaped, self.past())

    def where(self, i: int) -> str:
        """The steps that are forecast."""
        first = int(self.starts[i])
        return f"{self.series.label(first)} to {self.series.label(first + self.prep.horizon - 1)}"
