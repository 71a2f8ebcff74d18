"""Exercises: well posed, humane, the same for the same seed, and answered rightly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from tests.solutions.exercise_answers import ANSWERS, given
from typer.testing import CliRunner

import workings
from workings.base.errors import UserError
from workings.cli.app import app
from workings.solutions.exercises import FAMILIES, Exercise, exercise
from workings.solutions.reading import read
from workings.solutions.rounding import printed
from workings.solutions.tables import EXACT

LONGEST = 50  # lines of an answer: what a person works out in an hour


def _holds(e: Exercise) -> None:
    """The laws of an exercise, whatever its seed."""
    told = f"{e.family} {e.difficulty} {e.seed}"
    page = e.solve()
    assert page.complete, told
    assert 0 < len(page.lines) <= LONGEST, told
    question = json.loads(json.dumps(e.to_dict()))
    assert not any("answer" in ask for ask in question["find"])
    assert not [line for step in question["steps"] for line in step["lines"]], told
    for q in e.sheet.given:  # what is printed is what was worked with
        assert all(read(printed(float(v), EXACT).text) == pytest.approx(float(v), rel=1e-12) for v in q.data.flatten())
        assert all(len(printed(float(v), EXACT).digits.strip("-0.")) <= 5 for v in q.data.flatten()), told
    found = list(ANSWERS[e.family](given(question), e.difficulty, question["title"]))
    asked = e.to_dict(answers=True)["find"]
    assert isinstance(asked, list)
    assert len(found) == len(asked), told
    for mine, ask in zip(found, asked, strict=True):
        if isinstance(mine, str):
            assert ask["answer"] == mine, told
        else:
            made = torch.tensor(ask["answer"], dtype=torch.float64)
            torch.testing.assert_close(
                made, mine.double().flatten(), rtol=1e-9, atol=1e-12, msg=f"{told} {ask['what']}"
            )


@pytest.mark.parametrize("difficulty", [1, 2, 3])
@pytest.mark.parametrize("family", list(FAMILIES))
def test_an_exercise_is_answered_from_its_question_alone(family: str, difficulty: int) -> None:
    """Another calculation, which sees only what the question states, comes to each of its answers."""
    _holds(exercise(family, 1, difficulty))


@drawn(st.sampled_from(list(FAMILIES)), st.integers(1, 3), st.integers(0, 10**9))
@settings(max_examples=25, deadline=None)
def test_any_seed_makes_an_exercise_that_holds(family: str, difficulty: int, seed: int) -> None:
    """Every draw is well posed: no ties, no kinks, no missing number."""
    _holds(exercise(family, seed, difficulty))


@pytest.mark.slow
@pytest.mark.parametrize("family", list(FAMILIES))
def test_sixty_seeds_of_each(family: str) -> None:
    """The same over many."""
    for seed in range(60):
        for difficulty in (1, 2, 3):
            _holds(exercise(family, seed, difficulty))


def test_the_same_seed_is_the_same_exercise_and_another_another() -> None:
    """On every machine: the draws are Python's own, whose sequence is guaranteed; the caller's are left alone."""
    state = torch.get_rng_state()
    for family in FAMILIES:
        assert exercise(family, 5, 2).to_dict(answers=True) == exercise(family, 5, 2).to_dict(answers=True)
        assert len({str(exercise(family, seed, 1)) for seed in range(6)}) > 3
    assert torch.equal(state, torch.get_rng_state())
    (a, c, *_) = exercise("gradient-descent", 7, 1).sheet.given
    assert (float(a.data), float(c.data)) == FIRST


FIRST = (0.5, 3.0)  # a and c of gradient descent, seed 7: fixed for good


def test_harder_ones_are_longer() -> None:
    """Difficulty means work."""
    for family in FAMILIES:
        lengths = [len(exercise(family, 3, difficulty).solve().lines) for difficulty in (1, 2, 3)]
        assert lengths[0] < max(lengths[1:]), family


def test_what_is_wrong_is_told_at_once() -> None:
    """A typing error, a difficulty and a seed in one message."""
    with pytest.raises(UserError) as caught:
        workings.exercise("lsm", -1, 4)
    assert len(caught.value.problems) == 3
    assert "Did you mean 'lstm'?" in str(caught.value)


@pytest.mark.parametrize("kind", ["text", "markdown", "latex", "html", "json"])
def test_the_command_writes_every_format(kind: str) -> None:
    """The question without the answer; with it when asked."""
    runner = CliRunner()
    bare = runner.invoke(app, ["exercise", "softmax", "--seed", "3", "--format", kind])
    full = runner.invoke(app, ["exercise", "softmax", "--seed", "3", "--format", kind, "--answers"])
    assert bare.exit_code == full.exit_code == 0
    assert "Answers" in full.output
    assert "Answers" not in bare.output
    assert len(full.output) > len(bare.output)


def test_a_sheet_of_several_is_made_of_seeds_in_a_row(tmp_path: Path) -> None:
    """Each can be made again alone."""
    runner, out = CliRunner(), tmp_path / "sheet.json"
    done = runner.invoke(app, ["exercise", "gru", "--seed", "4", "--count", "3", "--out", str(out)])
    assert done.exit_code == 0
    sheet = json.loads(out.read_text(encoding="utf-8"))
    assert [page["exercise"]["seed"] for page in sheet] == [4, 5, 6]
    assert sheet[1] == json.loads(json.dumps(exercise("gru", 5).to_dict()))


def test_the_command_lists_families_and_refuses_what_has_none() -> None:
    """``--answers`` of nothing is no quiet list."""
    runner = CliRunner()
    listed = runner.invoke(app, ["exercise"])
    assert [line.split()[0] for line in listed.output.splitlines()] == list(FAMILIES)
    refused = runner.invoke(app, ["exercise", "--answers"])
    assert isinstance(refused.exception, UserError)
    assert "No family is named" in str(refused.exception)
