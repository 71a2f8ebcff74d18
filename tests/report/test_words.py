"""Laws of how numbers are written and drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workings.report.figures import MOST_POINTS, _thin
from workings.report.svg import Axis, Plot, log_ticks, nice_ticks, tick_text
from workings.report.words import a, judged, measured, number, percent, seconds

NBSP, JOIN = "\N{NO-BREAK SPACE}", "\N{WORD JOINER}"


@pytest.mark.parametrize(
    ("name", "value", "interval", "written"),
    [
        ("accuracy", 0.8563, [0.8509, 0.8616], (f"85.6{NBSP}%", f"85.1–{JOIN}86.2{NBSP}%")),
        ("accuracy", 0.972, [0.93, 0.989], (f"97.2{NBSP}%", f"93.0–{JOIN}98.9{NBSP}%")),
        ("roc_auc", 0.9988, [0.9960, 1.0], ("0.999", f"0.996–{JOIN}1.000")),
        ("r2", -0.02, [-0.4, 0.1], ("−0.020", "−0.400 to 0.100")),
        ("mae", 31234.5, [30000.0, 33000.0], ("31,234", f"30,000–{JOIN}33,000")),
        ("log_loss", 0.066, [0.026, 0.119], ("0.066", f"0.026–{JOIN}0.119")),
        ("mse", 1.234e-9, [1e-9, 1.5e-9], ("1.23 × 10⁻⁹", f"1 × 10⁻⁹–{JOIN}1.5 × 10⁻⁹".replace("10⁻⁹–", "10⁻⁹–"))),
        ("r2", -1e-9, None, ("0.000", "")),
        ("accuracy", 1.0, None, (f"100.0{NBSP}%", "")),
    ],
)
def test_a_metric_is_rounded_as_its_interval_tells(name, value, interval, written) -> None:  # type: ignore[no-untyped-def]
    """No digit that the interval makes meaningless, none lost that it shows."""
    assert measured(name, value, interval) == written


def test_numbers_are_written_for_reading() -> None:
    """Thousands apart, true minus signs, powers of ten for the tiny."""
    assert [number(x) for x in (0, 1234567, -0.03142, 0.00002)] == ["0", "1,234,567", "−0.03142", "2 × 10⁻⁵"]
    assert percent(0.12345) == f"12.3{NBSP}%"
    assert [seconds(s) for s in (0.034, 3.14, 59.9, 125, 4200)] == ["0.034 s", "3.1 s", "1 min 00 s", "2 min 05 s",
                                                                   "1 h 10 min"]  # fmt: skip


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_ticks_are_round_and_within_the_axis(low: float, width: float) -> None:
    """Two to twelve of them, evenly apart, each with a text of its own."""
    high = low + width
    if not high > low or width < abs(low) * 1e-6:
        return
    ticks = nice_ticks(low, high)
    assert 2 <= len(ticks) <= 12
    assert all(low - width * 1e-6 <= tick <= high + width * 1e-6 for tick in ticks)
    gaps = np.diff(ticks)
    assert np.allclose(gaps, gaps[0], rtol=1e-3)


@given(st.floats(-6, 4), st.floats(0.5, 6))
def test_logarithmic_ticks_are_within_the_axis(decade: float, decades: float) -> None:
    """And each is a power of ten or its double or fivefold."""
    low, high = 10**decade, 10 ** (decade + decades)
    assert all(low * 0.99 <= tick <= high * 1.01 for tick in log_ticks(low, high))
    assert log_ticks(low, high)


def test_a_log_axis_of_many_decades_has_few_ticks_told_as_powers_of_ten() -> None:
    marks = Axis("loss", 1e-3, 1e36, log=True).marks()
    assert 3 <= len(marks) <= 9
    assert all(text.startswith("10") or text == "1" for _, text in marks)
    assert Axis("loss", 1e-3, 1e3, log=True).marks()[0] == (0.001, "0.001")


def test_ticks_are_written_short() -> None:
    """No rounding noise, k and M for large ones."""
    assert [tick_text(x, [0, 0.1, 0.30000000000000004]) for x in (0, 0.30000000000000004)] == ["0", "0.3"]
    assert [tick_text(x, [0, 5e4]) for x in (0, 5e4)] == ["0", "50k"]
    assert [tick_text(x, [0, 5e-6]) for x in (0, 5e-6)] == ["0", "5 × 10⁻⁶"]
    assert tick_text(-1000.0, [-1000, 0]) == "−1,000"


def test_thinning_a_line_keeps_its_ends_and_extremes() -> None:
    """A spike of one step is still drawn."""
    line = np.column_stack([np.arange(10_000.0), np.zeros(10_000)])
    line[1234, 1] = 9
    thin = _thin(line)
    assert len(thin) <= MOST_POINTS + 2
    assert [thin[0, 0], thin[-1, 0]] == [0, 9999]
    assert thin[:, 1].max() == 9
    assert (np.diff(thin[:, 0]) > 0).all()


def test_a_plot_of_one_value_has_room_round_it() -> None:
    """No division by zero, no invisible axis."""
    plot = Plot("k", "t", "d", Axis("x", 3.0, 3.0), Axis("y", 0.0, 0.0))
    plot.dots([(3.0, 0.0)], "spot")
    assert "nan" not in plot.svg()


def test_counts_are_whole_and_what_is_judged_has_its_name() -> None:
    """Twenty units are 20; images, texts and steps are not called rows, and an evaluation may say what it counted."""
    assert measured("active_units", 20.0) == ("20", "")
    assert judged({"task": "multiclass"}, "images") == "image"
    assert judged({"task": "unsupervised"}, "series") == "step"
    assert judged({"task": "forecast"}, "series") == "forecast"
    assert judged({"task": "unsupervised", "counted": "window"}, "series") == "window"
    assert judged({"task": "binary"}, "table") == "row"
    assert [a("unsupervised"), a("row")] == ["an unsupervised", "a row"]
