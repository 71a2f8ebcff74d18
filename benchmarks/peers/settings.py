"""What is trained, the same for every tool: three nets, their batches and their data."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from attention_settings import ATTENTION, AttentionSetting
from recurrent_settings import RECURRENT, RecurrentSetting

ROWS = 10_000
LEARNING_RATE = 1e-3


@dataclass(frozen=True)
class Setting:
    """One net on one batch size.

    shape: of a sample; images are (channels, height, width). channels: filters of each 3×3 convolution, each
    followed by ReLU and 2×2 max pooling. hidden: units of each dense layer, each followed by ReLU.
    outputs: classes, or 1 for a regression with the mean squared error.
    """

    name: str
    title: str
    shape: tuple[int, ...]
    channels: tuple[int, ...]
    hidden: tuple[int, ...]
    outputs: int
    batch: int
    rows: int = ROWS

    @property
    def regression(self) -> bool:
        return self.outputs == 1

    @property
    def parameters(self) -> int:
        """Weights and biases, by hand: a tool that built another net is found out."""
        total, inputs = 0, self.shape[0]
        for filters in self.channels:
            total, inputs = total + 9 * inputs * filters + filters, filters
        inputs *= math.prod(self.shape[1:]) // 4 ** len(self.channels)
        for units in (*self.hidden, self.outputs):
            total, inputs = total + inputs * units + units, units
        return total

    def data(self, rows: int = ROWS) -> tuple[np.ndarray, np.ndarray]:
        """x (rows, *shape) float32; y (rows, 1) float32, or (rows,) int64 class numbers. Always the same numbers."""
        generator = np.random.default_rng(0)
        x = generator.standard_normal((ROWS, *self.shape), dtype=np.float32)
        if self.regression:
            y = generator.standard_normal((ROWS, 1), dtype=np.float32)
        else:
            y = generator.integers(0, self.outputs, ROWS)
        return x[:rows], y[:rows]

    def steps(self, rows: int) -> int:
        """Optimiser steps of one epoch; a short last batch counts as a whole step, in favour of whoever has one."""
        return math.ceil(rows / self.batch)


SETTINGS = {
    each.name: each
    for each in (
        Setting("small", "MLP 20-64-64-1, batch 32", (20,), (), (64, 64), 1, 32),
        Setting("cnn", "CNN 28×28 (32, 64 filters, dense 128), batch 64", (1, 28, 28), (32, 64), (128,), 10, 64),
        Setting("wide", "MLP 784-512-256-10, batch 128", (784,), (), (512, 256), 10, 128),
    )
}

AnySetting = Setting | AttentionSetting | RecurrentSetting
ALL: dict[str, AnySetting] = {**SETTINGS, **ATTENTION, **RECURRENT}
