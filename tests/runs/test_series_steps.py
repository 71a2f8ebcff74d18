"""Nets that learn the windows of a series: what is said of its steps, and the laws of runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from tests.bits import assert_same_bits

import workings
from workings.base.errors import UserError
from workings.base.events import EpochEnded, Event, Noticed
from workings.report.reading import read_run
from workings.report.unsupervised import sections
from workings.report.verdict import judge
from workings.runs.series_steps import mean_over_windows, told_stretches
from workings.runs.unsupervised import threshold

L = 8
ODD = [*range(40, 44), *range(258, 262), *range(275, 277), *range(288, 292)]
QUICK: dict[str, Any] = {"lane": "eager@1", "hidden": [16], "code": 3, "window": L, "batch_size": 32}


def hours(n: int = 300, seed: int = 0) -> pl.DataFrame:
    """Two variables that follow the day; where the state is broken, ``heat`` does not."""
    rng, t = np.random.default_rng(seed), np.arange(n)
    odd = np.isin(t, ODD)
    moments = np.datetime64("2024-01-01T00", "us") + t.astype("timedelta64[h]")
    day = 2 * np.pi * t / 8
    heat = np.sin(day) + 0.1 * rng.normal(size=n) + 3 * odd
    load = 50 + 5 * np.cos(day) + rng.normal(size=n)
    return pl.DataFrame({"at": moments, "heat": heat, "load": load, "state": np.where(odd, "broken", "well")})


def train(out: Path, **given: Any) -> Any:
    settings = QUICK | {"anomalies": ["broken"], "baselines": False, "report": False} | given.pop("settings", {})
    how: dict[str, Any] = {"target": "state", "task": "unsupervised", "epochs": 3, "seed": 1} | given
    return workings.train(hours(), out=out, settings=settings, **how)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    out = tmp_path_factory.mktemp("steps") / "run"
    return train(out, epochs=40, settings={"baselines": True, "report": True})


def source_of(run: Any, frame: pl.DataFrame) -> Any:
    dataset = run._read(frame, False, lambda event: None, "refuse")
    return dataset.source(run.prep, np.arange(dataset.n))


def test_a_step_has_the_mean_of_the_windows_that_hold_it(run: Any) -> None:
    """Against each step's windows one by one; scores are that error over the usual one, and parts add up to them."""
    frame = hours(60, 3)
    told, source = run.anomalies(frame), source_of(run, frame)
    x = source.x(torch.arange(len(source)))
    with torch.no_grad():
        squares = (x - run.net.reconstruct(x)).square().double().numpy()
    usual = np.array(json.loads((run.path / "scores.json").read_text(encoding="utf-8"))["usual_error"])
    for t in range(60):
        held = [squares[start, t - start] for start in range(len(source)) if start <= t < start + L]
        part = np.mean(held, 0) / usual / 2
        assert told["score"][t] == pytest.approx(part.sum(), rel=1e-4)
        assert told["column_1"][t] == run.prep.variables[int(part.argmax())]
        assert told["part_1"][t] + told["part_2"][t] == pytest.approx(told["score"][t])
    ones = mean_over_windows(source, iter([torch.ones(len(source), L, 1)]))
    assert (ones == 1).all()


def test_a_row_a_step_and_the_score_of_the_window_that_ends_there(run: Any) -> None:
    """Times and rows in order; before the first whole window there is none; labels change no score."""
    frame = hours(50, 4)
    told = run.anomalies(frame, 0.1)
    assert told["row"].to_list() == list(range(1, 51))
    assert told["where"][9] == "2024-01-01 09:00"
    assert told["window_score"].null_count() == L - 1
    windows = run.predict(frame)
    assert told["window_score"][L - 1 :].to_list() == windows["score"].to_list()
    assert told["anomaly"].to_list() == (told["score"] > told["threshold"]).to_list()
    bare = run.anomalies(frame.drop("state"), 0.1)
    assert "label" not in bare.columns
    assert bare["score"].equals(told["score"])


def test_the_threshold_is_of_regular_validation_steps(run: Any) -> None:
    """A share of them lies above it; that neighbours are alike is told with the interval of the rate."""
    kept = json.loads((run.path / "scores.json").read_text(encoding="utf-8"))
    regular = np.array(kept["regular_steps"])
    assert kept["on"] == "validation steps"
    assert np.mean(regular > threshold(run, 0.1)) <= 0.1
    events: list[Event] = []
    run.anomalies(hours(50), 0.1, emit=events.append)
    rough = [each.problem for each in events if isinstance(each, Noticed) and each.problem.code == "rough-threshold"]
    assert f"{kept['regular_windows_apart']} windows" in rough[0].what


def test_what_is_broken_is_told_in_stretches(run: Any) -> None:
    """The variable that was broken is named; each stretch is steps side by side that are told."""
    told = run.anomalies(hours())
    found = told_stretches(told)
    assert found["steps"].sum() == told["anomaly"].sum()
    assert (found["score"] > told["threshold"][0]).all()
    worst = found.sort("score", descending=True).row(0, named=True)
    assert (worst["column_1"], worst["label"]) == ("heat", "broken")
    assert run.metrics["anomaly_roc_auc"] > 0.8
    assert run.metrics["stretches_found"] == 1


def test_rebuilt_steps_and_made_windows_are_in_units(run: Any, tmp_path: Path) -> None:
    """What is rebuilt lies near what was given; a sample may be named by its number; between ends at both."""
    frame = hours(60, 5)
    table = run.reconstruct(frame).table
    assert table.columns == ["row", "where", "error", "heat", "load"]
    assert float((table["load"] - frame["load"]).abs().mean()) < 3  # type: ignore[arg-type]
    hours().write_csv(path := tmp_path / "hours.csv")
    way = run.between(f"{path}:1", f"{path}:30", steps=3)
    source = source_of(run, hours())
    assert torch.equal(way.given, source.x(torch.tensor([0, 29])))
    assert way.rows().columns == ["sample", "step", "heat", "load"]
    assert way.rows().height == 3 * L
    with pytest.raises(UserError, match="293"):
        run.vary(hours(), samples=2)
    with pytest.raises(UserError, match="no sample 294"):
        run.vary(f"{path}:294", samples=2)


def test_new_data_that_does_not_fit_is_refused(run: Any) -> None:
    """A column, a step of time, too few steps: each is named."""
    for frame, word in (
        (hours(50).drop("load"), "load"),
        (hours(50)[::2], "hour"),
        (hours(5), "window"),
        (hours(50).with_columns(heat=pl.lit("x")), "heat"),
    ):
        with pytest.raises(UserError, match=word):
            run.anomalies(frame)


def test_evaluate_judges_only_where_there_are_labels(run: Any) -> None:
    """With them by steps and windows; without, only what is rebuilt is measured, and that is told."""
    judged = run.evaluate(hours())
    assert judged["rows"] == 300
    assert {"anomaly_roc_auc", "window_roc_auc", "stretches_found", "explained"} <= set(judged["metrics"])
    events: list[Event] = []
    bare = run.evaluate(hours().drop("state"), emit=events.append)["metrics"]
    assert set(bare) == {"explained", "reconstruction_mse"}
    assert "no-labels" in {each.problem.code for each in events if isinstance(each, Noticed)}


def test_the_report_shows_scores_kinds_and_what_is_rebuilt(run: Any) -> None:
    """Simple scores stand beside the net, judged on the same steps; the verdict speaks of steps."""
    files = read_run(run.path)
    names = [each["name"] for each in files.baselines]
    for start in ("always the mean", "principal", "seasonal difference", "moving z-score", "isolation forest"):
        assert any(name.startswith(start) for name in names) or start == "seasonal difference"
    assert all("anomaly_roc_auc" in each["metrics"] for each in files.baselines)
    shown = {each.id: str(each.body) for each in sections(files)}
    assert {"unusual", "rebuilt"} <= set(shown)
    assert "What is told" in shown["unusual"]
    assert "heat" in shown["rebuilt"]
    assert f"Scores of {files.metrics['rows']} test steps" in shown["unusual"]
    assert "test steps" in judge(files).result


@pytest.mark.parametrize("net", ["autoencoder", "vae", "rbm", "dbn", "gan"])
def test_resume_and_seed_are_bit_equal(net: str, tmp_path: Path) -> None:
    """Interrupted and resumed, or begun anew with the same seed, a run has the same bits; with another it has not."""
    own = {"gan": {"code": 4}, "rbm": {"units": 6}, "dbn": {"hidden": [6]}}.get(net)
    drop = ("hidden", "code") if own else ()
    kept = {name: value for name, value in QUICK.items() if name not in drop} | (own or {})

    def begin(name: str, **given: Any) -> Any:
        settings = kept | {"anomalies": ["broken"], "baselines": False, "report": False, "checkpoint_seconds": 0}
        how: dict[str, Any] = {"target": "state", "task": "unsupervised", "epochs": 2, "seed": 1, "net": net} | given
        return workings.train(hours(), out=tmp_path / name, settings=settings, **how)

    def interrupt(event: Event) -> None:
        if isinstance(event, EpochEnded):
            raise KeyboardInterrupt

    whole, again, other = begin("whole"), begin("again"), begin("other", seed=2)
    with pytest.raises(KeyboardInterrupt):
        begin("stopped", emit=interrupt)
    resumed = workings.train(hours(), resume=tmp_path / "stopped")
    assert_same_bits(whole, again)
    assert_same_bits(whole, resumed)
    assert whole.metrics != other.metrics
