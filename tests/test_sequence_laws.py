"""The laws of runs, for every net that takes sequences, on made data of a kind that it takes."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest
import torch

import workings
from workings import nets
from workings.base.events import EpochEnded, Event
from workings.nets.registry import ACCEPTS, SEQUENCES

SMALL = {"batch_size": 8, "lane": "eager@1", "baselines": False, "report": False, "checkpoint_seconds": 0}
# What makes each net small, beside its width.
NARROW = {
    "width": 8,
    "embedding": 8,
    "heads": 2,
    "layers": 1,
    "dropout": 0.2,
    "hidden": (8,),
    "channels": (4, 4),
}


def letters(rng: random.Random) -> str:
    """A short text."""
    return " ".join(rng.choice("abcdef") for _ in range(rng.randint(2, 9)))


def texts(folder: Path, rng: random.Random) -> tuple[Any, dict[str, Any]]:
    rows = [letters(rng) for _ in range(60)]
    frame = polars.DataFrame({"said": rows, "kind": ["early" if row < "c" else "late" for row in rows]})
    return frame, {"target": "kind", "settings": {"text": "said"}}


def language(folder: Path, rng: random.Random) -> tuple[Any, dict[str, Any]]:
    path = folder / "plain.txt"
    path.write_text("\n".join(letters(rng) for _ in range(150)))
    return path, {"settings": {"length": 16}}


def series(folder: Path, rng: random.Random) -> tuple[Any, dict[str, Any]]:
    days = polars.date_range(polars.date(2024, 1, 1), polars.date(2024, 6, 28), "1d", eager=True)
    noise = [rng.gauss(0, 1) for _ in days]
    a = [10 + math.sin(i / 7 * 2 * math.pi) + 0.2 * e for i, e in enumerate(noise)]
    return polars.DataFrame({"day": days, "a": a, "b": noise}), {"settings": {"horizon": 3, "window": 7}}


def pairs(folder: Path, rng: random.Random) -> tuple[Any, dict[str, Any]]:
    sources = [letters(rng) for _ in range(60)]
    return (sources, [text[::-1] for text in sources]), {"task": "translation"}


def sound(folder: Path, rng: random.Random) -> tuple[Any, dict[str, Any]]:
    draw = np.random.default_rng(rng.randint(0, 99))
    waves = [draw.normal(size=1600 + 80 * i).astype(np.float32) * 0.1 for i in range(40)]
    return (waves, ["a", "b"] * 20, 8000), {}


DATA: dict[str, Callable[[Path, random.Random], tuple[Any, dict[str, Any]]]] = {
    "text": texts,
    "language": language,
    "series": series,
    "pairs": pairs,
    "frames": sound,
    "sound": sound,
}
CASES = [
    pytest.param(info.name, samples, id=f"{info.name}-{samples}")
    for info in nets.infos()
    if info.takes in SEQUENCES
    for samples in ACCEPTS[info.takes]
    if samples in DATA
]


class Interrupted:
    """Presses Ctrl-C at the end of an epoch."""

    def __init__(self, epoch: int) -> None:
        self.left = epoch

    def __call__(self, event: Event) -> None:
        if isinstance(event, EpochEnded):
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt


@pytest.mark.parametrize(("net", "samples"), CASES)
def test_resume_and_seed_are_bit_equal(net: str, samples: str, tmp_path: Path) -> None:
    """Interrupted and resumed, or begun anew with the same seed, a run has the same bits; with another it has not."""
    data, given = DATA[samples](tmp_path, random.Random(0))
    known = nets.info(net).settings
    narrow = {name: value for name, value in NARROW.items() if name in known}
    given = {
        **given,
        "net": net,
        "epochs": 3,
        "settings": {**SMALL, **given.get("settings", {}), "net_settings": narrow},
    }
    whole = workings.train(data, out=tmp_path / "whole", **given)
    with pytest.raises(KeyboardInterrupt):
        workings.train(data, out=tmp_path / "stopped", **given, emit=Interrupted(1))
    resumed = workings.train(data, resume=tmp_path / "stopped")
    other = workings.train(data, out=tmp_path / "other", **given, seed=1)
    for name, tensor in whole.net.state_dict().items():
        assert torch.equal(tensor, resumed.net.state_dict()[name]), name
    assert whole.metrics == resumed.metrics
    again, opened = workings.train(data, out=tmp_path / "again", **given), workings.open_run(tmp_path / "whole")
    weights = whole.net.state_dict()
    assert all(torch.equal(tensor, again.net.state_dict()[name]) for name, tensor in weights.items())
    assert all(torch.equal(tensor, opened.net.state_dict()[name]) for name, tensor in weights.items())
    assert any(not torch.equal(tensor, other.net.state_dict()[name]) for name, tensor in weights.items())
