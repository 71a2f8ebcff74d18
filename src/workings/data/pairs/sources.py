"""Pairs to be batched by index, each batch as long as its longest text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from workings.base.form import Form
from workings.base.tokens import BOS, EOS, PAD, UNK
from workings.data.source import Source


class Ragged:
    """Rows of tokens of different lengths, end to end in one tensor."""

    def __init__(self, rows: Sequence[np.ndarray], longest: int) -> None:
        self.lengths = torch.tensor([len(row) for row in rows], dtype=torch.int64)
        # A tail of padding lets every row be read to the longest's length with one index.
        flat = np.concatenate([*rows, np.full(longest, PAD, dtype=np.int32)]) if rows else np.zeros(longest)
        self._flat = torch.from_numpy(flat.astype(np.int32))
        self._starts = torch.cumsum(self.lengths, 0) - self.lengths

    def __getitem__(self, index_and_steps: tuple[Tensor, int]) -> Tensor:
        """(len(index), steps) int64, PAD behind the end of each row."""
        index, steps = index_and_steps
        at = self._starts[index, None] + torch.arange(steps)
        real = torch.arange(steps) < self.lengths[index, None]
        return torch.where(real, self._flat[at.clamp(max=len(self._flat) - 1)], PAD).long()


class PairSource(Source):
    """Source tokens, and target tokens that begin with BOS in x and end with EOS in y.

    A target that is cut has no EOS: the net is not taught to stop where our patience did.
    """

    counted = "pairs"

    def __init__(
        self,
        sources: Sequence[np.ndarray],
        targets: Sequence[np.ndarray] | None,
        rows: np.ndarray,
        form: Form,
        longest: int,
        places: Sequence[str],
        texts: Sequence[str] = (),
        truths: Sequence[str] | None = None,
    ) -> None:
        """sources, targets: one int array a text, without BOS and EOS; None where the truth is not known.

        texts, truths: the same as they were brought.
        """
        self.texts = list(texts)
        self.truths = None if truths is None else list(truths)
        self._source = Ragged([row[:longest] if len(row) else np.array([UNK], np.int32) for row in sources], longest)
        bare = [np.zeros(0, np.int32)] * len(rows) if targets is None else targets
        end = np.array([EOS], np.int32)
        self._target = Ragged([np.concatenate([row, end])[:longest] for row in bare], longest)
        self.lengths = torch.maximum(self._source.lengths, self._target.lengths)
        self.shape = (2, longest)
        self.w = None
        self.rows = rows
        self.form = form
        self._places = places

    @property
    def y(self) -> Tensor:  # pyright: ignore[reportIncompatibleVariableOverride]
        """(n, T) int64: made anew at each call, as nobody needs all of it in training."""
        return self.targets(torch.arange(len(self)))

    @property
    def source_lengths(self) -> Tensor:
        """(n,) int64: tokens of each source text."""
        return self._source.lengths

    def _steps(self, index: Tensor) -> int:
        assert self.lengths is not None
        return int(self.lengths[index].max()) if len(index) else 1

    def x(self, index: Tensor) -> Tensor:
        """(len(index), 2, T) int64, T being the length of the longest of them."""
        steps = self._steps(index)
        y = self._target[index, steps]
        begun = torch.full_like(y[:, :1], BOS)
        # Shifted right: the last token of each text is answered, not read.
        shifted = torch.where(y[:, 1:] == PAD, PAD, y[:, :-1])
        return torch.stack([self._source[index, steps], torch.cat([begun, shifted], 1)], 1)

    def targets(self, index: Tensor) -> Tensor:
        """(len(index), T) int64 tokens, EOS and then PAD at the end."""
        return self._target[index, self._steps(index)]

    def where(self, i: int) -> str:
        """The place of the pair in what was brought."""
        return self._places[i]
