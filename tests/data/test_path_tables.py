"""Tables of paths: what they list, and which of them are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.data.opening import by_code, refused
from tests.data.pictures import prepared, two_classes

from workings.data.images import looks_like_images, open_images, read_images_for


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return two_classes(tmp_path / "pictures")


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
    assert by_code(dataset.problems)["unused-columns"].where == "weight, owner"
    assert dataset.source(prepared(dataset), np.array([1])).where(0) == "dog/0.png"
    number = open_images(str(table), target="weight")
    assert number.task.kind == "regression"
    assert number.task.classes is None
    source = number.source(number.fit(np.arange(20)), np.arange(20))
    assert source.y.dtype == torch.float32
    assert abs(source.y.mean()) < 1e-6
    assert "class-too-small" in refused(table, open_images, target="weight", task="classification")
    assert number.digest != dataset.digest


def test_wrong_tables_get_a_message(table: Path, tmp_path: Path) -> None:
    """A misspelt column, no target, missing labels and paths, files that do not exist, text for a number."""
    assert "Did you mean 'label'" in refused(table, open_images, target="labl")["unknown-column"].do
    assert "target-not-a-number" in refused(table, open_images, target="owner", task="regression")
    text = table.read_text()
    table.write_text(text.replace("cat/3.png,cat", "cat/3.png,").replace("dog/2.png,", ","))
    found = refused(table, open_images)
    assert found["missing-target"].where == "rows 7"
    assert found["missing-path"].where == "rows 6"
    table.write_text(text.replace("cat/3.png", "cat/33.png"))
    assert "cat/33.png (no such file)" in refused(table, open_images)["bad-images"].where
    table.write_text(text.replace("label", "a").replace("weight", "b"))
    assert "which one is to be learnt" in refused(table, open_images)["no-target"].what
    (tmp_path / "plain.csv").write_text("a,b\n1,2\n")
    assert not looks_like_images(tmp_path / "plain.csv")
    assert "path-column" in refused(tmp_path / "plain.csv", open_images)


def test_labels_that_are_not_all_there_are_left_out_of_a_prediction_and_told(table: Path) -> None:
    """To predict, a column of labels is not needed, so gaps in it are no fault; that it is not used is said."""
    dataset = open_images(table)
    prep = prepared(dataset)
    table.write_text(table.read_text().replace("cat/3.png,cat", "cat/3.png,"))
    found = read_images_for(prep, dataset.schema, table, False)
    told = by_code(found.problems)["missing-target"]
    assert (found.labelled, told.level, told.where) == (False, "note", "rows 7")
    assert "missing-target" in refused(prep, lambda data: read_images_for(data, dataset.schema, table, True))


def test_a_path_that_is_listed_twice_keeps_both_labels(table: Path) -> None:
    """The second label does not write over the first: that they differ is told."""
    table.write_text(table.read_text() + "cat/0.png,dog,1.0,x24\n")
    dataset = open_images(table)
    found = by_code(dataset.problems)
    assert found["repeated-paths"].count == 1
    assert found["conflicting-labels"].where == "cat/0.png (cat) = cat/0.png (dog)"
    assert dataset.class_counts == {"cat": 12, "dog": 13}
