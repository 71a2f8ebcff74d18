"""The worked examples of textbooks: printed figures by rounding, errata really wrong, every line holding."""

from __future__ import annotations

import pytest

from workings.base.errors import UserError
from workings.solutions.examples import EXAMPLES, example

ERRATA = {"W7", "W8", "W10", "W14", "mazur"}


@pytest.mark.parametrize("name", list(EXAMPLES))
def test_printed_figures_agree_and_errata_do_not(name: str) -> None:
    """An erratum must be shown to be one: its digits are not what the arithmetic gives."""
    wrong = [figure.text() for figure in example(name).figures() if not figure.as_it_should]
    assert not wrong


@pytest.mark.parametrize("name", list(EXAMPLES))
def test_every_line_and_comparison_of_an_example_holds(name: str) -> None:
    """The page itself, in every form."""
    solution = example(name).solve()
    assert solution.complete
    assert solution.lines or solution.checks
    for page in (solution.to_text(80), solution.to_markdown(), solution.to_latex(), solution.to_html()):
        assert name in page
    assert max(map(len, solution.to_text(80).splitlines())) <= 80 + 20  # a long product has no place to break


def test_the_known_errata_are_all_shown() -> None:
    """And every example of the list is there."""
    assert {f"W{i}" for i in range(1, 16)} | {"mazur"} == set(EXAMPLES)
    for name in ERRATA:
        assert "ERRATUM" in example(name).solve().to_text()


def test_a_mistyped_example_is_answered_with_the_nearest() -> None:
    """One message."""
    assert example("w13").name == "W13"
    with pytest.raises(UserError, match="no example called 'W16'"):
        example("W16")
