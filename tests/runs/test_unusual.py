"""The score of an image: what cannot be rebuilt, and how far its code lies from those of training samples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.neighbors import NearestNeighbors

import workings
from workings.data import open_dataset, read_for
from workings.runs.unusual import parts_of, scores_of

QUICK: dict[str, Any] = {
    "lane": "eager@1",
    "report": False,
    "baselines": False,
    "coder": "dense",
    "hidden": [16],
    "code": 4,
}


def digits() -> tuple[np.ndarray, np.ndarray]:
    data = load_digits()
    return (data.images[:600] / 16).astype(np.float32), data.target[:600]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    out = tmp_path_factory.mktemp("unusual") / "run"
    return workings.train(digits(), net="autoencoder", epochs=8, seed=0, out=out, settings=QUICK | {"anomalies": [7]})


def source_of(run: Any, rows: np.ndarray) -> Any:
    return read_for(run.prep, run.schema, digits()).source(run.prep, rows)


def test_the_score_is_the_sum_of_both_parts_in_deviations_of_regular_samples(run: Any) -> None:
    """By hand: the share of the contrast not rebuilt, and the mean distance to five white codes, by scikit-learn."""
    dataset = open_dataset(digits(), task="unsupervised", anomalies=[7])
    split = dataset.split(0, 0.2, run.recipe.val_fraction * 0.8)
    everything = source_of(run, np.arange(600))
    x = everything.x(torch.arange(600))
    with torch.no_grad():
        e, z = run.net.unusual(x).double().numpy(), run.net.encode(x).double().numpy()
    known = z[split.train]
    white = np.linalg.inv(np.linalg.cholesky(np.cov(known.T) + 1e-6 * np.eye(4)))
    place = (z - known.mean(0)) @ white.T
    k = NearestNeighbors(n_neighbors=5).fit(place[split.train]).kneighbors(place)[0].mean(1)
    both = np.column_stack([e, k])
    np.testing.assert_allclose(parts_of(run, everything), both, rtol=1e-3, atol=1e-4)
    regular = both[split.val]
    expected = ((both - regular.mean(0)) / regular.std(0)).sum(1)
    np.testing.assert_allclose(scores_of(run, everything), expected, rtol=1e-3, atol=1e-2)
    kept = json.loads((Path(run.path) / "scores.json").read_text(encoding="utf-8"))
    np.testing.assert_allclose(kept["regular"], np.sort(expected[split.val]), rtol=1e-3, atol=1e-2)


def test_without_codes_the_net_alone_is_asked(tmp_path: Path) -> None:
    """``neighbours=0`` keeps no codes, and the score is what the net says."""
    settings = QUICK | {"neighbours": 0}
    run = workings.train(digits(), net="autoencoder", epochs=2, seed=0, out=tmp_path / "run", settings=settings)
    assert not (tmp_path / "run" / "codes.safetensors").exists()
    everything = source_of(run, np.arange(600))
    with torch.no_grad():
        e = run.net.unusual(everything.x(torch.arange(600))).double().numpy()
    np.testing.assert_allclose(scores_of(run, everything), e, rtol=1e-5, atol=1e-6)
