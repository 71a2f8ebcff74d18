"""Printed lines: what is printed is what holds."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workings.solutions import expressions as E
from workings.solutions.evaluation import evaluate
from workings.solutions.reading import UnreadableLine, read
from workings.solutions.rounding import printed, settle_line
from workings.solutions.sums import products
from workings.solutions.text import write

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: 0.0 if abs(x) < 1e-6 else x)


def _trees(leaves: st.SearchStrategy[E.Expr]) -> st.SearchStrategy[E.Expr]:
    pairs = st.tuples(leaves, leaves)
    return st.one_of(
        pairs.map(lambda p: p[0] + p[1]),
        pairs.map(lambda p: p[0] - p[1]),
        pairs.map(lambda p: p[0] * p[1]),
        pairs.map(lambda p: p[0] / (E.absolute(p[1]) + 1)),
        leaves.map(lambda x: -x),
        leaves.map(lambda x: x**2),
        leaves.map(E.tanh),
        pairs.map(lambda p: E.largest(*p)),
        pairs.map(lambda p: E.holds(p[0], ">", p[1])),
        leaves.map(lambda x: E.sqrt(E.absolute(x))),
    )


def _entry(x: float) -> E.Expr:
    return E.Quantity("x", "1", torch.tensor([x], dtype=torch.float64))[(0,)]


TREES = st.recursive(NUMBERS.map(_entry), _trees, max_leaves=8)


@given(TREES)
@settings(max_examples=150, deadline=None)
def test_what_is_written_with_all_digits_reads_back_as_the_same_number(tree: E.Expr) -> None:
    """Writer and reader know nothing of each other but the characters; brackets and signs come out right."""
    value = evaluate(tree)
    if math.isfinite(value):
        assert read(write(tree, numbers=True, digits=17)) == pytest.approx(value, rel=1e-9, abs=1e-9)


@given(TREES, st.integers(2, 7))
@settings(max_examples=100, deadline=None)
def test_a_line_that_is_said_to_hold_holds_for_a_reader_with_a_calculator(tree: E.Expr, digits: int) -> None:
    """The printed right side comes to the printed result within one unit of its last digit, or the noise of float64."""
    value = evaluate(tree)
    line = settle_line(E.Symbol("y"), tree, value, digits)
    if line.holds:
        got = read(write(line.equation, numbers=True, digits=line.digits))
        size = sum(abs(e.value) for e in E.entries(tree)) + 1
        assert abs(got - read(line.result_printed.text)) <= 1.001 * line.result_printed.unit + 1e-9 * size**4


def test_a_wrong_result_is_said_to_fail() -> None:
    """2·3 = 6.1 is no line that more digits could save."""
    line = settle_line(E.Symbol("y"), _entry(2.0) * _entry(3.0), 6.1)
    assert not line.holds
    assert line.error > 1


def test_inputs_get_more_digits_where_rounding_would_miss_the_result() -> None:
    """1.00049 − 1 is 0.00049: four digits of the inputs would give 0."""
    line = settle_line(E.Symbol("y"), _entry(1.00049) - _entry(1.0), 1.00049 - 1.0)
    assert line.holds
    assert line.digits > 4


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0.5, "0.5"), (1.0, "1"), (-0.1903, "−0.1903"), (1 / 3, "0.3333"), (2e-7, "2·10⁻⁷"),
        (-2.6547e-5, "−2.655·10⁻⁵"),
        (0.68000001, "0.6800"), (123456.7, "123457"), (1e22, "1·10²²"), (0.0, "0"), (-0.56 + 1e-17, "−0.56"),
    ],
)  # fmt: skip
def test_numbers_are_rounded_and_exact_ones_left_short(x: float, text: str) -> None:
    """0.5 is exact; 0.6800 says that it was rounded."""
    assert printed(x, 4).text == text


@pytest.mark.parametrize("line", ["1 +", "2·(3", "hello", "1 ? 2", "", "[1 2]"])
def test_what_is_no_line_is_refused(line: str) -> None:
    """The reader guesses nothing."""
    with pytest.raises((UnreadableLine, ValueError)):
        read(line)


def test_terms_left_out_of_a_long_sum_are_counted_and_come_to_their_sum() -> None:
    """Nothing is dropped: six products are written, the others are one number that says how many they are."""
    q = E.Quantity("w", "1", torch.linspace(-1, 1, 40, dtype=torch.float64))
    long = products([(q[(i,)], q[(39 - i,)]) for i in range(40)])
    rest = next(t for t in long.terms if isinstance(t, E.Rest))  # type: ignore[attr-defined]
    assert rest.count == 34
    assert evaluate(long) == pytest.approx(float((q.data * q.data.flip(0)).sum()), rel=1e-12)
    assert "34\N{NO-BREAK SPACE}more" in write(long, numbers=True)


def test_a_line_that_comes_to_infinity_does_not_hold() -> None:
    """ln(1 + e^1000) is 1000, but a reader gets ∞: that is no result, however much is lost in it."""
    assert not settle_line(E.Number(1000.0), E.ln(1 + E.exp(E.Number(1000.0))), 1000.0).holds
