"""Folders and tables of images: what is read, what is refused, what is told."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from workings.base.errors import UserError
from workings.base.events import Decided, Event
from workings.base.problems import Problem
from workings.data.images import (
    ImageDataset,
    ImagePreparation,
    looks_like_images,
    open_images,
    read_images_for,
)


def save(path: Path, seed: int, size: tuple[int, int] = (12, 10), mode: str = "L") -> None:
    """One random picture of (width, height)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).convert(mode).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes of twelve grey pictures, 10×12, all different."""
    root = tmp_path / "pictures"
    for k in range(24):
        save(root / ("cat", "dog")[k % 2] / f"{k // 2}.png", seed=k)
    return root


def codes(problems: list[Problem]) -> dict[str, Problem]:
    return {problem.code: problem for problem in problems}


def refused(data: object, **given_: object) -> dict[str, Problem]:
    """The problems with which ``data`` is refused."""
    with pytest.raises(UserError) as caught:
        open_images(data, **given_)  # pyright: ignore[reportArgumentType]
    assert all(problem.level == "error" and problem.what for problem in caught.value.problems)
    return codes(caught.value.problems)


def prepared(dataset: ImageDataset) -> ImagePreparation:
    return dataset.fit(np.arange(dataset.n))


def everything(dataset: ImageDataset, prep: ImagePreparation | None = None) -> torch.Tensor:
    """All samples as the net sees them."""
    rows = np.arange(dataset.n)
    return dataset.source(prep or dataset.fit(rows), rows).x(torch.arange(dataset.n))


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
    found = codes(dataset.problems)
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
    problem = refused(tmp_path / "set")["train-and-test-folders"]
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
    assert code in refused(tmp_path / "data")


def test_a_level_too_high_names_the_right_folder(tmp_path: Path) -> None:
    """The folder that was meant is in the message."""
    for k in range(6):
        save(tmp_path / "top" / f"c{k % 2}" / f"{k}.png", k)
    assert str(tmp_path / "top") in refused(tmp_path)["one-class"].do


# ----------------------------------------------------------------------------------------- bad files


def spoil(folder: Path) -> dict[str, str]:
    """Break files in five ways; file: what the reason says."""
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 60, 3), dtype=np.uint8)).save(buffer, "JPEG")
    (folder / "cat/short.jpg").write_bytes(buffer.getvalue()[:900])
    (folder / "cat/zero.png").write_bytes(b"")
    (folder / "dog/text.png").write_text("I am a text file.")
    Image.fromarray(np.zeros((4, 4), np.float32)).save(folder / "dog/float.tif")
    damaged = bytearray((folder / "dog/3.png").read_bytes())
    damaged[damaged.index(b"IDAT") + 20] ^= 255
    (folder / "dog/3.png").write_bytes(damaged)
    return {
        "cat/short.jpg": "truncated",
        "cat/zero.png": "zero bytes",
        "dog/text.png": "not an image",
        "dog/float.tif": "unsupported",
        "dog/3.png": "damaged",
    }


def test_all_bad_files_are_in_one_report(folder: Path) -> None:
    """Every bad file with its reason, together with whatever else is wrong; nothing is returned."""
    bad = spoil(folder)
    save(folder / "mouse/1.png", seed=77)
    found = refused(folder)
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
    assert codes(dataset.problems)["bad-images"].count == 5
    assert not set(bad) & set(dataset.names)
    assert dataset.class_counts == {"cat": 12, "dog": 11}


def test_a_folder_of_bad_files_only_is_refused_even_with_skip(tmp_path: Path) -> None:
    """Skipping everything is not reading."""
    for k in range(4):
        (tmp_path / f"c{k % 2}").mkdir(exist_ok=True)
        (tmp_path / f"c{k % 2}" / f"{k}.png").write_text("text")
    assert "None of the 4" in refused(tmp_path, on_bad_file="skip")["bad-images"].what


# ----------------------------------------------------------------------------------- sizes, channels


def test_different_sizes_become_one_and_are_told(tmp_path: Path) -> None:
    """The median size, at most 64 pixels a side, with the reason as an event and in the problems."""
    for k in range(12):
        save(tmp_path / f"c{k % 2}" / f"{k}.png", seed=k, size=(100 + 10 * k, 120))
    told: list[Event] = []
    dataset = open_images(tmp_path, emit=told.append)
    assert dataset.source(prepared(dataset), np.arange(3)).shape == (1, 50, 64)
    assert codes(dataset.problems)["image-resized"].count == 12
    assert "12 different sizes, between 120×100 and 120×210" in codes(dataset.problems)["image-size"].what
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
    assert codes(dataset.problems)["image-grey-to-colour"].count == 24
    grey = open_images(folder, channels=1)
    assert codes(grey.problems)["image-colour-to-grey"].count == 1
    assert grey.source(prepared(grey), np.arange(2)).shape == (1, 10, 12)


def test_senseless_wishes_are_refused(folder: Path) -> None:
    """A size of nothing, two channels, a task or a choice that does not exist."""
    assert "image-size" in refused(folder, size=0)
    assert "image-channels" in refused(folder, channels=2)
    assert "did you mean 'regression'" in refused(folder, task="regresion")["unknown-task"].do.lower()
    assert "skip" in refused(folder, on_bad_file="skp")["unknown-choice-for-bad-files"].do
    assert "no-such-file" in refused(folder / "absent")


# ---------------------------------------------------------------------------------------- duplicates


def test_duplicates_and_conflicting_labels_are_told(folder: Path) -> None:
    """The same pixels twice, in another format too; and once as a cat and once as a dog."""
    with Image.open(folder / "cat/1.png") as image:
        image.save(folder / "cat/again.bmp")
    shutil.copy(folder / "cat/2.png", folder / "dog/liar.png")
    found = codes(open_images(folder).problems)
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
    problem = codes(open_images(folder).problems)["imbalance"]
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
    assert "decoded earlier" in codes(mapped.problems)["images-on-disk"].what
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
    assert "images-on-disk" in codes(dataset.problems)
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


# --------------------------------------------------------------------------------------------- tables


@pytest.fixture
def table(folder: Path) -> Path:
    """A CSV beside the pictures, with paths, a label and a number."""
    lines = ["file,label,weight,owner"]
    lines += [f"{('cat', 'dog')[k % 2]}/{k // 2}.png,{('cat', 'dog')[k % 2]},{k / 7:.3f},x{k}" for k in range(24)]
    (folder / "list.csv").write_text("\n".join(lines) + "\n")
    return folder / "list.csv"


def test_a_table_of_paths_gives_classes_or_numbers(table: Path) -> None:
    """The column called label is found; a column of fractions is a number to be learnt, standardised."""
    assert looks_like_images(table)
    dataset = open_images(table)
    assert (dataset.n, dataset.task.kind, dataset.task.target) == (24, "binary", "label")
    assert codes(dataset.problems)["unused-columns"].where == "weight, owner"
    assert dataset.source(prepared(dataset), np.array([1])).where(0) == "dog/0.png"
    number = open_images(str(table), target="weight")
    assert number.task.kind == "regression"
    assert number.task.classes is None
    source = number.source(number.fit(np.arange(20)), np.arange(20))
    assert source.y.dtype == torch.float32
    assert abs(source.y.mean()) < 1e-6
    assert "class-too-small" in refused(table, target="weight", task="classification")
    assert number.digest != dataset.digest


def test_wrong_tables_get_a_message(table: Path, tmp_path: Path) -> None:
    """A misspelt column, no target, missing labels and paths, files that do not exist, text for a number."""
    assert "Did you mean 'label'" in refused(table, target="labl")["unknown-column"].do
    assert "target-not-a-number" in refused(table, target="owner", task="regression")
    text = table.read_text()
    table.write_text(text.replace("cat/3.png,cat", "cat/3.png,").replace("dog/2.png,", ","))
    found = refused(table)
    assert found["missing-target"].where == "rows 7"
    assert found["missing-path"].where == "rows 6"
    table.write_text(text.replace("cat/3.png", "cat/33.png"))
    assert "cat/33.png (no such file)" in refused(table)["bad-images"].where
    table.write_text(text.replace("label", "a").replace("weight", "b"))
    assert "which one is to be learnt" in refused(table)["no-target"].what
    (tmp_path / "plain.csv").write_text("a,b\n1,2\n")
    assert not looks_like_images(tmp_path / "plain.csv")
    assert "path-column" in refused(tmp_path / "plain.csv")


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
    found = codes(flat.problems)
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
    assert codes(unlabelled.problems)["unknown-class"].level == "note"
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
    assert codes(dataset.problems)["not-images"].where == "README"
    assert everything(dataset).shape == (400, 1, 112, 92)
