"""A function of every sample of a source, the net in evaluation mode."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from workings.data.source import Source

BATCH = 512


def batches_of(net: nn.Module, source: Source) -> Iterator[Tensor]:
    """The samples of a source in batches, the net in evaluation mode."""
    net.eval()
    for start in range(0, len(source), BATCH):
        yield source.x(torch.arange(start, min(start + BATCH, len(source))))


@torch.no_grad()
def each_of(net: nn.Module, source: Source, function: Callable[[Tensor], Tensor]) -> np.ndarray:
    """(n, k) float64: ``function`` of every sample of a source, which gives (B,) or (B, k)."""
    parts = [function(x) for x in batches_of(net, source)]
    return torch.cat([part[:, None] if part.ndim == 1 else part for part in parts]).double().numpy()
