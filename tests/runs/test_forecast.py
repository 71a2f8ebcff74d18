"""Forecasts: errors by hand, intervals that hold, simple forecasts from one origin, the verbs on real runs."""

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
from workings.data import open_dataset
from workings.data.series.dataset import SeriesDataset
from workings.learning.forecast_errors import Scales, block_means, evaluate, score
from workings.report import series_baselines as simple
from workings.runs.forecast_bands import edges, make_bands

QUICK: dict[str, Any] = {"epochs": 8, "settings": {"lane": "eager@1"}}


def monthly(n: int = 120, seed: int = 0) -> pl.DataFrame:
    t = np.arange(n)
    y = 100 + t / 2 + 20 * np.sin(2 * np.pi * t / 12) + np.random.default_rng(seed).normal(size=n)
    months = [f"{1990 + i // 12}-{i % 12 + 1:02}" for i in range(n)]
    return pl.DataFrame({"month": months, "sales": y, "visits": 300 - y + np.sin(t)})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> workings.Run:
    """A run on both series of a file."""
    folder = tmp_path_factory.mktemp("forecast")
    monthly().write_csv(folder / "shop.csv")
    return workings.train(folder / "shop.csv", out=folder / "run", **QUICK)


def test_errors_equal_the_hand_calculation() -> None:
    """Two windows, two steps, one target, worked on paper."""
    truth = np.array([[[10.0], [20.0]], [[30.0], [40.0]]])
    said = np.array([[[12.0], [20.0]], [[30.0], [36.0]]])
    found = score(truth, said, Scales([2.0], [4.0], 1))
    assert found["mae_units"] == pytest.approx((2 + 0 + 0 + 4) / 4)
    assert found["rmse_units"] == pytest.approx(np.sqrt((4 + 16) / 4))
    assert found["mae"] == pytest.approx(1.5 / 2)
    assert found["mse"] == pytest.approx(5 / 4)
    assert found["mase"] == pytest.approx(1.5 / 4)
    assert found["smape"] == pytest.approx((200 * 2 / 22 + 200 * 4 / 76) / 4)


def test_a_forecast_of_a_series_that_never_changed_has_no_mase() -> None:
    """A scale of 0 is told, never divided by."""
    found = evaluate(np.ones((3, 2, 1)), np.ones((3, 2, 1)), Scales([1.0], [0.0], 1))
    assert "mase" not in found.metrics
    assert {note.code for note in found.notes} == {"no-interval", "undefined-metric"}
    assert found.metrics["smape"] == 0


def test_block_means_are_means_of_rows_in_blocks() -> None:
    """A block of all rows always gives the mean itself; blocks of one are the plain bootstrap."""
    values = np.random.default_rng(0).normal(size=(40, 2))
    np.testing.assert_allclose(block_means(values, 40, 0), np.tile(values.mean(0), (1000, 1)))
    plain = block_means(values, 1, 0)
    assert plain.mean(0) == pytest.approx(values.mean(0), abs=0.02)
    assert plain.std(0) == pytest.approx(values.std(0) / np.sqrt(40), rel=0.15)


def test_overlapping_forecasts_get_wider_intervals_than_independent_ones() -> None:
    """Errors that last for a horizon are fewer than they look, and the interval says so."""
    rng = np.random.default_rng(0)
    H, N = 12, 600
    noise = np.convolve(rng.normal(size=N + H), np.ones(H) / np.sqrt(H), "valid")[:N].astype(np.float64)
    truth = np.repeat(noise[:, None, None], H, axis=1)
    found = evaluate(truth, np.zeros_like(truth), Scales([1.0], [1.0], 1))
    low, high = found.intervals["mae"]
    means = block_means(np.abs(noise)[:, None], 1, 0)
    assert high - low > 2 * float(np.subtract(*np.percentile(means, [97.5, 2.5])))


@pytest.mark.parametrize("windows", [20, 400], ids=["few", "many"])
def test_intervals_hold_as_often_as_they_say(windows: int) -> None:
    """Over many draws, bands from validation residuals hold 95 % and 80 % of new ones, within two points."""
    rng = np.random.default_rng(1)
    held: dict[float, list[float]] = {0.8: [], 0.95: []}
    for _ in range(300):
        kept = make_bands(rng.normal(size=(windows, 2, 1)) * [[1.0], [3.0]], "validation")
        new = rng.normal(size=(200, 2, 1)) * [[1.0], [3.0]]
        for level, shares in held.items():
            low, high = edges(kept, level, 2)
            shares.append(float(((new >= low) & (new <= high)).mean()))
    for level, shares in held.items():
        assert float(np.mean(shares)) == pytest.approx(level, abs=0.02)


def test_bands_grow_behind_the_horizon() -> None:
    """The first stretch is as measured; each further one adds the square of its last step."""
    kept = make_bands(np.random.default_rng(0).normal(size=(200, 3, 1)), "validation")
    low, high = edges(kept, 0.95, 9)
    own = np.array(kept["bands"]["0.95"]["high"])
    np.testing.assert_allclose(high[:3], own)
    np.testing.assert_allclose(high[3:6, 0], np.sqrt(own[-1, 0] ** 2 + own[:, 0] ** 2))
    assert (np.diff((high - low)[2::3, 0]) > 0).all()


def test_simple_forecasts_equal_their_formulas() -> None:
    """Naive, seasonal naive, drift and mean from one origin, by hand."""
    dataset = open_dataset(monthly(60).select("month", "sales"), horizon=14, window=12, transform="none")
    assert isinstance(dataset, SeriesDataset)
    source = dataset.source(dataset.fit(np.arange(45)), np.arange(60))
    y, T = dataset.series.values[:, 0], int(source.starts[0])
    h = np.arange(1, 15)
    np.testing.assert_allclose(simple.naive(source)[0, :, 0], y[T - 1])
    np.testing.assert_allclose(simple.seasonal_naive(source)[0, :, 0], [y[T - 12 + i % 12] for i in range(14)])
    np.testing.assert_allclose(simple.drift(source)[0, :, 0], y[T - 1] + h * (y[T - 1] - y[0]) / (T - 1))
    np.testing.assert_allclose(simple.mean(source)[0, :, 0], y[:T].mean())


def test_a_run_keeps_what_forecasts_need(run: workings.Run) -> None:
    """Metrics in every scale, baselines, bands from validation windows, errors by step, a report."""
    assert {"mase", "mse", "mae", "smape"} <= run.metrics.keys()
    kept = json.loads((run.path / "forecast.json").read_text(encoding="utf-8"))
    assert kept["from"] == "validation"
    assert np.array(kept["by_step"]["mae"]).shape == (12, 2)
    assert set(kept["coverage"]) == {"0.8", "0.95"}
    baselines = json.loads((run.path / "baselines.json").read_text(encoding="utf-8"))["baselines"]
    names = ["naive", "seasonal naive", "drift", "mean so far", "linear autoregression"]
    assert [each["name"] for each in baselines] == names
    assert all({"mase", "mse", "smape"} <= each["metrics"].keys() for each in baselines)
    html = (run.path / "report.html").read_text(encoding="utf-8")
    assert all(words in html for words in ("Error by step ahead", "Residuals over time", "The season", "Forecasts of"))
    told = pl.read_parquet(run.path / "predictions.parquet")
    assert told["where"][-1] == "1999-12"
    assert (told["low_95"] <= told["low_80"]).all()


def test_a_forecast_goes_on_where_the_data_ends(run: workings.Run) -> None:
    """Twelve months of both series from January on, each within its interval; the same again; other data too."""
    frame = run.forecast()
    assert frame.columns[:4] == ["row", "where", "variable", "prediction"]
    assert frame["where"].unique(maintain_order=True).to_list() == [f"2000-{m:02}" for m in range(1, 13)]
    assert (frame["low_95"] < frame["prediction"]).all()
    assert (frame["prediction"] < frame["high_95"]).all()
    assert frame.equals(run.forecast())
    assert frame.equals(run.predict(monthly()))
    earlier = run.forecast(data=monthly().head(100), horizon=3)
    assert earlier["where"][0] == "1998-05"


def test_a_forecast_is_the_net_on_the_last_window(run: workings.Run) -> None:
    """What is told equals the net's output for the last window, brought back to units by hand."""
    prep = run.prep
    assert (prep.lag, prep.log) == (12, [False, False])  # the season does not grow: differences over it, no logarithms
    y = monthly().select(prep.variables).to_numpy()
    d = y[12:] - y[:-12]
    x = torch.from_numpy(((d - prep.shift) / prep.scale)[-prep.window :].astype(np.float32))[None]
    with torch.no_grad():
        out = run.net(x).numpy().reshape(12, 2).astype(float) * prep.scale + prep.shift
    np.testing.assert_allclose(run.forecast()["prediction"].to_numpy().reshape(12, 2), out + y[-12:], rtol=1e-5)


def test_longer_horizons_are_rolled_on_and_told(run: workings.Run) -> None:
    """Step 13 is the forecast from the first twelve; a warning says so; the intervals grow."""
    heard: list[Event] = []
    longer = run.forecast(30, emit=heard.append)
    codes = {event.problem.code for event in heard if isinstance(event, Noticed)}
    assert "rolled-on" in codes
    assert longer.height == 60
    assert longer.head(24).equals(run.forecast())
    first = longer.head(24)
    grown = pl.concat(
        [
            monthly(),
            pl.DataFrame(
                {
                    "month": first["where"].unique(maintain_order=True),
                    "sales": first.filter(pl.col("variable") == "sales")["prediction"],
                    "visits": first.filter(pl.col("variable") == "visits")["prediction"],
                }
            ),
        ]
    )
    again = run.forecast(data=grown)["prediction"].to_numpy()
    np.testing.assert_allclose(longer["prediction"].to_numpy()[24:48], again, rtol=1e-5)


def test_one_target_of_several_cannot_be_rolled_on(tmp_path: Path) -> None:
    """Behind the horizon the other variables are not known: refused, with the way out."""
    data = monthly(90)
    one = workings.train(data, target="sales", task="forecast", horizon=6, out=tmp_path / "one", **QUICK)
    assert one.forecast(data=data)["variable"].unique().to_list() == ["sales"]
    with pytest.raises(UserError, match="visits"):
        one.forecast(7, data=data)
    with pytest.raises(UserError, match="memory"):
        one.forecast()
    with pytest.raises(UserError, match="horizon is 0"):
        one.forecast(0, data=data)
    with pytest.raises(UserError, match="looks back"):
        one.forecast(data=data.head(8))


def test_new_data_is_evaluated_from_every_origin(run: workings.Run) -> None:
    """Metrics of all windows, the chosen metrics only where asked."""
    found = run.evaluate(monthly(200, seed=4))
    needed = run.prep.needs + run.prep.horizon
    assert found["rows"] == 200 - needed + 1
    assert found["intervals"]["mase"][0] < found["metrics"]["mase"] < found["intervals"]["mase"][1]
    assert set(run.evaluate(monthly(200), metrics=["mase"])["metrics"]) == {"mase"}
    with pytest.raises(UserError, match="mase"):
        run.evaluate(monthly(), metrics=["mace"])


@pytest.mark.parametrize("net", ["nlinear", "mlp", "lstm"])
def test_every_kind_of_net_learns_a_season(net: str, tmp_path: Path) -> None:
    """After a short training each beats the mean of the past, and its run opens again with equal forecasts."""
    data = monthly(150)
    found = workings.train(data, net=net, out=tmp_path / net, epochs=40, settings={"lane": "eager@1"})
    baselines = json.loads((tmp_path / net / "baselines.json").read_text(encoding="utf-8"))["baselines"]
    mean = next(each for each in baselines if each["name"] == "mean so far")
    assert found.metrics["mase"] < mean["metrics"]["mase"]
    assert workings.open_run(tmp_path / net).forecast(data=data).equals(found.forecast(data=data))


def test_the_same_seed_gives_the_same_run(tmp_path: Path) -> None:
    """Metrics and weights are equal bit for bit."""
    one, two = (workings.train(monthly(), out=tmp_path / name, seed=3, **QUICK) for name in ("one", "two"))
    assert one.metrics == two.metrics
    pairs = zip(one.net.parameters(), two.net.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


class Stop:
    """An emitter that interrupts at the second look at the validation part."""

    def __init__(self) -> None:
        self.looks = 0

    def __call__(self, event: Event) -> None:
        self.looks += isinstance(event, EpochEnded)
        if self.looks == 2:
            raise KeyboardInterrupt


def test_a_resumed_run_ends_with_the_same_bits(tmp_path: Path) -> None:
    """Stopped in the middle and resumed, weights, metrics and bands are those of the run that never stopped."""
    monthly().write_csv(tmp_path / "shop.csv")
    options: dict[str, Any] = {"epochs": 30, "settings": {"lane": "eager@1", "checkpoint_seconds": 0}}
    whole = workings.train(tmp_path / "shop.csv", out=tmp_path / "whole", **options)
    with pytest.raises(KeyboardInterrupt):
        workings.train(tmp_path / "shop.csv", out=tmp_path / "stopped", emit=Stop(), **options)
    resumed = workings.train(resume=tmp_path / "stopped")
    for name in ("weights.safetensors", "metrics.json", "forecast.json"):
        assert (whole.path / name).read_bytes() == (resumed.path / name).read_bytes(), name


def test_a_separate_test_series_is_tested_on(tmp_path: Path) -> None:
    """``test=`` takes windows of the other file only, and the training file is split in two."""
    found = workings.train(monthly(100), test=monthly(60, seed=9), out=tmp_path / "run", **QUICK)
    assert found.result["rows"] == 60 - found.prep.needs - found.prep.horizon + 1
    card = json.loads((tmp_path / "run" / "data_card.json").read_text(encoding="utf-8"))
    assert card["split"]["test"] == 0
    assert card["split"]["train"] + card["split"]["val"] == 100


def test_where_there_are_too_many_values_origins_are_left_out_evenly() -> None:
    """Every s-th window up to the last is kept, so that the values stay within the bound."""
    dataset = open_dataset(monthly(90).select("month", "sales"), horizon=6, window=5, transform="none")
    assert isinstance(dataset, SeriesDataset)
    source = dataset.source(dataset.fit(np.arange(60)), np.arange(90))
    few, apart = source.thinned(200)
    assert apart == -(-len(source) * 6 // 200)
    assert few.starts.tolist() == source.starts[::-1][::apart][::-1].tolist()
    index = torch.arange(len(few))
    assert torch.equal(few.targets(index), few.y)
    assert torch.equal(few.x(index[-1:]), source.x(torch.tensor([len(source) - 1])))
    assert source.thinned(10**6)[0] is source


def test_the_command_line_forecasts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``sample``, ``train``, ``forecast`` as a person types them; what is wrong ends with exit code 2."""
    from workings.cli.main import run as command

    data, out = tmp_path / "series.csv", tmp_path / "run"
    assert command(["sample", "series", "--out", str(data)]) == 0
    quick = ["--epochs", "2", "--set", "lane=eager@1", "--quiet"]
    assert command(["train", str(data), "--horizon", "4", "--out", str(out), *quick]) == 0
    capsys.readouterr()
    assert command(["forecast", str(out), "--horizon", "3", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["where"] for row in told["rows"]] == ["2025-01", "2025-01", "2025-02", "2025-02", "2025-03", "2025-03"]
    target = tmp_path / "next.parquet"
    assert command(["forecast", str(out), "--out", str(target), "--quiet"]) == 0
    assert pl.read_parquet(target).height == 8
    assert command(["forecast", str(out), "--horizon", "0"]) == 2
    assert command(["forecast", str(tmp_path)]) == 2
    data.write_text(data.read_text(encoding="utf-8") + "2025-02,300,4\n", encoding="utf-8")
    assert command(["forecast", str(out)]) == 2
    assert "1 month(s) are missing" in capsys.readouterr().err
