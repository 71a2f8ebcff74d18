"""Tokens to be batched by index, each batch as long as its longest text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from workings.base.form import Form
from workings.base.problems import Problem
from workings.base.tokens import PAD, UNK
from workings.data.source import Source

MOST_UNKNOWN = 0.2  # of the tokens, beyond which the texts are not like those of training


class TextSource(Source):
    """Texts as numbers of tokens, end to end in one tensor.

    lengths: (n,) tokens that are read of each. unknown: (n,) how many of them the vocabulary lacks. full: (n,) tokens
    before what is too long was cut.
    """

    counted = "texts"

    def __init__(
        self,
        tokens: Sequence[np.ndarray],
        y: Tensor,
        rows: np.ndarray,
        form: Form,
        longest: int,
        places: Sequence[str] | None = None,
        texts: Sequence[str] = (),
    ) -> None:
        """tokens: one int array a text; cut to ``longest``; an empty one becomes one UNK. places: where each is.
        texts: as they were brought."""
        self.full = np.array([len(text) for text in tokens], dtype=np.int64)
        cut = [text[:longest] if len(text) else np.array([UNK], dtype=np.int32) for text in tokens]
        self.unknown = np.array([int((text == UNK).sum()) for text in cut], dtype=np.int64)
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
        self.texts = texts
        self._places = places
        self.problems = self._noticed(longest)

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

    def _noticed(self, longest: int) -> list[Problem]:
        """What is told of new texts: tokens that training never saw, and texts that are too long."""
        assert self.lengths is not None
        found: list[Problem] = []
        n, total = len(self.full), int(self.lengths.sum())
        share = float(self.unknown.sum()) / max(total, 1)
        what = f"{share:.1%} of the {total:,} tokens are not in the vocabulary."
        if share > MOST_UNKNOWN:
            why = "The network cannot tell one unknown token from another; these texts are not like those of training."
            do = "Check that they are of the same language and kind; to train again, --set tokens=bpe knows all."
            found.append(Problem("warning", "unknown-tokens", what, "", int(self.unknown.sum()), why, do))
        elif share > 0:
            found.append(Problem("note", "unknown-tokens", what, "", int(self.unknown.sum())))
        longer = int((self.full > longest).sum())
        if longer:
            what = f"{longer:,} of {n:,} texts have more than {longest:,} tokens; what is beyond is not read."
            found.append(Problem("note", "cut-texts", what, "", longer))
        return found
