"""``workings doctor`` and ``workings.examine``: what a person and a program are told of a run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars
import pytest
import yaml

from workings import api
from workings.base.errors import UserError
from workings.cli.main import run


def said(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """The exit code, standard output and standard error of a command."""
    capsys.readouterr()
    code = run([str(word) for word in words])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_healthy_run_is_told_as_healthy_and_gets_no_cure(
    sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says what was looked for; with --cure no trial is made and no run is written."""
    before = sorted(path.name for path in sound.iterdir())
    code, out, _ = said(capsys, "doctor", sound)
    assert code == 0
    assert "Healthy" in out
    assert "rate-too-high" in out
    assert before == sorted(path.name for path in sound.iterdir()), "reading writes nothing"

    other = shutil.copytree(sound, tmp_path / "run")
    code, out, _ = said(capsys, "doctor", other, "--cure", "--out", tmp_path / "cured", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["healthy"]
    assert found["treatment"] is None
    assert not (tmp_path / "cured").exists()


@pytest.mark.slow
def test_a_stopped_run_is_cured_and_its_test_is_told_last_and_once(
    stopped: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The numbers blew up, so there are no metrics; a cure is found, shown and trained into a run of its own."""
    sick, out = shutil.copytree(stopped, tmp_path / "run"), tmp_path / "cured"
    code, text, err = said(capsys, "doctor", sick, "--cure", "--out", out, "--minutes", "0.6")
    assert code == 0, err
    assert "Accepted" in text
    assert text.count("test rows, which no trial has seen") == 1
    assert text.index("test rows, which no trial has seen") > text.index("What was tried")
    kept = json.loads((sick / "doctor.json").read_text())
    accepted = [each for each in kept["treatment"]["tried"] if each["verdict"] == "accepted"]
    assert accepted
    assert all(each["gain"]["low"] > 0 and each["over_placebo"]["low"] > 0 for each in accepted)
    assert kept["metrics"]["test"]["before"] is None
    assert kept["metrics"]["test"]["after"]["metrics"]["accuracy"] == api.open_run(out).metrics["accuracy"]
    assert kept["causes"][0]["shown"]

    was, now = (yaml.safe_load((path / "recipe.yaml").read_text()) for path in (sick, out))
    assert now["seed"] == was["seed"]
    same = {"data", "target", "test_fraction", "val_fraction"}
    assert {name: was[name] for name in same} == {name: now[name] for name in same}
    rows = polars.read_parquet(out / "predictions.parquet")["row"]
    assert len(rows) == 60


def test_the_report_has_the_doctors_page(sound: Path, stopped: Path, tmp_path: Path) -> None:
    """A healthy run says so with what was looked for; a sick one shows its symptoms with a picture."""
    from workings.report.html import write_report

    other = shutil.copytree(sound, tmp_path / "run")
    page = write_report(other).read_text()
    assert 'id="doctor"' in page
    assert "Healthy." in page
    assert "rate-too-high" in page
    found = api.examine(stopped)
    assert found.findings


def test_trials_of_another_day_do_not_hide_what_is_told_now(sound: Path, tmp_path: Path) -> None:
    """doctor.json of other symptoms than those that are told today is of older thresholds."""
    from workings.report.html import write_report

    other = shutil.copytree(sound, tmp_path / "run")
    kept = api.examine(other).to_dict()
    symptom = {"code": "plateau", "what": "It stood still once."}
    (other / "doctor.json").write_text(
        json.dumps({"schema_version": 1, **kept, "healthy": False, "findings": [symptom]})
    )
    assert "Healthy." in write_report(other).read_text()


def test_bad_input_is_told_at_once_and_nothing_is_written(
    sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No run; minutes that cannot be; a place that is taken; --out without --cure; all in one message."""
    code, _, err = said(capsys, "doctor", tmp_path / "nothing", "--minutes", "-1", "--out", tmp_path)
    assert code == 2
    for part in ("nothing", "minutes", "--cure"):
        assert part in err
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").write_text("x")
    code, _, err = said(capsys, "doctor", sound, "--cure", "--out", tmp_path / "taken")
    assert code == 2
    assert "not empty" in err


def test_a_run_that_was_not_watched_is_refused(sound: Path, tmp_path: Path) -> None:
    """There is nothing to look at; the message says how to get it."""
    other = shutil.copytree(sound, tmp_path / "run")
    (other / "watch.json").unlink()
    with pytest.raises(UserError, match=r"watch=0\.03"):
        api.examine(other)
