"""What is typed is read as it is meant, and what cannot be meant is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workings.base.errors import UserError
from workings.cli import arguments
from workings.cli.words import duration, folded, number, typed, value

SETTINGS = [
    ("learning_rate=0.01", "learning_rate", 0.01),
    ("learning_rate=1e-3", "learning_rate", 1e-3),
    ("learning_rate=-1E3", "learning_rate", -1e3),
    ("batch_size=64", "batch_size", 64),
    ("batch_size=all", "batch_size", "all"),
    ("batch_norm=true", "batch_norm", True),
    ("patience=null", "patience", None),
    ("hidden=[64, 32]", "hidden", [64, 32]),
    ("hidden=[]", "hidden", []),
    ("lane=compiled@1x8", "lane", "compiled@1x8"),
    (" augmentation =flip", "augmentation", "flip"),
    ("name=a=b", "name", "a=b"),
    ("drop=[a, b c]", "drop", ["a", "b c"]),
    ("prepare={keep: [x]}", "prepare", {"keep": ["x"]}),
]


@pytest.mark.parametrize(("text", "key", "meant"), SETTINGS)
def test_a_setting_means_what_it_says(text: str, key: str, meant: object) -> None:
    """``--set key=value`` reads numbers, truth values, words and lists as such."""
    settings, problems = arguments.settings_of([text])
    assert not problems
    assert settings == {key: meant}
    assert type(settings[key]) is type(meant)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_survives_being_typed(number: float) -> None:
    """Whatever way Python writes a number, ``--set`` reads the same number."""
    settings, problems = arguments.settings_of([f"x={number!r}"])
    assert not problems
    assert settings["x"] == number


@pytest.mark.parametrize("text", ["", "=3", "alone", "hidden=[64, 32", "x={", "a: b"])
def test_a_setting_that_cannot_be_read_is_refused(text: str) -> None:
    """Text without a key, without ``=``, or with a value that is no YAML, is a problem; nothing is guessed."""
    _, problems = arguments.settings_of([text])
    assert [problem.level for problem in problems] == ["error"]
    assert problems[0].do


def test_a_setting_given_twice_is_refused() -> None:
    """Neither of two values for one key wins in silence."""
    _, problems = arguments.settings_of(["x=1", "x=2"])
    assert "more than once" in problems[0].what


@given(st.lists(st.integers(1, 4096), min_size=1, max_size=4), st.sampled_from(["x", ",", "X", " x ", ", "]))
def test_a_shape_is_read_back(shape: list[int], between: str) -> None:
    """``3x32x32`` and ``3,32,32`` are the shape (3, 32, 32)."""
    assert arguments.shape_of(between.join(map(str, shape))) == tuple(shape)


@pytest.mark.parametrize("text", ["", "x", "3x", "0", "3x0", "-3", "3.5", "3 32", "(3,32)", "three"])
def test_a_shape_that_is_none_is_refused(text: str) -> None:
    """Anything but positive whole numbers is refused, with an example of what to write."""
    with pytest.raises(UserError, match="3x32x32"):
        arguments.shape_of(text)


def test_a_missing_file_is_answered_with_the_nearest_name(tmp_path: Path) -> None:
    """A typo in a path gets the file that was probably meant; without one, what is there."""
    (tmp_path / "patients.csv").touch()
    (problem,) = arguments.existing(str(tmp_path / "patient.csv"))
    assert f"Did you mean '{tmp_path / 'patients.csv'}'?" in problem.do
    (problem,) = arguments.existing(str(tmp_path / "zebra"))
    assert "patients.csv" in problem.do
    (problem,) = arguments.existing(str(tmp_path / "no" / "where" / "x.csv"))
    assert str(tmp_path) in problem.where
    assert arguments.existing(str(tmp_path)) == []


def test_a_folder_of_runs_names_them(tmp_path: Path) -> None:
    """Given ``runs/`` instead of a run in it, the message lists the runs."""
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "recipe.yaml").touch()
    (problem,) = arguments.is_run(str(tmp_path))
    assert "first" in problem.do
    assert arguments.is_run(str(tmp_path / "first")) == []


@pytest.mark.parametrize(
    ("given_", "shown"),
    [
        (0.85123, "0.8512"),
        (1234, "1,234"),
        (0.0, "0"),
        (4356.0, "4,356"),
        (4356.04, "4,356.0"),
        (3.2e-5, "3.2e-05"),
        (12.3456, "12.35"),
        (123456.7, "123,457"),
        (float("nan"), "nan"),
        (True, "True"),
    ],
)
def test_numbers_have_four_digits_that_say_something(given_: object, shown: str) -> None:
    """Numbers are as long as they are useful."""
    assert number(given_) == shown


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (59.6, "1:00"), (3723, "1:02:03"), (float("inf"), "–")])
def test_durations_read_like_a_clock(seconds: float, shown: str) -> None:
    """Minutes and seconds; a dash for what is not known."""
    assert duration(seconds) == shown


def test_values_are_shown_as_they_are_typed() -> None:
    """A settled value looks like what one would type to set it."""
    assert value({"hidden": [64, 32], "dropout": 0.1}) == "hidden=[64, 32], dropout=0.1"
    assert typed((64, 32)) == "[64, 32]"
    assert typed(False) == "false"
    assert value(None) == "none"


@given(st.text(st.characters(codec="ascii", categories=["L", "N", "Zs"]), max_size=300), st.integers(30, 100))
def test_folding_loses_no_word(text: str, width: int) -> None:
    """Folded text has every word, in order; only a word longer than the line makes a longer line."""
    lines = folded(text, width, "  ", "    ")
    assert " ".join(lines).split() == text.split()
    assert all(len(line) <= width or len(line.split()) == 1 for line in lines)
