"""Recordings: what is read from folders, names, tables and arrays, how it is split, and what a net is given."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest
import soundfile
import torch
from tests.data.opening import by_code, opened_as

from workings.base.errors import UserError
from workings.base.events import Decided, Event
from workings.data import read_for, read_preparation
from workings.data.sound.dataset import SoundDataset
from workings.data.sound.features import log_mel, usual_mel
from workings.data.sound.grouping import joined

RATE = 8_000


def tone(hertz: float, seconds: float = 0.1, rate: int = RATE, seed: int = 0) -> np.ndarray:
    n = np.arange(round(rate * seconds))
    noise = 0.01 * np.random.default_rng(seed).standard_normal(len(n))
    return (0.4 * np.sin(2 * np.pi * hertz * n / rate) + noise).astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes, low and high tones of 0.1 to 0.2 seconds, twelve each."""
    root = tmp_path / "tones"
    for label, hertz in (("low", 300), ("high", 2_000)):
        (root / label).mkdir(parents=True)
        for k in range(12):
            soundfile.write(root / label / f"{k}.wav", tone(hertz, 0.1 + 0.01 * k, seed=k), RATE)
    return root


@pytest.fixture
def named(tmp_path: Path) -> Path:
    """A flat folder: low and high tones by five speakers, three takes each."""
    root = tmp_path / "named"
    root.mkdir()
    for label, hertz in (("low", 300), ("high", 2_000)):
        for s, speaker in enumerate(("ada", "ben", "cleo", "dan", "eve")):
            for k in range(3):
                soundfile.write(root / f"{label}_{speaker}_{k}.wav", tone(hertz + 20 * s, seed=10 * s + k), RATE)
    return root


def opened(data: Any, **options: Any) -> SoundDataset:
    return opened_as(SoundDataset, data, **options)


def test_a_folder_per_class_is_read_in_natural_order(folder: Path) -> None:
    """Labels are folders; 2.wav comes before 10.wav; nothing is wrong with clean recordings."""
    dataset = opened(folder)
    assert dataset.kind == "sound"
    assert dataset.task.kind == "binary"
    assert dataset.class_counts == {"high": 12, "low": 12}
    assert list(dataset.names[:12]) == [f"high/{k}.wav" for k in range(12)]
    assert not dataset.problems


def test_frames_are_log_mel_standardised_and_padded_by_nan(folder: Path) -> None:
    """A batch is as long as its longest; real frames are (Y − mean) / std of the training frames, the rest is NaN."""
    dataset = opened(folder)
    rows = np.arange(0, 24, 2)
    prep = dataset.fit(rows)
    source = dataset.source(prep, rows)
    assert source.shape == (prep.length, 40) == prep.shape
    x = source.x(torch.tensor([0, 5, 2]))
    assert source.lengths is not None
    lengths = source.lengths[[0, 5, 2]]
    assert x.shape == (3, int(lengths.max()), 40)
    assert (~torch.isnan(x[..., 0])).sum(1).tolist() == lengths.tolist()
    wave, _ = soundfile.read(folder / dataset.names[10], dtype="float32")
    Y = log_mel(torch.from_numpy(wave), usual_mel(RATE))
    torch.testing.assert_close(x[1, : len(Y)], (Y - torch.tensor(prep.mean)) / torch.tensor(prep.std))
    every = source.x(torch.arange(len(rows)))
    real = every[~torch.isnan(every[..., 0])]
    torch.testing.assert_close(real.mean(0), torch.zeros(40), atol=1e-3, rtol=0)
    torch.testing.assert_close(real.std(0), torch.ones(40), atol=0.02, rtol=0)


def test_preparation_is_fitted_on_training_rows_only(folder: Path) -> None:
    """Other recordings may change as they like; what is fitted on these rows stays."""
    rows = np.arange(12)
    before = opened(folder).fit(rows)
    for k in range(12):
        soundfile.write(folder / "low" / f"{k}.wav", 0.9 * tone(900, 0.1 + 0.01 * k), RATE)
    assert opened(folder).fit(rows) == before
    assert read_preparation(json.loads(before.model_dump_json())) == before


def test_names_say_label_and_group(named: Path) -> None:
    """A pattern reads them; no speaker is on two sides, and one can be held out for the test."""
    dataset = opened(named, pattern="{label}_{group}_{take}")
    speakers = np.array([name.split("_")[1] for name in dataset.names])
    split = dataset.split(0, 0.2, 0.2)
    sides = [set(speakers[part]) for part in (split.train, split.val, split.test)]
    assert all(sides)
    assert not sides[0] & sides[1]
    assert not sides[0] & sides[2]
    assert not sides[1] & sides[2]
    held = opened(named, pattern="{label}_{group}_{take}", hold_out="dan").split(0, 0.2, 0.2)
    assert set(speakers[held.test]) == {"dan"}
    assert len(held.test) == 6
    assert "dan" in held.reason
    assert not set(speakers[held.val]) & set(speakers[held.train])


def test_a_field_that_is_no_group_keeps_nothing_together(named: Path) -> None:
    """Only {group} binds the split; any other name is passed over."""
    dataset = opened(named, pattern="{label}_{speaker}_{take}")
    assert dataset.recordings.groups is None
    assert "at random" in dataset.split(0, 0.2, 0.2).reason


def test_folders_say_the_class_and_names_the_group(folder: Path) -> None:
    """A pattern without a label reads groups beside class folders; one with a slash reads folders too."""
    for path in folder.rglob("*.wav"):
        path.rename(path.with_name(f"s{int(path.stem) % 4}_{path.stem}.wav"))
    dataset = opened(folder, pattern="{group}_{take}")
    assert dataset.task.classes == ["high", "low"]
    assert sorted(set(dataset.recordings.groups or [])) == ["s0", "s1", "s2", "s3"]
    assert opened(folder, pattern="{label}/{group}_{take}").recordings.groups == dataset.recordings.groups


def test_a_table_names_recordings_labels_and_groups(folder: Path) -> None:
    """Paths are relative to the table; a column of groups is used when it is named, and offered when it is not."""
    paths = sorted(folder.rglob("*.wav"))
    frame = polars.DataFrame(
        {
            "file": [path.relative_to(folder).as_posix() for path in paths],
            "label": [path.parent.name for path in paths],
            "speaker": [f"s{int(path.stem) % 3}" for path in paths],
        }
    )
    frame.write_csv(folder / "list.csv")
    dataset = opened(folder / "list.csv", group="speaker")
    assert dataset.task.target == "label"
    assert dataset.n == 24
    assert len(set(dataset.recordings.groups or [])) == 3
    plain = opened(folder / "list.csv", target="label")
    told = next(problem for problem in plain.problems if problem.code == "unused-columns")
    assert "group=speaker" in told.do


def test_numbers_as_labels_are_a_regression(folder: Path) -> None:
    """A column of many numbers is learnt as a number, standardised over the training rows."""
    paths = sorted(folder.rglob("*.wav"))
    y = [1.5 * k for k in range(len(paths))]
    names = [path.relative_to(folder).as_posix() for path in paths]
    polars.DataFrame({"path": names, "y": y}).write_csv(folder / "list.csv")
    dataset = opened(folder / "list.csv")
    assert dataset.task.kind == "regression"
    prep = dataset.fit(np.arange(10))
    target = dataset.source(prep, np.arange(10)).y
    np.testing.assert_allclose(target.numpy() * prep.target_std + prep.target_mean, y[:10], rtol=1e-5)


def test_arrays_with_a_rate_are_recordings() -> None:
    """(waves, labels, rate): floats, whole numbers scaled to ±1, two channels; equal sound gives equal frames."""
    waves = [tone(300, seed=k) for k in range(6)] + [tone(2_000, seed=k) for k in range(6)]
    labels = ["low"] * 6 + ["high"] * 6
    dataset = opened((waves, labels, RATE))
    assert dataset.class_counts == {"high": 6, "low": 6}
    whole = [(wave * 32768).round().astype(np.int16) for wave in waves]
    torch.testing.assert_close(
        opened((whole, labels, RATE)).recordings.frames_NF, dataset.recordings.frames_NF, atol=0.2, rtol=0
    )
    stereo = opened(([np.stack([wave, wave], 1) for wave in waves], labels, RATE))
    assert by_code(stereo.problems).keys() >= {"sound-mixed"}
    torch.testing.assert_close(stereo.recordings.frames_NF, dataset.recordings.frames_NF)


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "aiff"])
def test_formats_are_read(tmp_path: Path, suffix: str) -> None:
    """What libsndfile reads is read; lossy or not, the tones are the tones."""
    for label, hertz in (("a", 300), ("b", 2_000)):
        (tmp_path / label).mkdir()
        for k in range(4):
            soundfile.write(tmp_path / label / f"{k}.{suffix}", tone(hertz, 0.2, seed=k), RATE)
    dataset = opened(tmp_path)
    loudest = [int(dataset.frames(row).mean(0).argmax()) for row in range(8)]
    hertz = [usual_mel(RATE).band_hertz()[band] for band in loudest]
    assert all(abs(f - 300) < 60 for f in hertz[:4])
    assert all(abs(f - 2_000) < 120 for f in hertz[4:])


def test_mixed_rates_are_brought_to_one_and_told(folder: Path) -> None:
    """The lowest usual rate is chosen; who was resampled is said, and that the rate goes with the class."""
    for path in (folder / "low").glob("*.wav"):
        soundfile.write(path, tone(300, 0.1, 16_000, seed=int(path.stem)), 16_000)
    told: list[Event] = []
    dataset = opened(folder, emit=told.append)
    chosen = next(event for event in told if isinstance(event, Decided) and event.name == "sample_rate")
    assert chosen.value == RATE
    assert by_code(dataset.problems).keys() == {"sound-resampled", "rate-tells-class"}
    high = opened(folder, sample_rate=16_000)
    assert high.recordings.hearing.mel.rate == 16_000
    assert "sound-narrow" in by_code(high.problems)


def test_long_recordings_are_cut_on_request_and_told(folder: Path) -> None:
    """seconds= limits every recording; the frames kept are the first ones."""
    whole, cut = opened(folder), opened(folder, seconds=0.15)
    assert int(cut.recordings.lengths.max()) == usual_mel(RATE).frames(round(0.15 * RATE))
    problem = next(problem for problem in cut.problems if problem.code == "sound-cut")
    assert problem.count == 12
    torch.testing.assert_close(cut.frames(11), whole.frames(11)[: len(cut.frames(11))])


def test_silence_and_clipping_are_told(folder: Path) -> None:
    """Both are warnings with names and counts, and how much is clipped."""
    soundfile.write(folder / "low" / "0.wav", np.zeros(800, np.float32), RATE)
    soundfile.write(folder / "low" / "1.wav", np.clip(8 * tone(300), -1, 1), RATE)
    dataset = opened(folder)
    found = {problem.code: problem for problem in dataset.problems}
    assert found.keys() == {"sound-silent", "sound-clipped"}
    assert found["sound-silent"].where == "low/0.wav"
    assert "low/1.wav" in found["sound-clipped"].where
    assert "%" in found["sound-clipped"].where
    assert torch.isfinite(dataset.recordings.frames_NF).all()


def test_equal_recordings_stay_on_one_side(folder: Path) -> None:
    """Copies, whatever they are called, are told and kept together; with unequal labels it is another warning."""
    for k in range(6):
        (folder / "low" / f"copy{k}.wav").write_bytes((folder / "low" / f"{k}.wav").read_bytes())
    dataset = opened(folder)
    assert by_code(dataset.problems).keys() == {"duplicate-recordings"}
    where = {name: row for row, name in enumerate(dataset.names)}
    for seed in range(5):
        split = dataset.split(seed, 0.3, 0.2)
        side = np.zeros(dataset.n)
        side[split.val], side[split.test] = 1, 2
        assert all(side[where[f"low/{k}.wav"]] == side[where[f"low/copy{k}.wav"]] for k in range(6))
    (folder / "high" / "copy0.wav").write_bytes((folder / "low" / "0.wav").read_bytes())
    assert "conflicting-labels" in by_code(opened(folder).problems)


def test_groups_and_copies_are_joined() -> None:
    """Rows equal in either key, directly or through others, get one number."""
    found = joined(["a", "a", "b", "b", "c"], [1, 2, 2, 3, 4])
    assert len(set(found[:4].tolist())) == 1
    assert found[4] not in found[:4]


def test_new_recordings_are_heard_as_those_of_training(folder: Path, tmp_path: Path) -> None:
    """Another rate is resampled, a flat folder and a single file predict, unknown classes are refused by name."""
    dataset = opened(folder)
    prep = dataset.fit(np.arange(24))
    new = tmp_path / "new"
    new.mkdir()
    soundfile.write(new / "x.flac", tone(300, 0.15, 16_000), 16_000)
    for data in (new, new / "x.flac", ([tone(300, 0.15, 16_000)], 16_000)):
        read = read_for(prep, dataset.schema, data, False)
        assert read.n == 1
        assert not read.labelled
        assert read.source(prep, np.arange(1)).shape == prep.shape
        assert {problem.code for problem in read.problems} == {"sound-resampled"}
    (new / "lwo").mkdir()
    (new / "x.flac").rename(new / "lwo" / "x.flac")
    with pytest.raises(UserError, match="did you mean 'low'"):
        read_for(prep, dataset.schema, new, True)
    assert not read_for(prep, dataset.schema, new, False).labelled


def test_much_longer_recordings_are_told_at_prediction(folder: Path, tmp_path: Path) -> None:
    """What is beyond the longest of training is cut; both are said."""
    prep = opened(folder).fit(np.arange(24))
    soundfile.write(tmp_path / "long.wav", tone(300, 1.0), RATE)
    read = read_for(prep, opened(folder).schema, tmp_path / "long.wav", False)
    assert {problem.code for problem in read.problems} == {"sound-cut", "far-longer-recordings"}


def test_the_digest_follows_content_and_labels(folder: Path) -> None:
    """Equal data has an equal digest; another sample or another label another one."""
    first = opened(folder).digest
    assert opened(folder).digest == first
    soundfile.write(folder / "low" / "0.wav", tone(301), RATE)
    second = opened(folder).digest
    assert second != first
    (folder / "low").rename(folder / "lower")
    assert opened(folder).digest not in (first, second)


def test_reading_tells_of_progress_and_of_memory(folder: Path) -> None:
    """How many recordings are read, and how much room their frames take, are events."""
    told: list[Event] = []
    opened(folder, emit=told.append)
    text = " ".join(str(event) for event in told)
    assert "24 recordings" in text
    assert "KiB" in text


@pytest.mark.data
def test_spoken_digits_are_read(unpacked: Callable[[str], Path]) -> None:
    """The Free Spoken Digit Dataset: 3,000 recordings, ten digits, six speakers, nothing to refuse."""
    dataset = opened(unpacked("fsdd"), pattern="{label}_{group}_{take}")
    assert dataset.n == 3_000
    assert set(dataset.class_counts.values()) == {300}
    assert len(set(dataset.recordings.groups or [])) == 6
