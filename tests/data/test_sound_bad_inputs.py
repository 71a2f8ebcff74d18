"""Bad recordings: one message with what, where, how many, why and what to do; all problems of a data set at once."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest
import soundfile
from tests.data.opening import refused

from workings.base.errors import UserError
from workings.data import inspect_dataset, open_dataset
from workings.data.sound.pattern import guess_pattern, read_pattern

RATE = 8_000


def noise(seconds: float = 0.1, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(round(RATE * seconds))).astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes of twelve recordings each."""
    root = tmp_path / "sounds"
    for c, label in enumerate(("hum", "hiss")):
        (root / label).mkdir(parents=True)
        for k in range(12):
            soundfile.write(root / label / f"{k}.wav", noise(seed=100 * c + k), RATE)
    return root


def cut_wav(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-400])


def cut_flac(path: Path) -> None:
    path.unlink()
    soundfile.write(path.with_suffix(".flac"), noise(2.0), RATE)
    whole = path.with_suffix(".flac").read_bytes()
    path.with_suffix(".flac").write_bytes(whole[: len(whole) // 2])


def cut_ogg(path: Path) -> None:
    path.unlink()
    soundfile.write(path.with_suffix(".ogg"), noise(2.0), RATE)
    whole = path.with_suffix(".ogg").read_bytes()
    path.with_suffix(".ogg").write_bytes(whole[: len(whole) // 2])


def text(path: Path) -> None:
    path.write_text("<html>404 Not Found</html>", encoding="utf-8")


def words(path: Path) -> None:
    path.write_text("not found\n", encoding="utf-8")


def pointer(path: Path) -> None:
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", encoding="utf-8")


def no_bytes(path: Path) -> None:
    path.write_bytes(b"")


def no_samples(path: Path) -> None:
    soundfile.write(path, np.zeros(0, np.float32), RATE)


def short(path: Path) -> None:
    soundfile.write(path, noise(0.01), RATE)


def not_finite(path: Path) -> None:
    x = noise()
    x[7] = np.nan
    soundfile.write(path, x, RATE, subtype="FLOAT")


def random_bytes(path: Path) -> None:
    path.write_bytes(np.random.default_rng(0).bytes(500))


def header_only(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:30])


SPOILT: dict[str, tuple[Callable[[Path], None], str]] = {
    "cut wav": (cut_wav, "truncated"),
    "cut flac": (cut_flac, "truncated|damaged|lost"),
    "cut ogg": (cut_ogg, "truncated"),
    "a page of text": (text, "it holds text"),
    "words": (words, "it holds text"),
    "a pointer": (pointer, "Git LFS"),
    "no bytes": (no_bytes, "empty"),
    "no samples": (no_samples, "empty"),
    "too short": (short, "too short: 10 ms"),
    "NaN": (not_finite, "NaN or infinite"),
    "random bytes": (random_bytes, "not a recording"),
    "header only": (header_only, "not a recording|empty|truncated"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_recording_is_refused_by_name_or_skipped_and_told(folder: Path, name: str) -> None:
    """Refused with file and reason; with on_bad_file=skip the others are read and the file is listed."""
    spoil, reason = SPOILT[name]
    spoil(folder / "hum" / "3.wav")
    problem = refused(folder)["bad-recordings"]
    assert problem.count == 1
    assert "hum/3" in problem.where
    assert re.search(reason, problem.where), problem.where
    assert "--on-bad-file skip" in problem.do
    dataset = open_dataset(folder, on_bad_file="skip")
    assert dataset.n == 23
    assert [bad.name.split(".")[0] for bad in dataset.skipped] == ["hum/3"]  # type: ignore[attr-defined]
    told = next(each for each in dataset.problems if each.code == "bad-recordings")
    assert told.level == "warning"


def test_a_stream_of_unknown_length_is_no_truncated_one(folder: Path) -> None:
    """Programs that write to a pipe leave the length open; such a file is whole."""
    path = folder / "hum" / "3.wav"
    content = bytearray(path.read_bytes())
    at = content.index(b"data")
    content[at + 4 : at + 8] = struct.pack("<I", 0xFFFFFFFF)
    path.write_bytes(bytes(content))
    assert open_dataset(folder).n == 24


def test_nothing_but_spoilt_recordings_is_refused_even_when_skipping(folder: Path) -> None:
    """Nothing would be left to learn from."""
    for path in folder.rglob("*.wav"):
        text(path)
    assert refused(folder, on_bad_file="skip")["bad-recordings"].count == 24


def test_everything_wrong_is_said_at_once(folder: Path) -> None:
    """Spoilt files, a class too small and a group that is not there come in one message."""
    text(folder / "hum" / "0.wav")
    for k in range(2, 12):
        (folder / "hiss" / f"{k}.wav").unlink()
    assert refused(folder, hold_out="ada").keys() == {
        "bad-recordings",
        "class-too-small",
        "hold-out-without-groups",
    }
    _, problems = inspect_dataset(folder)
    assert {each.code for each in problems if each.level == "error"} == {"bad-recordings", "class-too-small"}


def test_a_flat_folder_is_refused_with_the_pattern_that_its_names_look_like(tmp_path: Path) -> None:
    """Names like 3_ada_7 are recognised; others get the three ways to label recordings."""
    for label in range(3):
        for speaker in ("ada", "ben"):
            for take in range(4):
                soundfile.write(tmp_path / f"{label}_{speaker}_{take}.wav", noise(seed=take), RATE)
    assert "--set pattern={label}_{group}_{take}" in refused(tmp_path)["no-labels"].do
    assert "no-labels" in refused(tmp_path, pattern="{x}_{group}_{take}")


def test_names_that_do_not_fit_the_pattern_are_counted(tmp_path: Path) -> None:
    """None is guessed."""
    for name in ("a_1", "a_2", "b_1", "b_2", "intro"):
        soundfile.write(tmp_path / f"{name}.wav", noise(), RATE)
    problem = refused(tmp_path, pattern="{label}_{take}")["name-without-pattern"]
    assert problem.count == 1
    assert "intro" in problem.where


@pytest.mark.parametrize("pattern", ["{take}", "label_take", "{label}{take}", "{label}_{label}", "{label}_{", "", 7])
def test_patterns_that_say_nothing_are_refused(tmp_path: Path, pattern: object) -> None:
    """With how one is written."""
    soundfile.write(tmp_path / "a_1.wav", noise(), RATE)
    assert "{label}_{group}_{take}" in refused(tmp_path, pattern=pattern)["bad-pattern"].do


def test_a_pattern_has_one_way_to_read_a_name() -> None:
    """Only the label may hold separators; without one, the group."""
    said = read_pattern("{label}_{group}_{take}").match("x/turn_left_ada_3.wav")
    assert said is not None
    assert (said.label, said.group) == ("turn_left", "ada")
    assert read_pattern("{group}-{take}").match("ada-b-3.wav").group == "ada-b"  # type: ignore[union-attr]
    assert read_pattern("{label}_{take}").match("alone.wav") is None


def test_patterns_are_guessed_only_where_names_have_one() -> None:
    """Takes are rare values, labels and groups common ones."""
    names = [f"{d}_{s}_{t}.wav" for d in range(10) for s in ("ada", "ben") for t in range(9)]
    assert guess_pattern(names) == "{label}_{group}_{take}"
    assert guess_pattern([f"dog-{k}.wav" for k in range(9)] + [f"cat-{k}.wav" for k in range(9)]) == "{label}-{take}"
    assert guess_pattern([f"recording{k}.wav" for k in range(9)]) is None


def test_folders_without_recordings_or_with_other_things_are_refused(tmp_path: Path) -> None:
    """What was found instead is said; formats that cannot be read are named."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.m4a").write_bytes(b"0")
    problem = refused(tmp_path)["no-recordings"]
    assert ".m4a" in problem.what


def test_train_and_test_folders_are_not_taken_for_classes(folder: Path, tmp_path: Path) -> None:
    """The parts are to be given apart, and the command for it is said."""
    parts = tmp_path / "parts"
    parts.mkdir()
    folder.rename(parts / "train")
    (parts / "test" / "hum").mkdir(parents=True)
    soundfile.write(parts / "test" / "hum" / "0.wav", noise(), RATE)
    assert "--test" in refused(parts)["train-and-test-folders"].do


def test_one_class_is_refused(folder: Path) -> None:
    """Nothing can be told apart."""
    for path in (folder / "hiss").glob("*.wav"):
        path.unlink()
    assert "hum" in refused(folder)["one-class"].what


def test_what_is_left_out_of_a_folder_is_told(folder: Path) -> None:
    """Hidden files, other files, foreign formats and recordings beside the class folders, each counted."""
    (folder / "hum" / ".DS_Store").write_bytes(b"0")
    (folder / "notes.txt").write_text("x", encoding="utf-8")
    (folder / "hum" / "x.m4a").write_bytes(b"0")
    soundfile.write(folder / "loose.wav", noise(), RATE)
    dataset = open_dataset(folder)
    assert {each.code for each in dataset.problems} == {
        "hidden-files",
        "not-recordings",
        "unread-format",
        "recordings-beside-classes",
    }
    assert dataset.n == 24


def table(folder: Path, **columns: list[Any]) -> Path:
    polars.DataFrame(columns).write_csv(folder / "list.csv")
    return folder / "list.csv"


def paths(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.wav"))


def test_a_table_with_holes_is_refused_with_its_rows(folder: Path) -> None:
    """Rows without path, label or group, all at once."""
    names: list[Any] = paths(folder)
    labels: list[Any] = [name.split("/")[0] for name in names]
    speakers: list[Any] = [f"s{k % 4}" for k in range(24)]
    names[2], labels[3], speakers[4] = None, None, None
    found = refused(table(folder, path=names, label=labels, speaker=speakers), target="label", group="speaker")
    assert found.keys() == {"missing-path", "missing-target", "missing-group"}
    assert found["missing-target"].where == "rows 4"


def test_a_table_names_what_it_lacks(folder: Path) -> None:
    """Files that are not there, columns that are not there with the nearest name, two columns to choose from."""
    names = paths(folder)
    labels = [name.split("/")[0] for name in names]
    gone = table(folder, path=["gone.wav", *names[1:]], label=labels)
    assert "no such file" in refused(gone)["bad-recordings"].where
    listed = table(folder, path=names, label=labels, speaker=labels, room=labels)
    assert "Did you mean 'label'?" in refused(listed, target="lable")["unknown-column"].do
    assert "Did you mean 'speaker'?" in refused(listed, target="label", group="speakr")["unknown-column"].do
    unclear = table(folder, path=names, speaker=labels, room=labels)
    assert "no-target" in refused(unclear)
    alone = table(folder, path=names)
    assert "no-target" in refused(alone)


def test_groups_that_cannot_be_split_by_are_refused(folder: Path) -> None:
    """One group only; a group to hold out that is not there, with the nearest name."""
    names = paths(folder)
    labels = [name.split("/")[0] for name in names]
    same = table(folder, path=names, label=labels, speaker=["ada"] * 24)
    assert "one-group" in refused(same, target="label", group="speaker")
    listed = table(folder, path=names, label=labels, speaker=[("ada", "ben", "cleo")[k % 3] for k in range(24)])
    found = refused(listed, target="label", group="speaker", hold_out="bne")
    assert "Did you mean 'ben'?" in found["unknown-group"].do
    assert "group-of-a-folder" in refused(folder, group="speaker")
    dataset = open_dataset(listed, target="label", group="speaker", hold_out="ben")
    with pytest.raises(UserError, match="no test rows"):
        dataset.split(0, 0.0, 0.2)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"sample_rate": 12}, "bad-value"),
        ({"sample_rate": "high"}, "bad-value"),
        ({"seconds": -1}, "bad-value"),
        ({"task": "regresion"}, "unknown-task"),
        ({"task": "regression"}, "target-not-a-number"),
        ({"pixels": 32}, "option-of-another-kind"),
        ({"sample_rat": 8000}, "unknown-option"),
    ],
)
def test_options_that_make_no_sense_are_refused(folder: Path, options: dict[str, Any], code: str) -> None:
    """Each by name, before anything is read."""
    assert code in refused(folder, **options)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (([], [], RATE), "no-recordings"),
        (([noise()], None, RATE), "no-target"),
        (([noise(seed=k) for k in range(8)], ["a", "b"], RATE), "target-length"),
        (([noise(seed=k) for k in range(8)], ["a", None] * 4, RATE), "missing-target"),
        (([noise(seed=k) for k in range(8)], ["a", "b"] * 4, 3), "bad-rate"),
        (([noise(seed=k) for k in range(7)] + [np.full(800, np.inf)], ["a", "b"] * 4, RATE), "bad-recordings"),
        (([noise(seed=k) for k in range(7)] + [np.zeros((2, 800))], ["a", "b"] * 4, RATE), "bad-recordings"),
    ],
)
def test_arrays_that_are_no_recordings_are_refused(data: Any, code: str) -> None:
    """By row number where it is one of them."""
    found = refused(data)
    assert code in found
    if code == "bad-recordings":
        assert "row 8" in found[code].where
