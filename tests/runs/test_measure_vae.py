"""What a variational autoencoder is told to be worth, against integrals over its whole code, and on whole runs."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.distributions import Normal

import workings
from workings import nets
from workings.base.events import EpochEnded, Event, Noticed
from workings.base.form import Form
from workings.data.source import MemorySource, Part
from workings.learning.gradient import GradientRule
from workings.learning.lanes import parse_lane
from workings.learning.optimisers import make_optimiser
from workings.nets.vae import VariationalAutoencoder
from workings.runs.measure_vae import _collapse, _of_pixels, bound, weighed


def tiny(**settings: Any) -> tuple[VariationalAutoencoder, MemorySource]:
    """A net of one code unit, and 30 samples of six 0s and 1s."""
    torch.manual_seed(3)
    net = nets.build("vae", (1, 2, 3), 1, Form(), **{"hidden": (4,), "code": 1} | settings).double()
    assert isinstance(net, VariationalAutoencoder)
    with torch.no_grad():
        for p in net.parameters():
            p.mul_(2)
    x = (torch.rand(30, 1, 2, 3) > 0.5).double()
    return net, MemorySource(x, torch.zeros(30, dtype=torch.int64))


@torch.no_grad()
def test_both_bounds_lie_where_they_must() -> None:
    """−ELBO ≥ −ln p̂_k ≥ −ln p on the mean over samples, and with k = 3,000 codes −ln p̂_k is −ln p, which is
    integrated on a grid."""
    net, source = tiny()
    net.get_parameter("encoder.output.weight").mul_(0.1)  # q is wide, so that it reaches all of p(z|x)
    net.get_parameter("encoder.output.bias").copy_(torch.tensor([0.2, 0.1]))
    grid = torch.linspace(-9, 9, 901, dtype=torch.float64)[:, None]
    prior = Normal(0.0, 1.0).log_prob(grid)[:, 0]
    x = source.x(torch.arange(30))
    log_p = torch.stack([net.log_p(each.expand(901, 1, 2, 3), grid) for each in x])
    exact = -(log_p + prior + math.log(18 / 900)).logsumexp(1).numpy()
    missed, kl, mu = bound(net, source)
    assert kl.shape == mu.shape == (30, 1)
    elbo = (missed + kl[:, 0]).mean()
    few, many = weighed(net, source, k=5), weighed(net, source, k=3000)
    assert elbo > few.mean() > many.mean()
    assert np.allclose(many, exact, atol=0.03)
    assert np.array_equal(few, weighed(net, source, k=5))


def test_units_that_are_not_active_are_told() -> None:
    """Where a quarter of the units or more say the same of every sample; with what to do about it."""
    net, _ = tiny(code=20, beta=4.0)
    assert _collapse(15, net) == []
    (told,) = _collapse(14, net)
    assert (told.level, told.code, told.count) == ("warning", "posterior-collapse", 6)
    assert all(word in told.do for word in ("annealing", "free_bits", "beta, which is 4", "code=14"))
    (told,) = _collapse(0, net)
    assert "code=0" not in told.do


def test_pixels_between_0_and_1_are_told() -> None:
    """Bernoulli of grey values is no likelihood, and beyond 0 to 1 it is nothing; of a Gaussian nothing is said."""
    net, source = tiny()
    assert _of_pixels(net, source) == []
    x = source.x(torch.arange(30))
    grey = MemorySource(x * 0.5, source.y)
    (told,) = _of_pixels(net, grey)
    assert (told.level, told.code, told.count) == ("note", "bernoulli-between", int(x.sum()))
    (told,) = _of_pixels(net, MemorySource(x * 2, source.y))
    assert (told.level, told.code, told.count) == ("warning", "bernoulli-outside", int(x.sum()))
    assert _of_pixels(tiny(likelihood="gaussian")[0], grey) == []


def test_a_part_of_a_source_is_its_rows() -> None:
    """Samples, targets, labels, places."""
    whole = MemorySource(torch.arange(12.0).reshape(6, 2), torch.arange(6), rows=np.arange(10, 16))
    part = Part(Part(whole, np.array([5, 3, 1])), np.array([2, 0]))
    assert len(part) == 2
    assert part.x(torch.tensor([1, 0])).tolist() == [[10.0, 11.0], [2.0, 3.0]]
    assert part.targets(torch.tensor([0])).tolist() == [1]
    assert part.y.tolist() == [1, 5]
    assert [part.where(i) for i in (0, 1)] == ["row 12", "row 16"]


def bars(n: int = 160) -> np.ndarray:
    """Pictures of two bars, one across and one down, with a few pixels wrong."""
    rng = np.random.default_rng(0)
    x = np.zeros((n, 1, 8, 8), np.uint8)
    for picture in x:
        picture[0, rng.integers(8)] = 255
        picture[0, :, rng.integers(8)] = 255
    x[rng.random(x.shape) < 0.02] = 255
    return x


QUICK: dict[str, Any] = {"lane": "eager@1", "batch_size": 16, "baselines": False, "report": False, "binarise": 0.5}


class Interrupted:
    """Presses Ctrl-C at the end of the second epoch."""

    def __call__(self, event: Event) -> None:
        if isinstance(event, EpochEnded) and event.epoch == 2:
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    "net_settings", [{"coder": "dense", "annealing": 25}, {"coder": "convolution", "free_bits": 0.1}]
)
def test_resume_and_seed_are_bit_equal(net_settings: dict[str, Any], tmp_path: Path) -> None:
    """Also where β is still rising: the step is part of the checkpoint. All that is measured is the same."""
    small = {"hidden": [8], "channels": [4], "code": 3, **net_settings}
    given = {"net": "vae", "epochs": 4, "settings": {**QUICK, "net_settings": small}}
    data = (bars(), np.arange(160) % 2)
    whole = workings.train(data, out=tmp_path / "whole", **given)
    again = workings.train(data, out=tmp_path / "again", **given)
    with pytest.raises(KeyboardInterrupt):
        workings.train(data, out=tmp_path / "stopped", **given, emit=Interrupted())
    resumed = workings.train(data, resume=tmp_path / "stopped")
    for name, tensor in whole.net.state_dict().items():
        assert torch.equal(tensor, resumed.net.state_dict()[name]), name
        assert torch.equal(tensor, again.net.state_dict()[name]), name
    assert whole.metrics == resumed.metrics == again.metrics
    found = whole.result
    assert next(iter(found["metrics"])) == "nats_per_sample"
    assert found["metrics"]["importance_weighted_nats"] < found["metrics"]["nats_per_sample"]
    assert "k = 100 codes" in found["method"]["importance_weighted_nats"]
    assert "seed 0" in found["method"]["nats_per_sample"]


def test_anomalies_do_not_count(tmp_path: Path) -> None:
    """The bound is that of regular samples; a collapse is told in the run's notes."""
    told: list[Event] = []
    x = bars()
    x[:20] = 255 - x[:20]
    y = np.array(["odd"] * 20 + ["bars"] * 140)
    settings = {**QUICK, "net_settings": {"hidden": [8], "code": 4, "beta": 100.0}, "anomalies": ["odd"]}
    settings["learning_rate"] = 0.02
    run = workings.train((x, y), out=tmp_path / "run", net="vae", epochs=10, settings=settings, emit=told.append)
    assert run.metrics["nats_per_sample"] < 40  # an odd picture costs far more than its 64 pixels' ln 2 = 44
    assert run.metrics["active_units"] == 0
    assert run.metrics["anomaly_roc_auc"] == 1
    assert "posterior-collapse" in {each.problem.code for each in told if isinstance(each, Noticed)}


@pytest.mark.parametrize("lane", ["channels-last@1", pytest.param("gradient@1", marks=pytest.mark.slow)])
def test_lanes_draw_the_same_codes(lane: str) -> None:
    """Six steps with β rising leave the weights and the step that the plain lane leaves."""
    x = torch.rand(6, 8, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    found = []
    for name in ("eager@1", lane):
        torch.manual_seed(1)
        net = nets.build("vae", (1, 8, 8), 1, Form(), channels=(4,), code=2, annealing=4, free_bits=0.01)
        assert isinstance(net, VariationalAutoencoder)
        # A large eps, so that a gradient that is all but 0, whose sign is chance, moves nothing.
        adam = make_optimiser("adam", eps=1e-4)
        rule = GradientRule(net, net.objective, adam, lambda t: 0.01, None, parse_lane(name))
        torch.manual_seed(2)
        losses = rule.advance(x, x, None, 0)
        assert int(net.steps_done) == 6
        found.append((losses, torch.cat([p.detach().flatten() for p in net.parameters()])))
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
