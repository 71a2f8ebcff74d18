"""What the report shows of an adversarial network, and the normal distribution that it has to beat."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

import workings
from workings.data.source import MemorySource
from workings.report.gan import normal_draws, sections
from workings.report.reading import read_run


def test_the_normal_distribution_has_the_mean_and_covariance_of_the_samples() -> None:
    """Of many draws, and the same ones from the same seed; what lies outside is cut for images alone."""
    g = torch.Generator().manual_seed(0)
    x = torch.randn(3000, 3, generator=g) @ torch.tensor([[2.0, 0, 0], [1, 1, 0], [0, 0.5, 0.3]]) + 5
    source = MemorySource(x, torch.zeros(3000))
    made = normal_draws(source, 40_000, 1)
    torch.testing.assert_close(made.mean(0), x.mean(0), atol=0.05, rtol=0)
    torch.testing.assert_close(made.T.cov(), x.T.cov(), atol=0.15, rtol=0)
    assert torch.equal(made, normal_draws(source, 40_000, 1))
    images = MemorySource(torch.rand(50, 1, 2, 2, generator=g).round(), torch.zeros(50))
    made = normal_draws(images, 100, 1)
    assert made.shape == (100, 1, 2, 2)
    assert torch.equal(made, made.clamp(0, 1))


def test_both_players_and_the_classes_drawn_are_shown(tmp_path: Path) -> None:
    """A section with the losses of both, the share of each class among the draws, and the baseline's own figures."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 2)).astype(np.float32)
    X[:, 0] += np.repeat([-3, 3], 60)
    run = workings.train(
        (X, np.repeat(["left", "right"], 60)),
        net="gan",
        out=tmp_path / "run",
        epochs=30,
        settings={"batch_size": 30, "hidden": [8], "lane": "eager@1", "report": False},
    )
    found = sections(read_run(run.path))
    assert [each.id for each in found] == ["game"]
    body = str(found[0].body)
    assert "generator" in body
    kept = json.loads((run.path / "draws.json").read_text(encoding="utf-8"))
    assert sum(kept["shares"]) == 1
    assert min(kept["shares"]) == run.metrics["rarest_share"]
    assert all(name in body for name in kept["classes"])
    baselines = json.loads((run.path / "baselines.json").read_text(encoding="utf-8"))["baselines"]
    assert set(baselines[0]["metrics"]) == set(run.metrics) - {"judge_accuracy"}
