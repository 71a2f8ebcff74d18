"""Attention of a recurrent net: which of the source's states matter for what is written next.

    e_t = score(s, h_t)                      how well the state s fits the source's state h_t
    α   = softmax over the real t of e       the alignment: how much of each h_t is taken
    c   = Σ_t α_t h_t                        the context

    dot             score(s, h) = sᵀ h                       Luong, Pham and Manning 2015
    multiplicative  score(s, h) = sᵀ W h                     Luong et al. 2015 ("general")
    additive        score(s, h) = vᵀ tanh(W_1 s + W_2 h)     Bahdanau, Cho and Bengio 2015

Attention of many heads at once, as transformers use it, is in ``multihead.py``.

Legend: B batch, T source steps, U target steps, S numbers of s, H numbers of h, A units between.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

SCORES = ("dot", "multiplicative", "additive")


def masked_softmax(e: Tensor, real: Tensor) -> Tensor:
    """α = exp(e)/Σ exp(e) over the last axis where ``real``, 0 elsewhere; all 0 where nothing is real, never NaN.

    e: any shape. real: bool, spread over e.
    """
    # The smallest number, not −∞: where all is padding −∞ − (−∞) would be NaN, in the gradient too.
    lowest = torch.finfo(e.dtype).min
    return torch.softmax(e.masked_fill(~real, lowest), dim=-1) * real.to(e.dtype)


class Score(nn.Module):
    """How well a state s fits each state of the source; ``attend`` takes the mean of these by it.

    What depends on the source alone, ``keys``, is worked out once and given again at every step.

    Args:
        kind: one of ``SCORES``. state: S. memory: H; for dot they must be equal.
        width: A, for additive; S where None.
    """

    def __init__(self, kind: str, state: int, memory: int, width: int | None = None) -> None:
        super().__init__()
        assert kind in SCORES
        assert kind != "dot" or state == memory
        self.kind = kind
        if kind == "multiplicative":
            self.W = nn.Linear(memory, state, bias=False)
        elif kind == "additive":
            A = width or state
            self.W_1 = nn.Linear(state, A, bias=False)
            self.W_2 = nn.Linear(memory, A, bias=False)
            self.v = nn.Linear(A, 1, bias=False)

    def keys(self, h_BTH: Tensor) -> Tensor:
        """What the score needs of the source: h (B, T, H), W h (B, T, S) or W_2 h (B, T, A)."""
        if self.kind == "dot":
            return h_BTH
        return self.W(h_BTH) if self.kind == "multiplicative" else self.W_2(h_BTH)

    def forward(self, s: Tensor, keys: Tensor) -> Tensor:
        """s (B, S) or (B, U, S), keys (B, T, ·) → e (B, T) or (B, U, T)."""
        if self.kind == "additive":
            query = self.W_1(s)
            spread = keys if s.ndim == 2 else keys[:, None]
            return self.v(torch.tanh(query[..., None, :] + spread))[..., 0]
        if s.ndim == 2:
            return torch.bmm(keys, s[:, :, None])[:, :, 0]
        return torch.bmm(s, keys.transpose(1, 2))

    def attend(self, s: Tensor, h_BTH: Tensor, real_BT: Tensor, keys: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The context and the alignment.

        s: (B, S), or (B, U, S) for several target steps at once. h_BTH: the source's states. real_BT: where the
        source has tokens. keys: ``self.keys(h_BTH)``, where it is at hand.

        Returns c (B, H) and α (B, T), or (B, U, H) and (B, U, T). Both are 0 where nothing is real.
        """
        e = self(s, self.keys(h_BTH) if keys is None else keys)
        if s.ndim == 2:
            α = masked_softmax(e, real_BT)
            return torch.bmm(α[:, None], h_BTH)[:, 0], α
        α = masked_softmax(e, real_BT[:, None])
        return torch.bmm(α, h_BTH), α

    def extra_repr(self) -> str:
        return self.kind
