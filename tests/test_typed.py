"""Settings in messages are such as can be typed."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workings.base.typed import as_typed
from workings.cli.arguments import settings_of

NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("kinds", {"zip": "categorical"}, "--set 'kinds={zip: categorical}'"),
        ("kinds", {"2": "numeric"}, "--set 'kinds={\"2\": numeric}'"),
        ("drop", ["date", "no"], "--set 'drop=[date, \"no\"]'"),
        ("on_bad_row", "drop", "--set on_bad_row=drop"),
        ("imbalance", "class weights", "--set 'imbalance=class weights'"),
        ("zeros_as_missing", [], "--set 'zeros_as_missing=[]'"),
        ("in_memory", False, "--set in_memory=false"),
    ],
)
def test_a_setting_is_said_as_it_is_typed(name: str, value: object, said: str) -> None:
    """With no more quotes than the shell and YAML need."""
    assert as_typed(name, value) == said  # type: ignore[arg-type]


@given(st.one_of(NAMES, st.lists(NAMES), st.dictionaries(NAMES, NAMES)))
def test_what_is_said_means_the_value_when_it_is_typed(value: object) -> None:
    """Whatever a column is called: through the shell and YAML comes what was meant."""
    flag, typed = shlex.split(as_typed("key", value))  # type: ignore[arg-type]
    assert flag == "--set"
    assert settings_of([typed]) == ({"key": value}, [])
