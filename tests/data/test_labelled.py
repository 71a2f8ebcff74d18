"""Laws of labels, whatever is labelled."""

from __future__ import annotations

import numpy as np
import pytest

from workings.base.errors import UserError
from workings.data.labelled import class_problems, duplicate_problems, known_labels, numbered
from workings.data.schema import Task

LABELS = ["a"] * 40 + ["b"] * 5 + ["c"] * 2
CLASSES = Task(kind="multiclass", target="class", classes=["a", "b", "c"], reason="")
NUMBERS = Task(kind="regression", target="size", classes=None, reason="")


def test_the_same_labels_have_the_same_problems_whatever_they_are_labels_of():
    """Images and recordings differ in the noun alone, in the codes too."""
    images, sounds = (class_problems(LABELS, by_folder=True, noun=noun) for noun in ("image", "recording"))
    assert [each.code for each in images] == ["class-too-small", "class-with-few-images", "imbalance"]
    assert [each.to_dict() for each in sounds] == [
        {name: value.replace("image", "recording") if isinstance(value, str) else value for name, value in told.items()}
        for told in (each.to_dict() for each in images)
    ]


def test_the_cure_of_imbalance_can_be_typed():
    """What is proposed is a setting that there is."""
    told = next(each for each in class_problems(LABELS, by_folder=True, noun="image") if each.code == "imbalance")
    assert "--set 'imbalance=class weights'" in told.do


def test_repeats_are_told_apart_by_whether_their_labels_agree():
    """Two of one label are kept on one side; two of different labels want a person."""
    hashes = np.array([b"x", b"x", b"y", b"y", b"y", b"z"])
    found = duplicate_problems(hashes, list("123456"), ["a", "b", "a", "a", "a", "a"], "image", "pixels")
    assert [(each.code, each.count, each.where) for each in found] == [
        ("conflicting-labels", 1, "1 (a) = 2 (b)"),
        ("duplicate-images", 2, "3 = 4 = 5"),
    ]


def test_labels_that_the_network_does_not_know_are_refused_where_needed_and_otherwise_told():
    """To predict, labels are not needed; to evaluate, a label outside the classes cannot be scored."""
    problems = []
    assert known_labels(["a", "bb"], CLASSES, problems, False, "image") is None
    assert [(each.level, each.code, each.count) for each in problems] == [("note", "unknown-class", 1)]
    with pytest.raises(UserError, match=r"1 image\(s\) are of 1 class\(es\)"):
        known_labels(["a", "bb"], CLASSES, [], True, "image")
    assert known_labels(["a", "b"], CLASSES, problems, True, "image") == ["a", "b"]


def test_labels_become_the_numbers_of_their_classes_or_the_numbers_that_they_are():
    """And one that is no number is an error that names its file."""
    problems = []
    np.testing.assert_array_equal(numbered(["b", "a", "c"], CLASSES, list("xyz"), problems), [1, 0, 2])
    np.testing.assert_array_equal(numbered(["1.5", "two", "-3"], NUMBERS, list("xyz"), problems), [1.5, np.nan, -3])
    assert [(each.code, each.where) for each in problems] == [("target-not-a-number", "y")]
