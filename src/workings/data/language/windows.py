"""A text as windows of T tokens: for learning, one may begin anywhere; for judging, they cover each token once.

The target of a place is the token after it. What stands before the text (the end of a line) comes first, so that the
first token is a target too.

Judging with half a window of context: the first window counts all its targets, every later one only its newer half,
whose context is the older half at least. Without, windows stand side by side.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from workings.base.form import Form
from workings.base.tokens import PAD
from workings.data.source import Source


class TextWindows(Source):
    """N tokens of one text.

    tokens: (N,) int32. characters: (N,) how many each stands for. spelling: (N,) float64, nats to spell out what an
    unknown token hides, 0 for known ones. piece: (N,) the row of the data that each token is of.
    """

    counted = "windows"

    def __init__(
        self,
        tokens: np.ndarray,
        before: int,
        length: int,
        form: Form,
        *,
        characters: np.ndarray,
        spelling: np.ndarray,
        piece: np.ndarray,
        place: Callable[[int], str],
    ) -> None:
        """before: the token that stands before the text. length: T. place: where a row of the data is."""
        N = len(tokens)
        self.tokens, self.characters, self.spelling, self.piece = tokens, characters, spelling, piece
        # A tail of padding for a text that is shorter than a window.
        padding = np.full(max(0, length - N), PAD, dtype=np.int32)
        self._flat = torch.from_numpy(np.concatenate([np.array([before], dtype=np.int32), tokens, padding]))
        self._place = place
        self.length = length
        self.shape = (length,)
        self.stride = length
        self.form = form
        self.w = None
        self.rows = np.arange(max(1, N - length + 1), dtype=np.int64)
        self.y = self._flat[1:]

    def _cut(self, index: Tensor, shift: int) -> Tensor:
        return self._flat[index[:, None] + torch.arange(shift, self.length + shift)].long()

    def x(self, index: Tensor) -> Tensor:
        """(len(index), T) int64: the windows that begin at ``index``."""
        return self._cut(index, 0).masked_fill_(self.targets(index) == PAD, PAD)

    def targets(self, index: Tensor) -> Tensor:
        """(len(index), T) int64: the token after each."""
        return self._cut(index, 1)

    def where(self, i: int) -> str:
        """Where window ``i`` begins."""
        return f"from {self._place(int(self.piece[i]))}"

    def place(self, row: int) -> str:
        """Where a row of the data is."""
        return self._place(row)

    def judging(self, context: bool) -> tuple[Tensor, Tensor]:
        """Windows that cover every target once: where each begins, and how many of its last targets it counts.

        context: whether every target has half a window before it, as far as the text has.
        """
        N, T = len(self.tokens), self.length
        step = max(1, T // 2) if context else T
        starts, fresh, covered = [0], [min(N, T)], min(N, T)
        while covered < N:
            end = min(N, covered + step)
            starts.append(end - T if context else covered)
            fresh.append(end - covered)
            covered = end
        if not context and len(starts) > 1:  # the last is as long as the others, so that batches can be stacked
            starts[-1] = N - T
        return torch.tensor(starts), torch.tensor(fresh)
