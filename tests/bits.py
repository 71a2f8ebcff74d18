"""Whether two runs are the same to the last bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file


def weights(run: Any) -> dict[str, torch.Tensor]:
    """The tensors of a run's weights file."""
    return load_file(Path(run.path) / "weights.safetensors")


def assert_same_bits(a: Any, b: Any) -> None:
    """Two runs have the same weights, bit for bit, and the same test metrics."""
    ours, theirs = weights(a), weights(b)
    assert ours.keys() == theirs.keys()
    for name in ours:
        assert torch.equal(ours[name], theirs[name]), name
    assert a.metrics == b.metrics
