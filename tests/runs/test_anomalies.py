"""The laws of anomalies told, on a table whose regular rows lie on a line and one category of which is never seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

import workings
from workings.base.errors import UserError
from workings.base.events import EpochEnded, Event, Noticed
from workings.nets.unsupervised import Unsupervised
from workings.runs.anomalies import parts_of_fields

QUICK: dict[str, Any] = {"lane": "eager@1", "report": False, "baselines": False, "batch_size": 32, "hidden": [8]}


def pumps(n: int, seed: int) -> pl.DataFrame:
    """Heat follows speed; a tenth of the rows is broken, and runs hot whatever the speed."""
    rng = np.random.default_rng(seed)
    broken = np.arange(n) % 10 == 3
    speed = rng.normal(50, 10, n)
    heat = np.where(broken, 220 - speed, speed * 2) + rng.normal(0, 1, n)
    site = rng.choice(["north", "south"], n)
    on = np.where(rng.random(n) < 0.5, "yes", "no")
    state = np.where(broken, "broken", "well")
    return pl.DataFrame({"heat": heat.round(2), "speed": speed.round(2), "site": site, "on": on, "state": state})


def train(out: Path, **given: Any) -> Any:
    settings = QUICK | {"anomalies": ["broken"]} | given.pop("settings", {})
    how: dict[str, Any] = {"target": "state", "task": "unsupervised", "epochs": 12, "seed": 1} | given
    return workings.train(pumps(400, 0), out=out, settings=settings, **how)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return train(tmp_path_factory.mktemp("anomalies") / "run")


def test_what_scores_above_the_threshold_is_told(run: Any) -> None:
    """One row a sample, in their order; the threshold is that of the rate; fewer alarms tell fewer."""
    told = {}
    for rate in (0.05, 0.2):
        frame = run.anomalies(pumps(200, 1), rate)
        assert frame["row"].to_list() == list(range(1, 201))
        assert frame["anomaly"].to_list() == [
            score > limit for score, limit in frame.select("score", "threshold").rows()
        ]
        told[rate] = frame["anomaly"].to_numpy()
        regular = json.loads((Path(run.path) / "scores.json").read_text(encoding="utf-8"))["regular"]
        assert np.mean(np.array(regular) > frame["threshold"][0]) <= rate
    assert (told[0.05] <= told[0.2]).all()
    assert told[0.2].sum() > told[0.05].sum() > 0


def test_labels_are_not_needed_and_change_no_score(run: Any) -> None:
    """With the column that judges or without it, the scores are the same."""
    rows = pumps(60, 2)
    labelled, bare = run.anomalies(rows), run.anomalies(rows.drop("state"))
    assert labelled["label"].to_list() == rows["state"].to_list()
    assert "label" not in bare.columns
    assert labelled["score"].equals(bare["score"])


def test_columns_add_up_to_the_score(run: Any) -> None:
    """Of an autoencoder what each column of the data adds is all of the score; the largest is named first."""
    rows = pumps(60, 3)
    frame = run.anomalies(rows)
    dataset = run._read(rows, False, lambda event: None, "refuse")
    source = dataset.source(run.prep, np.arange(60))
    parts = parts_of_fields(run, run.prep, source)
    names = list(dict.fromkeys(run.prep.fields))
    np.testing.assert_allclose(parts.sum(1), frame["score"].to_numpy(), rtol=1e-5)
    assert frame["column_1"].to_list() == [names[k] for k in parts.argmax(1)]
    assert (frame["part_1"] >= frame["part_2"]).all()


def test_what_is_far_out_is_told_and_named(run: Any) -> None:
    """A number beyond anything seen, and a category that training never saw, speak against their row."""
    rows = pumps(20, 4)
    far = rows.with_columns(heat=pl.when(pl.int_range(20) == 7).then(9999.0).otherwise("heat"))
    frame = run.anomalies(far)
    assert frame["score"].arg_max() == 7
    assert frame["anomaly"][7]
    assert frame["column_1"][7] == "heat"
    told: list[Event] = []
    never = rows.with_columns(site=pl.when(pl.int_range(20) == 7).then(pl.lit("moon")).otherwise("site"))
    frame = run.anomalies(never, emit=told.append)
    known = max(run.anomalies(rows.with_columns(site=pl.lit(site)))["score"][7] for site in ("north", "south"))
    assert frame["score"][7] >= known - 1e-6
    assert "unseen-category" in {event.problem.code for event in told if isinstance(event, Noticed)}


@pytest.mark.parametrize(
    ("rate", "code", "word"),
    [(0.0001, "rate-too-fine", "--false-alarms"), (0.0, "bad-value", "between"), (1.0, "bad-value", "between")],
)
def test_a_rate_that_cannot_be_is_refused(run: Any, rate: float, code: str, word: str) -> None:
    """Nothing finer than one of the regular rows, and what is told to give instead is taken."""
    with pytest.raises(UserError) as caught:
        run.anomalies(pumps(20, 5), rate)
    (problem,) = caught.value.problems
    assert problem.code == code
    assert word in str(caught.value)
    if code == "rate-too-fine":
        assert run.anomalies(pumps(20, 5), float(problem.do.split()[2])).height == 20


def test_a_threshold_on_few_rows_says_so(run: Any) -> None:
    """With a handful of regular rows above it, the interval of the true rate is told."""
    told: list[Event] = []
    run.anomalies(pumps(20, 5), 0.05, emit=told.append)
    assert "rough-threshold" in {event.problem.code for event in told if isinstance(event, Noticed)}


def test_a_run_of_labels_tells_no_anomalies(tmp_path: Path) -> None:
    """It is refused, with what to do."""
    settings = QUICK | {"hidden": [4]}
    run = workings.train(pumps(60, 0), target="state", out=tmp_path / "run", epochs=1, settings=settings)
    with pytest.raises(UserError, match="unsupervised"):
        run.anomalies(pumps(20, 5))


def interrupt(event: Event) -> None:
    """Press Ctrl-C at the end of the first epoch."""
    if isinstance(event, EpochEnded):
        raise KeyboardInterrupt


@pytest.mark.parametrize("net", ["autoencoder", "vae"])
def test_resume_and_seed_are_bit_equal_on_tables(net: str, tmp_path: Path) -> None:
    """Interrupted and resumed, or begun anew with the same seed, a run has the same bits; with another it has not."""

    def begin(name: str, **given: Any) -> Any:
        how = {"net": net, "epochs": 2, "settings": {"checkpoint_seconds": 0}} | given
        return train(tmp_path / name, **how)

    whole, again, other = begin("whole"), begin("again"), begin("other", seed=2)
    with pytest.raises(KeyboardInterrupt):
        begin("stopped", emit=interrupt)
    resumed = workings.train(pumps(400, 0), resume=tmp_path / "stopped")
    for name, tensor in whole.net.state_dict().items():
        assert torch.equal(tensor, again.net.state_dict()[name])
        assert torch.equal(tensor, resumed.net.state_dict()[name])
    assert whole.metrics == again.metrics == resumed.metrics
    assert whole.metrics != other.metrics


def test_evaluate_and_predict_of_tables(run: Any) -> None:
    """With labels anomalies are judged; without, only the rebuilding is; predictions carry score and code."""
    rows = pumps(100, 6)
    judged = run.evaluate(rows)["metrics"]
    assert judged["anomaly_roc_auc"] > 0.7
    bare = run.evaluate(rows.drop("state"))["metrics"]
    assert "anomaly_roc_auc" not in bare
    assert "reconstruction_mse" in bare
    assert isinstance(run.net, Unsupervised)
    assert {"row", "where", "label", "score", "anomaly", "z1"} <= set(run.predict(rows).columns)
