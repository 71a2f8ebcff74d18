"""Laws of the worst mistakes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workings.report.mistakes import losses, worst


def test_the_worst_of_classes_are_wrong_and_ordered_by_the_truth_s_probability() -> None:
    """A right answer with little confidence is no mistake."""
    P = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.51, 0.49]])
    truth, prediction = [1, 1, 1, 0], [0, 0, 1, 0]
    assert worst("binary", truth, prediction, P).tolist() == [0, 1]
    assert worst("binary", truth, prediction, P[:, 1], k=1).tolist() == [0]
    np.testing.assert_allclose(losses("binary", truth, prediction, P), -np.log([0.1, 0.4, 0.8, 0.51]))


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.integers(1, 10))
def test_the_worst_of_values_have_the_largest_residuals(residuals: list[float], k: int) -> None:
    """No row left out is further off than one that is listed; a row hit exactly is no mistake."""
    truth = np.zeros(len(residuals))
    listed = worst("regression", truth, residuals, k=k)
    e = np.abs(residuals)
    assert len(listed) == min(k, int((e > 0).sum()))
    rest = np.delete(e, listed)
    assert len(listed) == 0 or len(rest) == 0 or rest.max() <= e[listed].min()
    assert list(e[listed]) == sorted(e[listed], reverse=True)


def test_equal_mistakes_keep_the_order_of_the_rows() -> None:
    """The same run lists the same rows."""
    assert worst("multiclass", [0, 1, 2, 0], [1, 2, 0, 0]).tolist() == [0, 1, 2]
    assert worst("multiclass", [0, 1], [0, 1]).tolist() == []
