"""The recurrent nets that are trained, the same for every tool."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class RecurrentSetting:
    """One recurrent layer in one direction, then a dense layer from its last step.

    kind: ``lstm`` or ``gru`` (that resets after the product, as torch and Keras have it). length: T steps of ``inputs``
    numbers. rows: of an epoch.
    """

    name: str
    title: str
    kind: str
    length: int = 64
    inputs: int = 32
    width: int = 128
    outputs: int = 10
    batch: int = 32
    rows: int = 1600

    regression = False
    channels = ()
    hidden = ()

    @property
    def parameters(self) -> int:
        """By hand, with one bias a unit and block, and for a GRU the one within its candidate."""
        D, H, G = self.inputs, self.width, 4 if self.kind == "lstm" else 3
        return G * H * (D + H + 1) + (H if self.kind == "gru" else 0) + H * self.outputs + self.outputs

    @property
    def counts(self) -> set[int]:
        """What a tool may hold: torch, and of a GRU Keras too, keep a second bias that is only added to the first."""
        H, G = self.width, 4 if self.kind == "lstm" else 3
        return {self.parameters, self.parameters + G * H - (H if self.kind == "gru" else 0)}

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """x (rows, T, D) float32; y (rows,) int64 class numbers."""
        generator = np.random.default_rng(0)
        x = generator.standard_normal((self.rows, self.length, self.inputs), dtype=np.float32)
        return x, generator.integers(0, self.outputs, self.rows)

    def steps(self, rows: int) -> int:
        """Optimiser steps of one epoch; a short last batch counts as a whole step."""
        return math.ceil(rows / self.batch)


RECURRENT = {
    each.name: each
    for each in (
        RecurrentSetting("lstm", "LSTM 32→128, 64 steps, batch 32", "lstm"),
        RecurrentSetting("gru", "GRU 32→128, 64 steps, batch 32", "gru"),
    )
}
