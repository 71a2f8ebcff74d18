"""Simple forecasts beside the net's, from the same origins: what a series gives away without a network.

    naive            ŷ_(T+h) = y_T
    seasonal naive   ŷ_(T+h) = y_(T+h−m·⌈h/m⌉)
    drift            ŷ_(T+h) = y_T + h (y_T − y_1)/(T − 1)
    mean             ŷ_(T+h) = (y_1 + … + y_T)/T
    autoregression   ŷ = W x + b, a ridge regression of each target on its own window, by scikit-learn

All but the last from Hyndman and Athanasopoulos 2021, Forecasting, 5.2. Legend: T the last known step, m season, N
windows, H steps ahead, k variables forecast.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workings.base.events import Emit, Phase
from workings.data.series.sources import SeriesSource
from workings.learning.forecast_errors import block_interval, score, window_errors
from workings.runs.forecast import MOST_JUDGED, scales

Floats = NDArray[np.float64]
MOST_WINDOWS = 20_000  # that the autoregression is fitted on
RIDGE = 1.0


def naive(source: SeriesSource) -> Floats:
    """The last value again and again, (N, H, k)."""
    y, H = _targets(source), source.prep.horizon
    return np.repeat(y[source.starts - 1][:, None], H, axis=1)


def seasonal_naive(source: SeriesSource) -> Floats:
    """The value of a season before, (N, H, k)."""
    m, h = source.prep.season, np.arange(source.prep.horizon)
    return _targets(source)[np.maximum(source.starts[:, None] - m + h % m, 0)]


def drift(source: SeriesSource) -> Floats:
    """On along the line from the first value to the last, (N, H, k)."""
    y, T = _targets(source), source.starts
    slope = (y[T - 1] - y[0]) / np.maximum(T - 1, 1)[:, None]
    h = np.arange(1, source.prep.horizon + 1)
    return y[T - 1][:, None] + h[None, :, None] * slope[:, None]


def mean(source: SeriesSource) -> Floats:
    """The mean of all values so far, (N, H, k)."""
    y, T = _targets(source), source.starts
    so_far = np.cumsum(y, axis=0)[T - 1] / T[:, None]
    return np.repeat(so_far[:, None], source.prep.horizon, axis=1)


def autoregression(train: SeriesSource, test: SeriesSource, seed: int) -> tuple[Floats, str]:
    """A ridge regression of each target on its own window, prepared as for the net, (N, H, k); and a note."""
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(seed)
    some = np.arange(len(train))
    if len(some) > MOST_WINDOWS:
        some = np.sort(rng.choice(some, MOST_WINDOWS, replace=False))
    L, H, k = test.prep.window, test.prep.horizon, test.prep.targets
    said = np.empty((len(test), H, k))
    for v in range(k):
        z_train = train.prep.prepared(train.series.values)[:, v]
        z_test = test.prep.prepared(test.series.values)[:, v]
        x, y = _cut(z_train, train.starts[some], -L, 0), _cut(z_train, train.starts[some], 0, H)
        model = Ridge(RIDGE).fit(x, y)
        said[..., v] = model.predict(_cut(z_test, test.starts, -L, 0)).reshape(-1, H)
    note = f"fitted on {len(some):,} of {len(train):,} windows" if len(some) < len(train) else ""
    return test.prep.units(test.prep.levels(said, test.past())), note


def run_baselines(
    train: SeriesSource, test: SeriesSource, prediction: Floats, seed: int, emit: Emit
) -> list[dict[str, Any]]:
    """What ``baselines.json`` holds: each simple forecast's metrics from the origins of ``test``.

    prediction: the net's (N, H, k); the best simple forecast gets ``gain``, how much better the net is.
    """
    test, apart = test.thinned(MOST_JUDGED)  # as the net was judged
    truth = test.truth()
    plain: dict[str, Callable[[SeriesSource], Floats]] = {
        "naive": naive,
        "seasonal naive": seasonal_naive,
        "drift": drift,
        "mean so far": mean,
    }
    if test.prep.season == 1:
        del plain["seasonal naive"]  # it is the naive forecast
    found: list[dict[str, Any]] = []
    best: tuple[float, Floats] | None = None
    for name in [*plain, "linear autoregression"]:
        emit(Phase("evaluating", f"baseline: {name}"))
        began = time.perf_counter()
        said, note = (plain[name](test), "") if name in plain else autoregression(train, test, seed)
        metrics = score(truth, said, scales(test.prep))
        seconds = round(time.perf_counter() - began, 3)
        found.append({"name": name, "metrics": metrics, "seconds": seconds, "note": note, "gain": {}})
        if "mase" in metrics and (best is None or metrics["mase"] < best[0]):
            best = metrics["mase"], said
    if best is not None:
        mine, theirs = (window_errors(truth, said, scales(test.prep))["mase"] for said in (prediction, best[1]))
        horizon, season = (-(-steps // apart) for steps in (test.prep.horizon, test.prep.season))
        interval = block_interval(theirs - mine, horizon, season)
        next(each for each in found if each["metrics"].get("mase") == best[0])["gain"] = (
            {"mase": interval} if interval else {}
        )
    return found


def _targets(source: SeriesSource) -> Floats:
    return source.series.values[:, : source.prep.targets]


def _cut(z: Floats, starts: NDArray[np.int64], begin: int, end: int) -> Floats:
    return z[starts[:, None] + np.arange(begin, end)]
