"""However a command ends, it says so in one line, leaves what can be resumed, and never shows a traceback."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.cli.helpers import QUICK, Command, environment, write_table

import workings
from workings.cli.train import _Place, _say_how_to_resume

LONG_RUN = ("--epochs", "400", "--set", "lane=eager@1", "--set", "baselines=false", "--set", "report=false")


def wait_for_an_epoch(events: Path, process: subprocess.Popen[str]) -> None:
    """Return once training is under way."""
    for _ in range(1200):
        if events.is_file() and '"EpochEnded"' in events.read_text(encoding="utf-8"):
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    pytest.fail("training did not begin within a minute")


def interrupted(table: Path, out: Path, number: int, *words: str) -> tuple[int, str, str]:
    """Train until the first epoch is over, then send the signal; exit code, standard output and error."""
    events = out.parent / "events.jsonl"
    command = [sys.executable, "-m", "workings", "train", table, "--target", "sick", "--out", out, "--events", events]
    process = subprocess.Popen(
        [*map(str, command), *LONG_RUN, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    wait_for_an_epoch(events, process)
    process.send_signal(number)
    printed, told = process.communicate(timeout=60)
    return process.returncode, printed, told


def test_ctrl_c_leaves_a_run_that_can_be_resumed(table: Path, tmp_path: Path, command: Command) -> None:
    """Exit code 130, the very command that goes on, a whole checkpoint; and that command finishes the run."""
    out = tmp_path / "my run"
    code, printed, told = interrupted(table, out, signal.SIGINT)
    assert code == 130
    assert "Traceback" not in told
    assert printed == ""
    assert told.splitlines()[-1] == f"  workings train --resume '{out}'"
    assert list((out / "checkpoint").glob("step-*"))
    assert not (out / "metrics.json").exists()

    said = command("train", "--resume", out, "--quiet", "--json")
    assert said.code == 0, said.err
    assert "accuracy" in json.loads(said.out)["metrics"]


@pytest.mark.slow
def test_a_polite_kill_is_like_ctrl_c(table: Path, tmp_path: Path) -> None:
    """SIGTERM, as schedulers send it, leaves the same; with ``--json`` the object says how to go on."""
    out = tmp_path / "run"
    code, printed, told = interrupted(table, out, signal.SIGTERM, "--json")
    assert code == 130
    assert "Traceback" not in told
    assert json.loads(printed) == {"interrupted": True, "run": str(out), "resume": f"workings train --resume {out}"}


def test_interrupted_before_anything_was_kept(capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is nothing to resume, no command is promised."""
    _say_how_to_resume(_Place(None), as_json=True)
    said = capsys.readouterr()
    assert "--resume" not in said.err
    assert json.loads(said.out) == {"interrupted": True, "run": None, "resume": None}


@pytest.mark.slow
def test_a_reader_that_has_enough_is_no_error(trained: tuple[Path, Path], tmp_path: Path) -> None:
    """``workings predict … | head -1`` prints one line and no complaint."""
    run, _ = trained
    many = write_table(tmp_path / "many.csv", 20_000)
    line = f'"{sys.executable}" -m workings predict "{run}" "{many}" --quiet | head -1'
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, env=environment(), check=False)
    assert done.stdout.startswith("row,where,prediction")
    assert done.stderr == ""


BROKEN = """
import sys
import workings.cli.arguments
from workings.cli.main import main

workings.cli.arguments.shape_of = None
sys.argv = ["workings", "net", "mlp", "--input", "3", *{words!r}]
main()
"""


@pytest.mark.parametrize("words", [[], ["--debug"], ["--json"]], ids=lambda words: " ".join(words) or "plain")
def test_a_bug_is_called_a_bug(words: list[str], tmp_path: Path) -> None:
    """Exit code 1 and one message with the file that has the traceback, which only ``--debug`` prints."""
    done = subprocess.run(
        [sys.executable, "-c", BROKEN.format(words=words)],
        capture_output=True,
        text=True,
        env=environment() | {"TMPDIR": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: This is a bug in Workings: TypeError: ")
    (path,) = tmp_path.glob("workings-*.txt")
    assert str(path) in done.stderr
    kept = path.read_text(encoding="utf-8")
    assert "Traceback" in kept
    assert workings.__version__ in kept
    assert ("Traceback" in done.stderr) == ("--debug" in words)
    if "--json" in words:
        assert json.loads(done.stdout)["error"][0]["code"] == "bug"
    else:
        assert done.stdout == ""


def on_a_terminal(words: list[str], **extra: str) -> str:
    """What a command writes to standard error where that is a terminal."""
    ours, theirs = pty.openpty()
    env = environment() | {"TERM": "xterm-256color"} | extra
    with subprocess.Popen(
        [sys.executable, "-m", "workings", *words], stdout=subprocess.DEVNULL, stderr=theirs, env=env
    ) as process:
        os.close(theirs)
        written = b""
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # how a terminal says that its other end was closed
                break
            if not piece:
                break
            written += piece
        process.wait()
    os.close(ours)
    return written.decode()


def test_colours_only_where_they_are_wanted(program: Command) -> None:
    """An error is red on a terminal, and plain in a pipe or under NO_COLOR."""
    words = ["train", "nowhere.csv"]
    assert "\033[1;31mError:" in on_a_terminal(words)
    assert "\033" not in on_a_terminal(words, NO_COLOR="1")
    assert "\033" not in program(*words).err


@pytest.mark.slow
def test_a_terminal_gets_a_bar(table: Path, tmp_path: Path) -> None:
    """On a terminal progress is redrawn in place; decisions stay above it."""
    out = tmp_path / "run"
    words = ["train", str(table), "--target", "sick", "--out", str(out), *QUICK]
    written = on_a_terminal(words)
    assert "━" in written
    assert "\033[" in written
    assert "batch_size" in written
    assert (out / "metrics.json").is_file()


def test_the_program_runs_by_either_name(program: Command) -> None:
    """``python -m workings`` is ``workings``, and its usage says so."""
    said = program("--help")
    assert said.code == 0
    assert said.out.startswith("Usage: workings ")


def test_the_shop_window_has_what_it_shows() -> None:
    """Every name in ``workings.__all__`` is there, and no other is promised."""
    for name in workings.__all__:
        assert getattr(workings, name) is not None
    assert set(workings.__all__) <= set(dir(workings))
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        _ = workings.trian  # type: ignore[attr-defined]
