"""Image files on their way in: those that are damaged, many at a time, more than the memory holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.data.opening import by_code, refused
from tests.data.pictures import everything, save, spoil, two_classes

from workings.base.events import Decided, Event
from workings.data.images import open_images


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return two_classes(tmp_path / "pictures")


# ----------------------------------------------------------------------------------------- bad files


def test_all_bad_files_are_in_one_report(folder: Path) -> None:
    """Every bad file with its reason, together with whatever else is wrong; nothing is returned."""
    bad = spoil(folder)
    save(folder / "mouse/1.png", seed=77)
    found = refused(folder, open_images)
    assert set(found) == {"bad-images", "class-too-small"}
    assert found["bad-images"].count == 5
    for name, reason in bad.items():
        assert f"{name} ({reason}" in found["bad-images"].where
    assert "--on-bad-file skip" in found["bad-images"].do


def test_skip_leaves_out_counts_and_lists(folder: Path) -> None:
    """With skip the others are read, and each skipped file is listed with its reason."""
    bad = spoil(folder)
    dataset = open_images(folder, on_bad_file="skip")
    assert dataset.n == 23
    assert {item.name: item.reason for item in dataset.skipped}.keys() == bad.keys()
    assert by_code(dataset.problems)["bad-images"].count == 5
    assert not set(bad) & set(dataset.names)
    assert dataset.class_counts == {"cat": 12, "dog": 11}


def test_a_folder_of_bad_files_only_is_refused_even_with_skip(tmp_path: Path) -> None:
    """Skipping everything is not reading."""
    for k in range(4):
        (tmp_path / f"c{k % 2}").mkdir(exist_ok=True)
        (tmp_path / f"c{k % 2}" / f"{k}.png").write_text("text")
    assert "None of the 4" in refused(tmp_path, open_images, on_bad_file="skip")["bad-images"].what


# ----------------------------------------------------------------------------------- larger than memory


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_mapped_pixels_equal_pixels_in_memory_bit_for_bit(tmp_path: Path, mode: str) -> None:
    """From disk and from memory: the same digest, preparation, problems, batches; over many record batches."""
    for k in range(30):
        save(tmp_path / "data" / f"c{k % 3}" / f"{k}.png", seed=k % 28, size=(120, 90 if k % 2 else 100), mode=mode)
    (tmp_path / "data/c1/bad.png").write_text("text")
    memory = open_images(tmp_path / "data", in_memory=True, size=(110, 600), on_bad_file="skip")
    for _ in range(2):
        mapped = open_images(
            tmp_path / "data", in_memory=False, size=(110, 600), on_bad_file="skip", cache=tmp_path / "cache"
        )
        assert mapped.digest == memory.digest
        assert mapped.skipped == memory.skipped
        assert [p for p in mapped.problems if p.code != "images-on-disk"] == memory.problems
        rows = np.array([3, 29, 0, 11, 17, 5])
        assert mapped.fit(rows) == memory.fit(rows)
        prep = memory.fit(rows)
        index = torch.tensor([5, 0, 2, 2, 4])
        ours, theirs = mapped.source(prep, rows), memory.source(prep, rows)
        assert torch.equal(ours.x(index), theirs.x(index))
        assert torch.equal(ours.y, theirs.y)
        assert [a.tolist() for a in vars(mapped.split(1, 0.2, 0.2)).values() if isinstance(a, np.ndarray)] == [
            a.tolist() for a in vars(memory.split(1, 0.2, 0.2)).values() if isinstance(a, np.ndarray)
        ]
    assert "decoded earlier" in by_code(mapped.problems)["images-on-disk"].what
    assert sorted(path.suffix for path in (tmp_path / "cache").iterdir()) == [".arrow", ".json"]


def test_threads_change_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many threads give the same order, digest, bad files and facts as one."""
    for k in range(200):
        save(folder / "cat" / f"more{k}.png", seed=2000 + k, mode="RGB" if k % 3 else "L")
    spoil(folder)
    one = open_images(folder, on_bad_file="skip")
    monkeypatch.setattr("workings.data.images.reading.THREADS_FROM_BYTES", 0)
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    many = open_images(folder, on_bad_file="skip")
    assert many.digest == one.digest
    assert many.names == one.names
    assert many.problems == one.problems
    assert torch.equal(everything(many), everything(one))


def test_what_would_fill_the_memory_goes_to_disk(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a quarter of the free memory is mapped from disk, which is told with both figures."""
    monkeypatch.setattr("workings.data.images.opening.free_memory", lambda: 1000)
    told: list[Event] = []
    dataset = open_images(folder, cache=tmp_path / "cache", emit=told.append)
    assert "images-on-disk" in by_code(dataset.problems)
    assert any(isinstance(event, Decided) and event.name == "images_in_memory" for event in told)
    assert everything(dataset).shape == (24, 1, 10, 12)


def test_a_changed_file_is_decoded_again(folder: Path, tmp_path: Path) -> None:
    """The cache is used while every file has the size and time it had, and never after."""
    first = open_images(folder, in_memory=False, cache=tmp_path / "cache")
    save(folder / "cat/3.png", seed=500)
    second = open_images(folder, in_memory=False, cache=tmp_path / "cache")
    assert second.digest != first.digest
    assert not torch.equal(everything(first), everything(second))
    assert torch.equal(everything(second), everything(open_images(folder)))
