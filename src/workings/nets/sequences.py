"""What nets for sequences share: tokens become vectors, and padding is known and changes nothing.

Tokens (B, T) int64 are padded by PAD at the end. Frames (B, T, F) float32 are padded by NaN at the end: a frame that
is not there has no value, so that no net can take it for one.

Legend: B batch, T steps, F numbers of a frame, D numbers of a vector.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn

from workings.base.form import Form
from workings.base.tokens import PAD, UNK
from workings.nets.layers import Dropout

# Of a token's first vector. From N(0, 1), torch's own, rare words would keep what was drawn and little of what they
# learnt: on sentences of films that costs six points of accuracy.
SPREAD = 0.1


class ToVectors(nn.Module):
    """x (B, T) tokens or (B, T, F) frames → vectors (B, T, D) and where they are real, (B, T) bool.

    Tokens are looked up in a table, which begins as N(0, 0.1²); frames are taken as they are (D = F). Vectors at
    padding are 0.

    dropout: of single numbers, in training. word_dropout: of whole steps, in training: a token becomes the unknown
    one, which so learns what to say of words never seen; a frame becomes 0.
    """

    def __init__(
        self, shape: tuple[int, ...], form: Form, embedding: int, dropout: float = 0.0, word_dropout: float = 0.0
    ) -> None:
        super().__init__()
        if form.vocabulary is not None:
            assert isinstance(form.vocabulary, int)
            self.embedding = nn.Embedding(form.vocabulary, embedding, padding_idx=PAD)
            with torch.no_grad():
                self.embedding.weight.mul_(SPREAD)
            self.width = embedding
        else:
            self.embedding = None
            self.width = shape[-1]
        self.word_dropout = word_dropout
        self.dropout = Dropout(dropout) if dropout else None

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        if self.embedding is not None:
            real = x != PAD
            vectors = self.embedding(torch.where(self._dropped(x) & real, UNK, x) if self._drops else x)
        else:
            real = ~torch.isnan(x[..., 0])
            kept = real & ~self._dropped(x) if self._drops else real
            vectors = torch.where(kept[..., None], x, torch.zeros((), dtype=x.dtype, device=x.device))
        return vectors if self.dropout is None else self.dropout(vectors), real

    @property
    def _drops(self) -> bool:
        return self.training and self.word_dropout > 0

    def _dropped(self, x: Tensor) -> Tensor:
        """(B, T) bool, drawn from torch's global generator."""
        return torch.rand(x.shape[:2], device=x.device) < self.word_dropout


def lengths_of(real: Tensor) -> Tensor:
    """(B,) steps that are real, one at least."""
    return real.sum(1).clamp(min=1)


def last_step(h_BTD: Tensor, real: Tensor) -> Tensor:
    """(B, D): the vector at the last real step."""
    at = (lengths_of(real) - 1)[:, None, None].expand(-1, 1, h_BTD.shape[2])
    return h_BTD.gather(1, at)[:, 0]


def mean_over_steps(h_BTD: Tensor, real: Tensor) -> Tensor:
    """(B, D): the mean over the real steps."""
    kept = real[..., None].to(h_BTD.dtype)
    return (h_BTD * kept).sum(1) / kept.sum(1).clamp(min=1)


def max_over_steps(h_BTD: Tensor, real: Tensor) -> Tensor:
    """(B, D): the largest value over the real steps."""
    return h_BTD.masked_fill(~real[..., None], -torch.inf).max(1).values


class Writes(Protocol):
    """A net that can write: one token more at each step, from what it has written so far.

    The state is a dictionary of tensors whose first dimension is the batch, so that whoever searches can reorder it.
    """

    def start(self, source_BS: Tensor | None, batch: int) -> dict[str, Tensor]:
        """The state before the first token; ``source_BS`` are the source tokens of pairs, None otherwise."""
        ...

    def step(self, token_B: Tensor, state: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """The logits (B, V) of the token after ``token_B`` (B,), and the new state; the one given stays as it was."""
        ...
