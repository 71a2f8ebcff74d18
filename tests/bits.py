"""Whether two runs are the same to the last bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from workings.runs.memory import load_memory


def weights(run: Any) -> dict[str, torch.Tensor]:
    """The tensors of a run's weights file."""
    return load_file(Path(run.path) / "weights.safetensors")


def assert_same_bits(a: Any, b: Any) -> None:
    """Two runs have the same weights and the same optimiser's memory, bit for bit, and the same test metrics."""
    memories = [load_memory(Path(run.path)) for run in (a, b)]
    assert memories[0] is not None
    assert memories[1] is not None
    assert memories[0].step == memories[1].step
    for ours, theirs in ((weights(a), weights(b)), (memories[0].tensors, memories[1].tensors)):
        assert ours.keys() == theirs.keys()
        for name in ours:
            assert torch.equal(ours[name], theirs[name]), name
    assert a.metrics == b.metrics
