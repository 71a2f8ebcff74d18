"""A net's raw outputs over a whole source, and what they mean for the task."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn


class Samples(Protocol):
    """What is needed of a data source; see ``workings.data.source.Source``."""

    def __len__(self) -> int: ...

    def x(self, index: Tensor) -> Tensor: ...


@torch.no_grad()
def outputs(
    net: nn.Module, source: Samples, batch: int = 512, stored: Callable[[Tensor], Tensor] | None = None
) -> Tensor:
    """The net's outputs in evaluation mode, (n, K); the net's mode is put back. ``stored``: lays a batch out anew."""
    mode = net.training
    net.eval()
    parts = []
    for start in range(0, len(source), batch):
        x = source.x(torch.arange(start, min(start + batch, len(source))))
        out = net(x if stored is None else stored(x))
        parts.append(out[:, None] if out.ndim == 1 else out)
    net.train(mode)
    return torch.cat(parts)


def decide(task: str, out: Tensor) -> tuple[np.ndarray, np.ndarray | None]:
    """Predictions (n,) and probabilities (n, K) from raw outputs.

    binary: p = σ(z), class 1 where z ≥ 0; probabilities of both classes. multiclass: softmax, the largest.
    regression: the values themselves, no probabilities.
    """
    out = out.double()
    if task == "regression":
        return out[:, 0].numpy(), None
    if task == "binary" and out.shape[1] == 1:
        p = torch.sigmoid(out[:, 0])
        return (out[:, 0] >= 0).long().numpy(), torch.stack([1 - p, p], dim=1).numpy()
    probability = torch.softmax(out, dim=1)
    return probability.argmax(dim=1).numpy(), probability.numpy()
