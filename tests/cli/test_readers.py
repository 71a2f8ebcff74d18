"""The readers of the event stream say all that lasts, fit the screen, and change nothing."""

from __future__ import annotations

import io
import json
import threading
from pathlib import Path

import pytest
from rich.console import Console

from workings.base.events import (
    Checkpointed,
    Decided,
    EpochEnded,
    Event,
    Finished,
    Noticed,
    Phase,
    Stepped,
    Stopped,
)
from workings.base.problems import Problem
from workings.cli.bar import Bar
from workings.cli.course import Course
from workings.cli.log import Log
from workings.cli.readers import reading

LONG = "because " * 30 + "of this"
EPOCHS = 30


def a_run() -> list[Event]:
    """The events of a run, with texts of every length."""
    events: list[Event] = [
        Phase("reading", "the data"),
        Noticed(
            Problem("warning", "id-like", "The column 'fnlwgt' looks like an identifier.", "fnlwgt", 1, LONG, "Go.")
        ),
        Decided("task", "binary", "two values"),
        Decided("net_settings", {"hidden": [128, 128], "dropout": 0.1}, LONG),
        Decided("a_setting_with_a_long_name", 0.25, LONG),
        Decided("learning_rate", 0.003, ""),
        Phase("training", "30,000 steps"),
    ]
    for epoch in range(1, EPOCHS + 1):
        step = epoch * 1000
        events.append(Stepped(step - 500, EPOCHS * 1000, epoch, EPOCHS, 0.31, 1e-3, 31234.5, 12.0))
        metrics = {"train_loss": 0.3 / epoch, "val_loss": 0.4 / epoch, "val_accuracy": 0.8, "val_roc_auc": 0.9}
        events.append(EpochEnded(epoch, EPOCHS, step, metrics, best=epoch < 20))
    return [
        *events,
        Checkpointed(30_000),
        Stopped("no better loss on the validation rows in 10 looks", 30_000),
        Phase("evaluating", "on the test rows"),
        Finished("runs/x", {"accuracy": 0.85}),
    ]


def shown(width: int = 80, terminal: bool = False) -> str:
    """What a reader writes of a run."""
    file = io.StringIO()
    screen = Console(file=file, width=width, force_terminal=terminal, color_system=None, highlight=False)
    with Bar(screen) if terminal else Log(screen) as reader:
        for event in a_run():
            reader(event)
    return file.getvalue()


@pytest.mark.parametrize("width", [80, 100])
def test_log_lines_fit_and_never_move_back(width: int) -> None:
    """Outside of a terminal: no control characters, and no line is wider than the screen."""
    text = shown(width)
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    assert max(len(line) for line in text.splitlines()) <= width


@pytest.mark.parametrize("terminal", [False, True])
def test_speed_is_in_what_the_samples_are(terminal: bool) -> None:
    """Windows of a text are not rows."""
    file = io.StringIO()
    screen = Console(file=file, width=80, force_terminal=terminal, color_system=None, highlight=False)
    with Bar(screen) if terminal else Log(screen) as reader:
        reader(Stepped(1, 2, 1, 1, 0.5, 0.1, 1234.0, 5.0, "windows"))
    assert "1,234 windows/s" in file.getvalue()


def test_log_tells_the_first_epoch_and_the_last() -> None:
    """Epochs that come faster than one a second are thinned out, but the last is always told."""
    lines = [line for line in shown().splitlines() if line.startswith("  epoch")]
    assert lines[0].startswith(f"  epoch 1/{EPOCHS} ")
    assert lines[-1].startswith(f"  epoch {EPOCHS}/{EPOCHS} ")
    assert len(lines) <= 3


def test_the_last_epoch_of_an_interrupted_run_is_told() -> None:
    """Where the log ends with an error, the epoch that it still owed is written first."""
    file = io.StringIO()
    log = Log(Console(file=file, width=80))
    for event in a_run()[:-6]:
        log(event)
    log.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert file.getvalue().splitlines()[-1].startswith("  epoch 29/30")


@pytest.mark.parametrize("terminal", [False, True])
def test_everything_that_lasts_is_told(terminal: bool) -> None:
    """Phases, decisions with their reasons, problems with all their parts, and why it stopped."""
    words = " ".join(shown(terminal=terminal).replace("\r", "\n").split())
    for said in (
        "Reading the data",
        "task = binary — two values",
        "hidden=[128, 128], dropout=0.1",
        LONG,
        "a_setting_with_a_long_name = 0.25",
        "looks like an identifier",
        "what to do: Go.",
        "Stopped at step 30,000: no better loss on the validation rows in 10 looks.",
        "Evaluating on the test rows",
        "val accuracy 0.8000",
        "best: epoch 19",
    ):
        assert said in words, said


def test_the_bar_has_no_thread_of_its_own() -> None:
    """A bar that drew by itself would share the processor with the run."""
    before = threading.active_count()
    screen = Console(file=io.StringIO(), width=80, force_terminal=True)
    with Bar(screen) as bar:
        for event in a_run()[:12]:
            bar(event)
        assert bar.live is not None
        assert threading.active_count() == before
    assert bar.live is None


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_the_bar_fits_any_screen(width: int) -> None:
    """The two lines that are redrawn never wrap, or redrawing would leave pieces behind."""
    bar = Bar(Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None))
    for event in a_run()[:40]:
        bar.course(event)
    file = io.StringIO()
    Console(file=file, width=width, color_system=None).print(bar.shown())
    lines = file.getvalue().splitlines()
    assert len(lines) == 2
    assert all(len(line) <= width for line in lines)


def test_the_watched_metric_is_the_one_shown() -> None:
    """Where another metric than the usual one is watched, it stands beside the losses."""
    course = Course()
    for event in a_run():
        course(event)
    assert course.metric() == "val_accuracy"
    course(Decided("monitor", "roc_auc", "the rarer class is what is looked for"))
    assert course.metric() == "val_roc_auc"


def test_events_are_kept_as_json_lines(tmp_path: Path) -> None:
    """``--events FILE``: one strict JSON object a line; NaN and infinity are null."""
    path = tmp_path / "new" / "events.jsonl"
    with reading(quiet=True, events=str(path)) as readers:
        for event in [*a_run(), Stepped(1, 2, 1, 1, float("nan"), 0.1, 1.0, float("inf"))]:
            readers(event)

    def refuse(name: str) -> None:
        pytest.fail(f"{name} is no JSON")

    lines = [json.loads(line, parse_constant=refuse) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [line["kind"] for line in lines[:3]] == ["Phase", "Noticed", "Decided"]
    assert lines[-1]["loss"] is None
    assert lines[-1]["seconds_left"] is None
    assert len(lines) == len(a_run()) + 1
    assert [problem.code for problem in readers.problems] == ["id-like"]
