"""Windows of a series that are themselves learnt, batched by index without a copy of what they share.

Window i holds the L steps from ``starts[i]`` on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workings.data.source import Source

if TYPE_CHECKING:
    from workings.data.series.reading import Series
    from workings.data.series.window_prepare import WindowPreparation


GOLDEN = (3 - 5**0.5) / 2  # 0.38: multiples of it are spread evenly over 0 to 1


class WindowSource(Source):
    """series: all of it, in its own units. starts: (N,) int64, the first step of each window, growing.

    labels: (n,) int64 class numbers of all steps, or None. odd: (n,) bool, which steps are anomalies.
    y of a window is the class of its first anomalous step, or of its last where all are regular.
    """

    counted = "windows"
    reconstructs = True

    def __init__(
        self,
        series: Series,
        prep: WindowPreparation,
        starts: np.ndarray,
        labels: NDArray[np.int64] | None,
        odd: NDArray[np.bool_],
    ) -> None:
        self.series = series
        self.prep = prep
        self.starts = np.asarray(starts, dtype=np.int64)
        self.labels = labels
        self.odd = odd
        self.shape, self.form, self.w = prep.shape, prep.form, None
        self.rows = series.rows[self.starts]
        self._values = torch.from_numpy(np.ascontiguousarray(prep.prepared(series.values), dtype=np.float32))
        self._first = torch.from_numpy(self.starts)
        self.y = torch.from_numpy(self._labels_of_windows())

    def _labels_of_windows(self) -> NDArray[np.int64]:
        if self.labels is None:
            return np.zeros(len(self.starts), dtype=np.int64)
        n = len(self.odd)
        at = np.where(self.odd, np.arange(n), n)
        following = np.minimum.accumulate(at[::-1])[::-1]  # the first anomalous step from each step on
        last = self.starts + self.prep.window - 1
        return self.labels[np.minimum(following[self.starts], last)]

    def __len__(self) -> int:
        return len(self.starts)

    def x(self, index: Tensor) -> Tensor:
        """(len(index), L, V) float32."""
        return self._values[self._first[index, None] + torch.arange(self.prep.window)]

    @property
    def steps(self) -> NDArray[np.int64]:
        """(m,) the steps that lie in any window, growing."""
        held = np.zeros(len(self.odd) + 1, dtype=np.int64)
        np.add.at(held, self.starts, 1)
        np.add.at(held, self.starts + self.prep.window, -1)
        return np.flatnonzero(held.cumsum()[:-1] > 0)

    def apart(self) -> NDArray[np.int64]:
        """Numbers of windows of which no two share a step, the newest among them.

        They begin 1.38 windows apart, not one: a window is often a season, and all would begin at the same hour. By the
        golden section the parts of the season at which they begin are spread evenly.
        """
        L, newest = self.prep.window, int(self.starts[-1])
        chosen: list[int] = []
        wanted = newest
        while (i := int(np.searchsorted(self.starts, wanted, side="right")) - 1) >= 0:
            chosen.append(i)
            wanted = min(int(self.starts[i]) - L, newest - int(len(chosen) * (1 + GOLDEN) * L))
        return np.array(chosen[::-1], dtype=np.int64)

    def where(self, i: int) -> str:
        """The first and the last step."""
        first = int(self.starts[i])
        return f"{self.series.label(first)} to {self.series.label(first + self.prep.window - 1)}"
