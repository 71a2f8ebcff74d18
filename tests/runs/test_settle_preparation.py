"""Laws of how the preparation of a table is settled."""

from __future__ import annotations

import pytest

from workings.base.events import Decided, Event
from workings.runs.recipe import make_recipe
from workings.runs.settle_preparation import settle_preparation, settle_zeros


@pytest.mark.parametrize(
    ("task", "n", "given", "bins"),
    [
        ("binary", 999, {}, 0),
        ("multiclass", 150, {}, 0),
        ("binary", 1000, {}, 8),
        ("regression", 99, {}, 0),
        ("regression", 100, {}, 8),
        ("binary", 100_000, {}, 32),
        ("binary", 500, {"bins": 4}, 4),
        ("regression", 500, {"net": "linear"}, 0),
    ],
)
def test_bins_follow_from_the_rows_and_the_task(task: str, n: int, given: dict[str, object], bins: int) -> None:
    """A class says less than a number, so bins want more rows of it; what was given stands; a plane stays a plane."""
    recipe = settle_preparation(make_recipe(given), n, 10, task, lambda event: None)  # type: ignore[arg-type]
    assert recipe.prepare["bins"] == bins


def test_zeros_that_were_found_are_in_the_recipe_and_told() -> None:
    """So that the recipe says what the run did; what was given stands, and where none are found nothing is said."""
    told: list[Event] = []
    assert settle_zeros(make_recipe({}), ["bmi"], told.append).prepare["zeros_as_missing"] == ["bmi"]
    assert [each.value for each in told if isinstance(each, Decided)] == [["bmi"]]
    assert settle_zeros(make_recipe({}), [], told.append).prepare["zeros_as_missing"] == []
    given = make_recipe({"zeros_as_missing": []})
    assert settle_zeros(given, [], told.append) == given
    assert len(told) == 1
