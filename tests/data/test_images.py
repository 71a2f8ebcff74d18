"""Folders of images: what is read, what is refused, what is told."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.data.opening import by_code, refused
from tests.data.pictures import everything, prepared, save, two_classes

from workings.base.errors import UserError
from workings.base.events import Decided, Event
from workings.data.images import ImagePreparation, open_images, read_images_for


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return two_classes(tmp_path / "pictures")


# ------------------------------------------------------------------------------------------- folders


def test_a_folder_per_class_is_classes(folder: Path) -> None:
    """Classes are the folders' names, rows are the files in natural order, pixels are the files' own."""
    dataset = open_images(folder)
    assert (dataset.kind, dataset.n, dataset.task.kind) == ("images", 24, "binary")
    assert dataset.task.classes == ["cat", "dog"]
    assert dataset.class_counts == {"cat": 12, "dog": 12}
    assert "folder per class" in dataset.task.reason
    source = dataset.source(prepared(dataset), np.array([0, 2, 13]))
    assert [source.where(k) for k in range(3)] == ["cat/0.png", "cat/2.png", "dog/1.png"]
    assert source.y.tolist() == [0, 0, 1]
    assert source.rows.tolist() == [0, 2, 13]
    assert source.shape == (1, 10, 12)
    with Image.open(folder / "cat/2.png") as image:
        assert np.array_equal(source.to_pixels(source.x(torch.tensor([1])))[0, 0], np.asarray(image))
    assert dataset.problems == []


def test_classes_are_in_natural_order(tmp_path: Path) -> None:
    """s2 comes before s10, and 9 before 10."""
    for k, name in enumerate(["s10", "s2", "s1"] * 3):
        save(tmp_path / name / f"{k}.png", seed=k)
    assert open_images(tmp_path).task.classes == ["s1", "s2", "s10"]


def test_what_is_left_out_is_counted_and_told(folder: Path) -> None:
    """Hidden files, other files, unread formats, loose pictures and empty folders are all in the problems."""
    (folder / "README").write_text("words")
    (folder / "cat/notes.txt").write_text("words")
    (folder / "cat/.DS_Store").write_text("x")
    (folder / ".cache").mkdir()
    (folder / "dog/.thumbs").mkdir()
    (folder / "dog/phone.heic").write_bytes(b"x")
    (folder / "empty").mkdir()
    save(folder / "loose.png", seed=99)
    save(folder / "dog/older/deep.png", seed=98)
    dataset = open_images(folder)
    found = by_code(dataset.problems)
    assert found["not-images"].count == 2
    assert found["hidden-files"].count == 3
    assert found["unread-format"].count == 1
    assert found["empty-class-folder"].where == "empty"
    assert found["images-beside-classes"].where == "loose.png"
    assert "dog/older/deep.png" in dataset.names
    assert dataset.class_counts == {"cat": 12, "dog": 13}


def test_train_and_test_folders_are_explained(tmp_path: Path, folder: Path) -> None:
    """train/ and test/ are not two classes; the message gives the command."""
    for part in ("Train", "test", "val"):
        shutil.copytree(folder, tmp_path / "set" / part)
    problem = refused(tmp_path / "set", open_images)["train-and-test-folders"]
    assert f"workings train '{tmp_path}/set/Train' --test '{tmp_path}/set/test'" in problem.do
    for k in range(6):
        save(tmp_path / "vehicles" / ("train", "bus")[k % 2] / f"{k}.png", seed=k)
    assert open_images(tmp_path / "vehicles").task.classes == ["bus", "train"]


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda root: root.mkdir(), "no-images"),
        (lambda root: save(root / "a.png", 1), "no-class-folders"),
        (lambda root: [save(root / "only" / f"{k}.png", k) for k in range(3)], "one-class"),
        (lambda root: [save(root / "top" / f"c{k % 2}" / f"{k}.png", k) for k in range(6)], "one-class"),
        (lambda root: [save(root / f"c{k % 5 // 4}" / f"{k}.png", k) for k in range(9)], "class-too-small"),
    ],
)
def test_folders_that_teach_nothing_are_refused(tmp_path: Path, make: Callable[[Path], object], code: str) -> None:
    """Empty, flat, one class, a level too high, a class of one or two images."""
    make(tmp_path / "data")
    assert code in refused(tmp_path / "data", open_images)


def test_a_level_too_high_names_the_right_folder(tmp_path: Path) -> None:
    """The folder that was meant is in the message."""
    for k in range(6):
        save(tmp_path / "top" / f"c{k % 2}" / f"{k}.png", k)
    assert str(tmp_path / "top") in refused(tmp_path, open_images)["one-class"].do


# ----------------------------------------------------------------------------------- sizes, channels


def test_different_sizes_become_one_and_are_told(tmp_path: Path) -> None:
    """The median size, at most 64 pixels a side, with the reason as an event and in the problems."""
    for k in range(12):
        save(tmp_path / f"c{k % 2}" / f"{k}.png", seed=k, size=(100 + 10 * k, 120))
    told: list[Event] = []
    dataset = open_images(tmp_path, emit=told.append)
    assert dataset.source(prepared(dataset), np.arange(3)).shape == (1, 50, 64)
    assert by_code(dataset.problems)["image-resized"].count == 12
    assert "12 different sizes, between 120×100 and 120×210" in by_code(dataset.problems)["image-size"].what
    decided = {event.name: event for event in told if isinstance(event, Decided)}
    assert decided["image_size"].value == [50, 64]
    assert open_images(tmp_path, size=32).source(prepared(open_images(tmp_path, size=32)), np.arange(2)).shape == (
        1,
        32,
        32,
    )


def test_mixed_grey_and_colour_become_colour_and_are_told(folder: Path) -> None:
    """One colour picture makes three channels; how many were grey is told. Asked for one channel, colour is lost."""
    save(folder / "cat/colour.png", seed=50, mode="RGB")
    dataset = open_images(folder)
    assert dataset.source(prepared(dataset), np.arange(2)).shape == (3, 10, 12)
    assert by_code(dataset.problems)["image-grey-to-colour"].count == 24
    grey = open_images(folder, channels=1)
    assert by_code(grey.problems)["image-colour-to-grey"].count == 1
    assert grey.source(prepared(grey), np.arange(2)).shape == (1, 10, 12)


def test_senseless_wishes_are_refused(folder: Path) -> None:
    """A size of nothing, two channels, a task or a choice that does not exist."""
    assert "image-size" in refused(folder, open_images, size=0)
    assert "image-channels" in refused(folder, open_images, channels=2)
    assert "did you mean 'regression'" in refused(folder, open_images, task="regresion")["unknown-task"].do.lower()
    assert "skip" in refused(folder, open_images, on_bad_file="skp")["unknown-choice-for-bad-files"].do
    assert "no-such-file" in refused(folder / "absent", open_images)


# ---------------------------------------------------------------------------------------- duplicates


def test_duplicates_and_conflicting_labels_are_told(folder: Path) -> None:
    """The same pixels twice, in another format too; and once as a cat and once as a dog."""
    with Image.open(folder / "cat/1.png") as image:
        image.save(folder / "cat/again.bmp")
    shutil.copy(folder / "cat/2.png", folder / "dog/liar.png")
    found = by_code(open_images(folder).problems)
    assert found["duplicate-images"].where == "cat/1.png = cat/again.bmp"
    assert found["conflicting-labels"].where == "cat/2.png (cat) = dog/liar.png (dog)"


@pytest.mark.parametrize("seed", range(5))
def test_equal_pictures_stay_on_one_side_of_a_split(folder: Path, seed: int) -> None:
    """Copies, under other names and in other formats, are never trained and tested on at once."""
    for k in range(6):
        with Image.open(folder / f"cat/{k}.png") as image:
            image.save(folder / f"cat/copy{k}.bmp")
    dataset = open_images(folder)
    split = dataset.split(seed, 0.25, 0.25)
    side = {int(row): part for part in ("train", "val", "test") for row in getattr(split, part)}
    assert sorted(side) == list(range(30))
    names = list(dataset.names)
    for k in range(6):
        assert side[names.index(f"cat/{k}.png")] == side[names.index(f"cat/copy{k}.bmp")]
    assert "equal pictures" in split.reason


def test_a_split_keeps_the_proportions(folder: Path) -> None:
    """A quarter of twelve is three, for each class; numbers are drawn from each tenth of their range."""
    split = open_images(folder).split(0, 0.25, 0.25)
    assert (len(split.train), len(split.val), len(split.test)) == (12, 6, 6)
    assert (split.test < 12).sum() == 3
    X = np.random.default_rng(0).integers(0, 256, (200, 4, 4), dtype=np.uint8)
    y = np.linspace(0, 1, 200) ** 3
    test = open_images((X, y)).split(3, 0.2, 0.2).test
    assert np.histogram(test, 10, (0, 200))[0].tolist() == [4] * 10


def test_imbalance_is_named(folder: Path) -> None:
    """Three times as many of one class is told with both counts."""
    for k in range(60):
        save(folder / "dog" / f"more{k}.png", seed=1000 + k)
    problem = by_code(open_images(folder).problems)["imbalance"]
    assert "72" in problem.what
    assert "12" in problem.what


# ------------------------------------------------------------------------------- digest, preparation


def test_the_digest_is_of_names_and_content(folder: Path) -> None:
    """Reading again gives the same digest; a changed pixel, a renamed file or a moved file another one."""
    first = open_images(folder).digest
    assert open_images(folder).digest == first
    seen = {first}
    (folder / "cat/5.png").rename(folder / "cat/55.png")
    seen.add(open_images(folder).digest)
    save(folder / "cat/55.png", seed=999)
    seen.add(open_images(folder).digest)
    (folder / "cat/55.png").rename(folder / "dog/55.png")
    seen.add(open_images(folder).digest)
    assert len(seen) == 4


def test_normalisation_comes_from_the_training_rows_alone(folder: Path) -> None:
    """The training rows have mean 0 and deviation 1 in every channel; the other rows had no say."""
    save(folder / "cat/colour.png", seed=50, mode="RGB")
    dataset = open_images(folder)
    rows = np.array([1, 4, 7, 12, 20])
    prep = dataset.fit(rows)
    x = dataset.source(prep, rows).x(torch.arange(5))
    torch.testing.assert_close(x.mean((0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(x.std((0, 2, 3), correction=0), torch.ones(3), atol=1e-5, rtol=0)
    assert prep.rows == 5
    again = ImagePreparation.model_validate_json(prep.model_dump_json())
    assert again == prep
    assert torch.equal(dataset.source(again, rows).x(torch.arange(5)), x)


# ------------------------------------------------------------------------------------------ new data


def test_new_images_get_the_form_of_the_training_images(folder: Path, tmp_path: Path) -> None:
    """The same folder read again gives the same samples; other sizes and colours are converted and told."""
    dataset = open_images(folder)
    prep = prepared(dataset)
    again = read_images_for(prep, dataset.schema, folder, True)
    assert torch.equal(everything(again, prep), everything(dataset, prep))
    assert again.class_counts == dataset.class_counts
    save(tmp_path / "new/a.png", seed=5, size=(50, 20), mode="RGB")
    save(tmp_path / "new/b.png", seed=6)
    flat = read_images_for(prep, dataset.schema, tmp_path / "new", False)
    assert not flat.labelled
    assert everything(flat, prep).shape == (2, 1, 10, 12)
    found = by_code(flat.problems)
    assert (found["other-size"].count, found["other-size"].level) == (1, "warning")
    assert found["image-colour-to-grey"].count == 1
    one = read_images_for(prep, dataset.schema, tmp_path / "new/b.png", False)
    assert one.names == ["b.png"]
    with pytest.raises(UserError, match="no folder per class"):
        read_images_for(prep, dataset.schema, tmp_path / "new", True)


def test_a_class_that_training_never_saw_is_refused_with_the_nearest_name(folder: Path, tmp_path: Path) -> None:
    """To be scored, classes must be known; to be predicted, folders may have any name, which is told."""
    dataset = open_images(folder)
    prep = prepared(dataset)
    shutil.copytree(folder / "cat", tmp_path / "test/cats")
    shutil.copytree(folder / "dog", tmp_path / "test/dog")
    with pytest.raises(UserError, match="'cats' \\(did you mean 'cat'\\?\\)"):
        read_images_for(prep, dataset.schema, tmp_path / "test", True)
    unlabelled = read_images_for(prep, dataset.schema, tmp_path / "test", False)
    assert not unlabelled.labelled
    assert by_code(unlabelled.problems)["unknown-class"].level == "note"
    shutil.rmtree(tmp_path / "test/cats")
    assert read_images_for(prep, dataset.schema, tmp_path / "test", True).class_counts == {"cat": 0, "dog": 12}


# ----------------------------------------------------------------------------------------- real data


@pytest.mark.data
def test_orl_faces_are_read_as_they_are(unpacked: Callable[[str], Path]) -> None:
    """Forty people, ten PGM pictures each, 112×92; the README beside them is told."""
    dataset = open_images(unpacked("orl"))
    assert dataset.n == 400
    assert set(dataset.class_counts.values()) == {10}
    assert dataset.task.classes is not None
    assert dataset.task.classes[:3] == ["s1", "s2", "s3"]
    assert by_code(dataset.problems)["not-images"].where == "README"
    assert everything(dataset).shape == (400, 1, 112, 92)
