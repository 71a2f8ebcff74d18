"""Beam search: the likeliest text found while the ``beams`` likeliest beginnings are followed.

A text y of n tokens (EOS counted) has the score s(y) = Σ ln p(yₜ|y₁…yₜ₋₁) / lp(n), with lp(n) = ((5 + n)/6)^α
(Wu et al. 2016, equation 14). α = 0 compares sums, which favours short texts; 1 nearly compares means.

With as many beams as there are beginnings, it is exhaustive; a test compares it with that.

Legend: B batch, K beams, S source steps, T steps written, V tokens of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from workings.base.tokens import BOS, EOS
from workings.learning.decoding import NEVER
from workings.learning.writers import read_prompt, writing


@dataclass(frozen=True)
class Hypothesis:
    """One text: its tokens without EOS, its score s(y), Σ ln p, and whether it ended or was cut at the length."""

    tokens: list[int]
    score: float
    logp: float
    ended: bool


def length_penalty(n: int, alpha: float) -> float:
    """lp(n) = ((5 + n)/6)^α."""
    return ((5 + n) / 6) ** alpha


@torch.no_grad()
def beam_search(
    net: nn.Module,
    source_BS: Tensor | None,
    length: int,
    *,
    beams: int = 4,
    penalty: float = 0.6,
    batch: int = 1,
    start: int = BOS,
    never: Sequence[int] = NEVER,
) -> list[list[Hypothesis]]:
    """For each source the ``beams`` best texts found, best first; texts have at most ``length`` tokens, EOS counted.

    penalty: α. batch: how many texts, where there is no source. never: tokens that must not come.
    """
    B = batch if source_BS is None else len(source_BS)
    device = source_BS.device if source_BS is not None else next((p.device for p in net.parameters()), None)
    found: list[list[Hypothesis]] = [[] for _ in range(B)]
    with writing(net) as writer:
        first_B1 = torch.full((B, 1), start, dtype=torch.int64, device=device)
        z_NV, state = read_prompt(writer, source_BS, first_B1)
        K = 1  # of each text one beginning, the empty one
        sums_BK = torch.zeros(B, 1, dtype=torch.float64)
        written_BKT = torch.zeros(B, 1, 0, dtype=torch.int64)
        for t in range(1, length + 1):
            logp_NV = torch.log_softmax(z_NV.double(), 1).cpu()
            logp_NV[:, list(never)] = -torch.inf
            V = logp_NV.shape[1]
            sums_BKV = sums_BK[:, :, None] + logp_NV.view(B, K, V)
            _keep_ended(found, sums_BKV[:, :, EOS], written_BKT, t, penalty, beams)
            sums_BKV[:, :, EOS] = -torch.inf
            best = sums_BKV.view(B, K * V).topk(min(beams, K * V), dim=1)
            parent_BK, token_BK = best.indices // V, best.indices % V
            sums_BK = best.values
            written_BKT = torch.cat(
                [written_BKT.gather(1, parent_BK[:, :, None].expand(-1, -1, t - 1)), token_BK[:, :, None]], 2
            )
            if t == length:
                _keep_cut(found, sums_BK, written_BKT, penalty)
            if t == length or _settled(found, sums_BK, length, penalty, beams):
                break
            rows_N = (parent_BK + K * torch.arange(B)[:, None]).view(-1)
            K = parent_BK.shape[1]
            state = {name: tensor[rows_N.to(tensor.device)] for name, tensor in state.items()}
            z_NV, state = writer.step(token_BK.reshape(-1).to(z_NV.device), state)
    return [sorted(each, key=lambda one: -one.score)[:beams] for each in found]


def _keep_ended(
    found: list[list[Hypothesis]], ended_BK: Tensor, written_BKT: Tensor, t: int, alpha: float, beams: int
) -> None:
    """Each beginning with EOS behind it is a whole text."""
    lp = length_penalty(t, alpha)
    for b, (sums, texts) in enumerate(zip(ended_BK.tolist(), written_BKT.tolist(), strict=True)):
        whole = [
            Hypothesis(text, logp / lp, logp, True)
            for logp, text in zip(sums, texts, strict=True)
            if logp > -float("inf")
        ]
        found[b] = sorted([*found[b], *whole], key=lambda one: -one.score)[:beams]


def _keep_cut(found: list[list[Hypothesis]], sums_BK: Tensor, written_BKT: Tensor, alpha: float) -> None:
    """What has not ended at the length is kept as it is."""
    lp = length_penalty(written_BKT.shape[2], alpha)
    for b, (sums, texts) in enumerate(zip(sums_BK.tolist(), written_BKT.tolist(), strict=True)):
        found[b] += [
            Hypothesis(text, logp / lp, logp, False)
            for logp, text in zip(sums, texts, strict=True)
            if logp > -float("inf")
        ]


def _settled(found: list[list[Hypothesis]], sums_BK: Tensor, length: int, alpha: float, beams: int) -> bool:
    """Whether nothing that is still being written can become better than what has ended.

    A sum of ln p only falls, so the best that a beginning can still reach is its own sum over the largest penalty.
    """
    most = length_penalty(length, max(alpha, 0.0))
    for each, best in zip(found, sums_BK[:, 0].tolist(), strict=True):
        if len(each) < beams or best / most > min(one.score for one in each):
            return False
    return True
