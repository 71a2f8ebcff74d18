"""Tokens to be batched by index, each batch as long as its longest text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from workings.base.form import Form
from workings.base.tokens import PAD, UNK
from workings.data.source import Source


class TextSource(Source):
    """Texts as numbers of tokens, end to end in one tensor."""

    def __init__(
        self,
        tokens: Sequence[np.ndarray],
        y: Tensor,
        rows: np.ndarray,
        form: Form,
        longest: int,
        places: Sequence[str] | None = None,
    ) -> None:
        """tokens: one int array a text; cut to ``longest``; an empty one becomes one UNK. places: where each is."""
        cut = [text[:longest] if len(text) else np.array([UNK], dtype=np.int32) for text in tokens]
        self.lengths = torch.tensor([len(text) for text in cut], dtype=torch.int64)
        # A tail of padding lets every text be read to the longest's length with one index.
        flat = np.concatenate([*cut, np.full(longest, PAD, dtype=np.int32)])
        self._flat = torch.from_numpy(flat.astype(np.int32))
        self._starts = torch.cumsum(self.lengths, 0) - self.lengths
        self.shape = (longest,)
        self.y = y
        self.w = None
        self.rows = rows
        self.form = form
        self._places = places

    def x(self, index: Tensor) -> Tensor:
        """(len(index), T) int64, T being the length of the longest of them."""
        assert self.lengths is not None
        lengths = self.lengths[index]
        steps = torch.arange(int(lengths.max()))
        at = self._starts[index, None] + steps
        real = steps < lengths[:, None]
        return torch.where(real, self._flat[at.clamp(max=len(self._flat) - 1)], PAD).long()

    def where(self, i: int) -> str:
        """The place of the text in what was brought."""
        return super().where(i) if self._places is None else self._places[i]
