"""Simple models beside a net that learns from samples alone: the mean, principal components as many as its code, and
where there are anomalies two detectors of such.

    x̂ = x̄ + V Vᵀ(x − x̄)        V the first d principal directions of the training samples; ‖x − x̂‖² is its score

A linear autoencoder of squared error can do no better than this. Bourlard and Kamp 1988.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workings.base.events import Emit, Phase
from workings.data.source import Source
from workings.learning import unsupervised_scores as scores
from workings.learning.metrics import Evaluation
from workings.report.anomaly_baselines import anomaly_baselines

MOST_ROWS = 20_000  # of the training samples that the directions are found from
MOST_NUMBERS = 60_000_000  # of these samples together
BATCH = 1024


def run_baselines(train: Source, test: Source, odd: np.ndarray, d: int, seed: int, emit: Emit) -> list[dict[str, Any]]:
    """What ``baselines.json`` holds of each. odd: (n,) bool, the anomalies among the test samples. d: of the code."""
    emit(Phase("comparing", "the mean, and principal components"))
    found = []
    for name, mean, V, began in linear_models(train, d, seed):
        found.append(_baseline(name, test, odd, mean, V, began))
    return found + anomaly_baselines(train, test, odd, seed, emit)


def linear_models(train: Source, d: int, seed: int) -> Iterator[tuple[str, Tensor, Tensor, float]]:
    """Name, x̄ (D,), V (D, d) and when it was begun: of the mean alone, and of ``d`` principal components."""
    began = time.perf_counter()
    D = math.prod(train.shape)
    rows = np.sort(np.random.default_rng(seed).permutation(len(train))[: min(MOST_ROWS, max(d, MOST_NUMBERS // D))])
    x_ND = train.x(torch.from_numpy(rows)).flatten(1).double()
    mean = x_ND.mean(0)
    yield "always the mean sample", mean, torch.zeros(D, 0, dtype=torch.float64), began
    began = time.perf_counter()
    values, vectors = torch.linalg.eigh((x_ND - mean).T @ (x_ND - mean) / len(x_ND))
    d = min(d, int((values > 0).sum()))
    yield f"principal components, {d}", mean, vectors[:, -d:], began


def _baseline(name: str, test: Source, odd: np.ndarray, mean: Tensor, V: Tensor, began: float) -> dict[str, Any]:
    parts = []
    for start in range(0, len(test), BATCH):
        x_BD = test.x(torch.arange(start, min(start + BATCH, len(test)))).flatten(1).double() - mean
        parts.append(torch.stack([(x_BD - x_BD @ V @ V.T).square().sum(1), x_BD.square().sum(1)], 1))
    squares, spread = torch.cat(parts).numpy().T
    regular = ~odd if (~odd).any() else odd
    found: list[Evaluation] = [scores.reconstruction(squares[regular], spread[regular], mean.numel())]
    if odd.any() and (~odd).any():
        found.append(scores.anomaly(squares, odd, None))
    metrics = scores.joined(found).metrics
    return {"name": name, "metrics": metrics, "seconds": time.perf_counter() - began, "note": ""}
