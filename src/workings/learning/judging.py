"""−ln p of each token of a text, and what follows from it: nats a token, perplexity, bits a character, with intervals.

Tokens of a text depend on their neighbours, so intervals come from blocks: runs of neighbouring tokens are drawn anew
with replacement, as many as there are, 1,000 times (Künsch 1989); the 2.5 and 97.5 percentiles are told.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workings.learning.intervals import RESAMPLES

BLOCK = 500  # tokens; fewer where the text has few, so that there are at least FEWEST blocks
FEWEST = 20
NUMBERS = 1 << 24  # logits at once


class Windows(Protocol):
    """What is needed of a text's source; see ``data/language/windows.py``."""

    @property
    def tokens(self) -> np.ndarray: ...

    def x(self, index: Tensor) -> Tensor: ...

    def targets(self, index: Tensor) -> Tensor: ...

    def judging(self, context: bool) -> tuple[Tensor, Tensor]: ...


@dataclass(frozen=True)
class Surprise:
    """Of the N tokens of a text: nats (N,) float64, −ln p of each; first (N,) int32, the likeliest one there."""

    nats: np.ndarray
    first: np.ndarray


@torch.no_grad()
def surprise(net: nn.Module, source: Windows, outputs: int, context: bool = True) -> Surprise:
    """Every token of the text once, in windows with half a window of context each, or side by side.

    outputs: V, by which the windows judged at once are counted. The net's mode is put back.
    """
    mode = net.training
    net.eval()
    starts, fresh = source.judging(context)
    nats, first = [], []
    T = source.x(starts[:1]).shape[1]
    batch = max(1, min(64, NUMBERS // (T * outputs)))
    for index, counted in zip(starts.split(batch), fresh.split(batch), strict=True):
        y_BT = source.targets(index)
        z_BTV = net(source.x(index)).float()
        nats_BT = F.cross_entropy(z_BTV.flatten(0, 1), y_BT.flatten(), reduction="none").view(y_BT.shape)
        first_BT = z_BTV.argmax(2)
        for b, count in enumerate(counted.tolist()):
            # Of a text shorter than a window the targets stand first, and padding behind them.
            end = min(T, len(source.tokens))
            nats.append(nats_BT[b, end - count : end])
            first.append(first_BT[b, end - count : end])
    net.train(mode)
    return Surprise(torch.cat(nats).double().numpy(), torch.cat(first).int().numpy())


def text_metrics(
    nats: np.ndarray, hit: np.ndarray, spelling: np.ndarray, characters: np.ndarray, seed: int = 0
) -> tuple[dict[str, float], dict[str, list[float]], str]:
    """The metrics of a text, their 95 % intervals, and how these were found.

    nats: (N,) −ln p of each token. hit: (N,) whether it was the first choice. spelling: (N,) nats to spell out what
    an unknown token hides; characters: (N,) that each stands for. So a character's bits are those of the text as it
    is, whatever its tokens are: (Σ nats + Σ spelling) / (ln 2 · Σ characters).
    """
    N = len(nats)
    values = np.stack([np.ones(N), nats, hit.astype(np.float64), nats + spelling, characters.astype(np.float64)])
    metrics = {name: float(value) for name, value in _metrics(values.sum(1)).items()}
    size = max(1, min(BLOCK, N // FEWEST))
    blocks = np.stack([part.sum(1) for part in np.array_split(values, max(1, N // size), axis=1)])
    if len(blocks) < 2:
        return metrics, {}, ""
    drawn = np.random.default_rng(seed).integers(0, len(blocks), (RESAMPLES, len(blocks)))
    resampled = _metrics(blocks[drawn].sum(1).T)
    intervals = {}
    for name, found in resampled.items():
        low, high = np.percentile(found, [2.5, 97.5])
        if high > low:
            intervals[name] = [float(low), float(high)]
    how = f"percentile bootstrap over {len(blocks):,} blocks of {size:,} tokens, {RESAMPLES:,} resamples, seed {seed}"
    return metrics, intervals, how


def _metrics(sums: np.ndarray) -> dict[str, np.ndarray]:
    """From sums (5, …) over tokens: how many, nats, hits, nats with spelling, characters."""
    count, nats, hits, whole, characters = sums
    mean = nats / count
    return {
        "nats_per_token": mean,
        "perplexity": np.exp(mean),
        "bits_per_character": whole / (math.log(2) * np.maximum(characters, 1)),
        "token_accuracy": hits / count,
    }
