"""The transformers that are trained, the same for every tool: a small GPT and a classifier of texts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

FIRST = 4  # tokens below stand for padding, the unknown, the beginning and the end


@dataclass(frozen=True)
class AttentionSetting:
    """One transformer on one batch size: pre-norm, GELU, learned positions, four widths of hidden units.

    kind: ``gpt`` (causal, a token for every step, the output tied to the tokens' vectors) or ``text`` (padding masked,
    the mean over the places, ``outputs`` classes). steps: T. rows: of an epoch.
    """

    name: str
    title: str
    kind: str
    length: int
    vocabulary: int
    layers: int
    width: int
    heads: int
    outputs: int
    batch: int
    rows: int

    regression = False
    channels = ()
    hidden = ()

    @property
    def parameters(self) -> int:
        """Weights and biases, by hand: a tool that built another net is found out."""
        D = self.width
        block = 4 * D * D + 8 * D * D + (4 + 5 + 4) * D  # attention, feed-forward; their biases and two norms
        classify = 0 if self.kind == "gpt" else D * self.outputs + self.outputs
        return (self.vocabulary + self.length) * D + self.layers * block + 2 * D + classify

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """x (rows, T) int64 tokens, of texts padded by 0 behind a half to all of T; y (rows, T) tokens or (rows,)."""
        generator = np.random.default_rng(0)
        tokens = generator.integers(FIRST, self.vocabulary, (self.rows, self.length + 1))
        if self.kind == "gpt":
            return tokens[:, :-1].copy(), tokens[:, 1:].copy()
        lengths = generator.integers(self.length // 2, self.length + 1, (self.rows, 1))
        x = np.where(np.arange(self.length) < lengths, tokens[:, :-1], 0)
        return x, generator.integers(0, self.outputs, self.rows)

    def steps(self, rows: int) -> int:
        """Optimiser steps of one epoch; a short last batch counts as a whole step."""
        return math.ceil(rows / self.batch)


ATTENTION = {
    each.name: each
    for each in (
        AttentionSetting(
            "gpt", "GPT of 4 layers, width 128, context 128, batch 16", "gpt",
            length=128, vocabulary=65, layers=4, width=128, heads=4, outputs=65, batch=16, rows=640,
        ),
        AttentionSetting(
            "text", "Transformer encoder of 2 layers, width 128, 64 tokens, batch 32", "text",
            length=64, vocabulary=5000, layers=2, width=128, heads=4, outputs=2, batch=32, rows=1280,
        ),
    )
}  # fmt: skip
