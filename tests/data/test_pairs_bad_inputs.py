"""Bad pairs: each gets its problem, with the words that tell the user what, where and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workings.base.errors import UserError
from workings.data import inspect_dataset, open_dataset, read_for

GOOD = [f"text number {i}" for i in range(30)]
OTHER = [f"Text Nummer {i}" for i in range(30)]


def files(one: list[str] | bytes, other: list[str] | bytes | None) -> Callable[[Path], tuple[Any, str]]:
    """A maker of two files; the second is not made where None."""

    def make(folder: Path) -> tuple[Any, str]:
        for name, content in (("train.en", one), ("train.de", other)):
            if content is not None:
                text = content if isinstance(content, bytes) else ("\n".join(content) + "\n").encode()
                (folder / name).write_bytes(text)
        return folder / "train.en", str(folder / "train.de")

    return make


def lists(one: list[Any], other: list[Any]) -> Callable[[Path], tuple[Any, None]]:
    """Two lists."""
    return lambda folder: ((one, other), None)


def table(content: str, target: str | None) -> Callable[[Path], tuple[Any, str | None]]:
    """A CSV file."""

    def make(folder: Path) -> tuple[Any, str | None]:
        (folder / "pairs.csv").write_text(content, encoding="utf-8")
        return folder / "pairs.csv", target

    return make


def put(texts: list[str], changes: dict[int, str]) -> list[str]:
    """Texts with some replaced."""
    return [changes.get(i, text) for i, text in enumerate(texts)]


CSV = "en,de\n" + "".join(f"{a},{b}\n" for a, b in zip(GOOD, OTHER, strict=True))
# (what is brought, options, code, words of the message)
REFUSED: list[tuple[Any, dict[str, Any], str, list[str]]] = [
    (files(GOOD, OTHER[:-2]), {}, "different-line-counts", ["30 lines", "28", "'train.en'", "what to do"]),
    (files(GOOD, put(OTHER, {3: "", 7: " "})), {}, "empty-side", ["2 pair(s)", "line 4, line 8", "on_bad_row=drop"]),
    (files(GOOD, None), {}, "no-such-file", ["train.de", "Did you mean"]),
    (files(GOOD, b""), {}, "empty-file", ["train.de", "is empty"]),
    (files(GOOD, "Käse\nGrüße\n".encode("latin1")), {}, "bad-encoding", ["line 1", "0xe4", "iconv"]),
    (files(GOOD, "one\ntwo\n".encode("utf-16")), {}, "not-a-text", ["UTF-16", "Save it as UTF-8"]),
    (files(GOOD, b"one\ntwo\0three\n"), {}, "bad-encoding", ["line 2", "0x00"]),
    (files(GOOD, b"one\rtwo\rthree"), {}, "line-ends", ["CR alone"]),
    (files(GOOD, b"\x1f\x8b rest"), {}, "not-a-text", ["gzip"]),
    (files(["one"], ["eins"]), {}, "too-few-pairs", ["1 pair(s)"]),
    (lambda folder: (files(GOOD, OTHER)(folder)[0], str(folder / "train.en")), {}, "same-file", ["train.en"]),
    (lambda folder: (files(GOOD, OTHER)(folder)[0], None), {}, "no-target", ["one side", "--target FILE"]),
    (files(GOOD, OTHER), {"tokens": "words"}, "unknown-tokens", ["'words'", "Did you mean 'word'"]),
    (files(GOOD, OTHER), {"on_bad_row": "skip"}, "unknown-on_bad_row", ["'skip'", "drop"]),
    (files(GOOD, OTHER), {"vocabulary": 3}, "bad-value", ["vocabulary", "from 10"]),
    (files(GOOD, OTHER), {"length": "long"}, "bad-value", ["length", "'long'"]),
    (files(GOOD, OTHER), {"pixels": 32}, "option-of-another-kind", ["pixels", "images"]),
    (lists(GOOD, OTHER[:-1]), {}, "different-line-counts", ["30 sources", "29 targets"]),
    (lists([*GOOD[:-1], 7], OTHER), {}, "not-a-text", ["1 of 30 sources", "int", "pairs 30"]),
    (lists([], []), {}, "no-pairs", ["empty"]),
    (lambda folder: (GOOD, None), {}, "not-pairs", ["list", "(sources, targets)"]),
    (table(CSV, "ger"), {}, "missing-column", ["'ger'", "en, de"]),
    (table(CSV, "de"), {"source": "eng"}, "missing-column", ["'eng'", "Did you mean 'en'"]),
    (table(CSV, "de"), {"source": "de"}, "same-column", ["'de'"]),
    (table("id," + CSV.replace("\n", "\n1,")[:-2], "de"), {}, "columns-not-said", ["source=COLUMN"]),
]


@pytest.mark.parametrize(
    ("make", "options", "code", "words"), REFUSED, ids=[f"{k}-{case[2]}" for k, case in enumerate(REFUSED)]
)
def test_bad_pairs_are_refused(
    make: Callable[[Path], tuple[Any, Any]], options: dict[str, Any], code: str, words: list[str], tmp_path: Path
) -> None:
    """One message says what, where, how many and what to do, and no dataset comes out."""
    data, target = make(tmp_path)
    dataset, problems = inspect_dataset(data, target=target, task="translation", **options)
    assert dataset is None
    errors = [problem for problem in problems if problem.level == "error"]
    assert code in [problem.code for problem in errors]
    text = "\n".join(problem.text() for problem in errors)
    for word in words:
        assert word in text


TOLD: list[tuple[list[str], list[str], dict[str, Any], str, list[str]]] = [
    (GOOD, put(OTHER, {3: ""}), {"on_bad_row": "drop"}, "empty-side", ["left out", "line 4"]),
    (put(GOOD, {3: ""}), put(OTHER, {3: " "}), {}, "empty-pairs", ["both sides", "line 4"]),
    (GOOD, put(OTHER, {5: "sehr " * 40}), {}, "length-ratio", ["1 of 30", "line 6"]),
    (GOOD, put(OTHER, {5: GOOD[5], 8: GOOD[8]}), {}, "identical-pairs", ["2 of 30", "line 6, line 9"]),
    (GOOD, GOOD, {}, "identical-pairs", ["to copy"]),
    (put(GOOD, {5: "TEXT  number 4"}), OTHER, {}, "repeated-source", ["1 source", "one side"]),
    (GOOD, ["ja"] * 30, {}, "constant-text", ["train.de", "the same"]),
    (GOOD, put(OTHER, {2: "KÃ¤se und BrÃ¶tchen"}), {}, "mojibake", ["line 3", "wrong encoding"]),
]


@pytest.mark.parametrize(("one", "other", "options", "code", "words"), TOLD, ids=[case[3] for case in TOLD])
def test_what_does_not_stop_the_work_is_told(
    one: list[str], other: list[str], options: dict[str, Any], code: str, words: list[str], tmp_path: Path
) -> None:
    """Doubtful pairs are used or left out, never silently."""
    data, target = files(one, other)(tmp_path)
    dataset = open_dataset(data, target=target, **options)
    told = [problem for problem in dataset.problems if problem.code == code]
    assert len(told) == 1
    for word in words:
        assert word in told[0].text()


def test_a_mistyped_target_file_is_not_taken_for_a_column(tmp_path: Path) -> None:
    """``--target train.dee`` beside train.en is a file that is not there, and the nearest one is named."""
    data, _ = files(GOOD, OTHER)(tmp_path)
    _, problems = inspect_dataset(data, target=str(tmp_path / "train.dee"))
    assert "train.de'" in problems[0].do


def test_both_files_are_told_of_at_once(tmp_path: Path) -> None:
    """What is wrong with one file does not hide what is wrong with the other."""
    data, target = files(b"\xff\xfe", b"a\xff\n")(tmp_path)
    _, problems = inspect_dataset(data, target=target)
    assert {problem.code for problem in problems} == {"not-a-text", "bad-encoding"}


def test_dropped_pairs_keep_the_numbers_of_the_others(tmp_path: Path) -> None:
    """After a pair is left out, messages still name the lines of the user's files."""
    data, target = files(put(GOOD, {0: ""}), OTHER)(tmp_path)
    dataset = open_dataset(data, target=target, on_bad_row="drop")
    source = dataset.source(dataset.fit(np.arange(dataset.n)), np.arange(dataset.n))
    assert source.where(0) == "line 2"


def test_texts_that_are_cut_are_told(tmp_path: Path) -> None:
    """A pair beyond ``length`` is cut, told with the line and the length that would hold it."""
    data, target = files(GOOD, put(OTHER, {5: "lang " * 20}))(tmp_path)
    dataset = open_dataset(data, target=target, length=10, tokens="word")
    (told,) = [problem for problem in dataset.fit(np.arange(30)).problems if problem.code == "cut-texts"]
    assert "line 6" in told.where
    assert "length=21" in told.do


@pytest.mark.parametrize("name", ["test.fr", "new.txt"])
def test_a_test_file_without_its_targets_is_refused(name: str, tmp_path: Path) -> None:
    """Which file holds the truth is said by the names, or not at all."""
    data, target = files(GOOD, OTHER)(tmp_path)
    dataset = open_dataset(data, target=target)
    (tmp_path / name).write_text("one\n", encoding="utf-8")
    (tmp_path / "test.en").write_text("one\n", encoding="utf-8")
    prep = dataset.fit(np.arange(30))
    for each in (name, "test.en"):
        with pytest.raises(UserError) as refused:
            read_for(prep, dataset.schema, tmp_path / each)
        assert refused.value.problems[0].code == "no-target-file"


def test_nothing_to_translate_is_refused_and_an_empty_text_told(tmp_path: Path) -> None:
    """An empty list is an error; an empty text among others keeps its place."""
    data, target = files(GOOD, OTHER)(tmp_path)
    dataset = open_dataset(data, target=target)
    prep = dataset.fit(np.arange(30))
    with pytest.raises(UserError):
        read_for(prep, dataset.schema, [], False)
    found = read_for(prep, dataset.schema, ["text", " "], False)
    assert found.n == 2
    assert "empty-source" in [problem.code for problem in found.problems]


def test_a_mistyped_file_of_targets_is_no_column(tmp_path: Path) -> None:
    """Whatever it is called; only where the first line has a column of that name is it one."""
    (tmp_path / "said.txt").write_text("one, two\nthree\n", encoding="utf-8")
    _, problems = inspect_dataset(tmp_path / "said.txt", target="nothing.de")
    assert [problem.code for problem in problems] == ["no-such-file"]
    (tmp_path / "flowers.txt").write_text("petal.length,kind\n" + "1.5,a\n2.5,b\n" * 30, encoding="utf-8")
    dataset, _ = inspect_dataset(tmp_path / "flowers.txt", target="petal.length")
    assert dataset is not None
    assert dataset.kind == "table"
