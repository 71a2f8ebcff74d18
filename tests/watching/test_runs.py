"""Whole runs that are watched: the same bits, and what was seen is kept however the run ends."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workings
from bits import assert_same_bits
from workings.base.errors import NonFiniteError
from workings.base.events import EpochEnded, Event, Found
from workings.watching.history import History

QUICK: dict[str, Any] = {"lane": "eager@1", "baselines": False, "report": False}


def rows(n: int = 160) -> tuple[np.ndarray, np.ndarray]:
    """Two numbers, and whether the point lies in a ring."""
    x = np.random.default_rng(0).normal(size=(n, 2)).astype(np.float32)
    return x, (np.hypot(*x.T) > 1.1).astype(int)


def train(out: Path, emit: Any = None, data: Any = None, epochs: int = 6, net: str = "mlp", **settings: Any) -> Any:
    given = QUICK | ({"hidden": [6]} if net == "mlp" else {}) | settings
    told = {} if emit is None else {"emit": emit}
    return workings.train(data or rows(), out=out, net=net, epochs=epochs, seed=1, settings=given, **told)


def seen(out: Path) -> History:
    return History.from_dict(json.loads((out / "watch.json").read_text()))


@pytest.mark.parametrize("net", ["mlp", "perceptron", "vae", "gan", "rbm"])
def test_a_watched_run_has_the_bits_of_one_that_is_not(net: str, tmp_path: Path) -> None:
    """With looks at every chance, of whatever rule it learns by; all that its rule needs is in its history."""
    data: Any = rows() if net in ("mlp", "perceptron") else {"a": rows()[0][:, 0], "b": rows()[0][:, 1]}
    settings: dict[str, Any] = {"units": 4, "draw_steps": 5} if net == "rbm" else {}
    settings |= {"dropout": 0.2} if net == "mlp" else {}
    plain = train(tmp_path / "plain", net=net, data=data, watch=0, **settings)
    watched = train(tmp_path / "watched", net=net, data=data, watch=0.99, **settings)
    assert_same_bits(plain, watched)
    assert not (tmp_path / "plain" / "watch.json").exists()
    history = seen(tmp_path / "watched")
    assert history.of("loss")
    wanted = {
        "mlp": ("gradient_norm", "val_accuracy"),
        "vae": ("kl", "active", "reconstruction", "gradient_norm"),
        "gan": ("judged_right", "spread_made", "train_generator_loss"),
        "rbm": ("active", "reconstruction", "free_energy_gap"),
    }
    for name in wanted.get(net, ()):
        assert history.of(name), name


def test_a_stopped_run_goes_on_with_what_was_seen(tmp_path: Path) -> None:
    """By Ctrl-C, and after it the run has the bits of one that was never stopped; it says from where it went on."""

    def interrupt(event: Event) -> None:
        if isinstance(event, EpochEnded) and event.epoch >= 3:
            raise KeyboardInterrupt

    settings = {"watch": 0.99, "checkpoint_seconds": 0.0, "dropout": 0.2}
    whole = train(tmp_path / "whole", **settings)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "stopped", emit=interrupt, **settings)
    before = seen(tmp_path / "stopped")
    resumed = workings.train(rows(), resume=tmp_path / "stopped")
    assert_same_bits(whole, resumed)
    after = seen(tmp_path / "stopped")
    (step,) = after.facts["resumed"]
    kept = [each for each in before.of("loss") if each[0] <= step]
    assert kept
    assert after.of("loss")[: len(kept)] == kept
    assert [s for s, _ in after.of("loss")] == [s for s, _ in seen(tmp_path / "whole").of("loss")]


def test_a_run_that_stops_on_nan_keeps_what_was_seen(tmp_path: Path) -> None:
    told: list[Event] = []
    x, _ = rows()
    with pytest.raises(NonFiniteError):
        train(
            tmp_path / "nan",
            told.append,
            (x * 100, x[:, 0] * 1e3),
            optimiser="sgd",
            learning_rate=1e18,
            schedule="constant",
        )
    history = seen(tmp_path / "nan")
    assert math.isnan(history.of("loss")[-1][1])
    assert "nonfinite" in {each.finding.code for each in told if isinstance(each, Found)}


def test_a_net_that_cannot_be_copied_is_trained_and_told(tmp_path: Path) -> None:
    from torch import Tensor, nn

    from workings.base.events import Noticed

    class Own(nn.Module):
        def __init__(self, shape: tuple[int, ...], outputs: int) -> None:
            super().__init__()
            self.a = nn.Linear(*shape, outputs)

        def forward(self, x: Tensor) -> Tensor:
            return self.a(x)

        def __deepcopy__(self, memo: Any) -> Own:
            raise RuntimeError("no copies")

    told: list[Event] = []
    given = QUICK | {"keep_best": False}
    workings.train(rows(), out=tmp_path / "own", net=Own, epochs=3, seed=1, settings=given, emit=told.append)
    assert [e.problem.code for e in told if isinstance(e, Noticed)].count("not-watched") == 1
    assert seen(tmp_path / "own").facts["not_seen"] == ["the inside of the net"]
