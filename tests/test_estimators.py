"""The scikit-learn estimators: scikit-learn's own suite in full, and what it does not ask."""

from __future__ import annotations

from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from workings.estimators import NetClassifier, NetRegressor


@parametrize_with_checks([NetClassifier(), NetRegressor()])
def test_scikit_learn_accepts_it(estimator: Any, check: Any) -> None:
    """Every check of scikit-learn's suite passes; none is expected to fail."""
    check(estimator)
