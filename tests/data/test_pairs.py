"""Pairs of texts: read line by line, split without leaks, cut into tokens, batched by length."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.data.opening import opened_as

from workings.base.form import Form
from workings.base.tokens import BOS, EOS, PAD, UNK
from workings.data import open_dataset, read_for, read_preparation
from workings.data.pairs.beside import differing, target_beside
from workings.data.pairs.choose import choose_tokens
from workings.data.pairs.dataset import PairsDataset
from workings.data.pairs.lines import read_lines
from workings.data.pairs.sources import PairSource

ENGLISH = ["a dog runs", "a cat sleeps", "the dog sleeps", "a man, a dog.", "two men run", "the cat runs"] * 5
GERMAN = ["ein Hund rennt", "eine Katze schläft", "der Hund schläft", "ein Mann, ein Hund.", "zwei Männer rennen"]
GERMAN = [*GERMAN, "die Katze rennt"] * 5


def write(folder: Path, english: list[str] = ENGLISH, german: list[str] = GERMAN) -> tuple[Path, Path]:
    """Two files, line by line."""
    one, other = folder / "train.en", folder / "train.de"
    one.write_text("\n".join(english) + "\n", encoding="utf-8")
    other.write_text("\n".join(german) + "\n", encoding="utf-8")
    return one, other


def opened(folder: Path, **options: Any) -> PairsDataset:
    """The small pairs, opened through the common door."""
    one, other = write(folder)
    return opened_as(PairsDataset, one, str(other), **options)


def test_a_target_that_is_a_file_makes_pairs(tmp_path: Path) -> None:
    """Two files line by line are pairs, and the task is translation."""
    dataset = opened(tmp_path)
    assert (dataset.kind, dataset.task.kind, dataset.task.target, dataset.n) == ("pairs", "translation", "train.de", 30)
    assert dataset.schema.names == ["train.en", "train.de"]


@pytest.mark.parametrize("form", ["csv", "tsv", "parquet", "frame", "dict", "tuple", "list"])
def test_every_way_of_bringing_pairs_gives_the_same_pairs(tmp_path: Path, form: str) -> None:
    """Tables, frames and lists hold the same texts as two files do."""
    frame = pl.DataFrame({"en": ENGLISH, "de": GERMAN})
    data: object = {"frame": frame, "dict": {"en": ENGLISH, "de": GERMAN}, "tuple": (ENGLISH, GERMAN)}.get(form)
    if form == "list":
        data = list(zip(ENGLISH, GERMAN, strict=True))
    elif data is None:
        data = tmp_path / f"pairs.{form}"
        frame.write_parquet(data) if form == "parquet" else frame.write_csv(data, separator="\t,"[form == "csv"])
    target = None if form in ("tuple", "list") else "de"
    dataset = open_dataset(data, target=target, task="translation")
    assert isinstance(dataset, PairsDataset)
    assert (dataset.read.sources, dataset.read.targets) == (ENGLISH, GERMAN)


def test_lines_end_with_line_feeds_only(tmp_path: Path) -> None:
    """A form feed or U+2028 within a sentence cuts no line, CR LF and a byte-order mark leave no trace."""
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffone\u2028still one\r\n\x0ctwo\r\n\r\nfour".encode())
    assert read_lines(path).texts == ["one\u2028still one", "\x0ctwo", "", "four"]


@pytest.mark.parametrize(
    ("source", "target", "new", "found"),
    [
        ("train.en", "train.de", "test.en", "test.de"),
        ("src-train.txt", "tgt-train.txt", "src-test.txt", "tgt-test.txt"),
        ("corpus.en.tok", "corpus.de.tok", "news.en.tok", "news.de.tok"),
        ("dates.said", "dates.iso", "later.said", "later.iso"),
    ],
)
def test_the_file_beside_is_found_by_its_name(tmp_path: Path, source: str, target: str, new: str, found: str) -> None:
    """As the names of the training files differ, so do those of the test files."""
    (tmp_path / found).touch()
    assert target_beside(tmp_path / new, source, target) == tmp_path / found


def test_names_that_differ_otherwise_say_nothing() -> None:
    """Two words apart, or another number of words: no guess is made."""
    assert differing("a-en.txt", "b-de.txt") is None
    assert differing("train.en", "train.de.txt") is None


def test_a_test_file_brings_its_targets_along(tmp_path: Path) -> None:
    """``--test test.en`` reads test.de too, and tells so; for predicting, the file alone is enough."""
    dataset = opened(tmp_path)
    prep = dataset.fit(np.arange(dataset.n))
    (tmp_path / "test.en").write_text("a dog\n", encoding="utf-8")
    (tmp_path / "test.de").write_text("ein Hund\n", encoding="utf-8")
    test = read_for(prep, dataset.schema, tmp_path / "test.en")
    assert "target-file" in [problem.code for problem in test.problems]
    assert test.labelled
    (tmp_path / "test.de").unlink()
    assert not read_for(prep, dataset.schema, tmp_path / "test.en", False).labelled


def test_equal_sources_stay_on_one_side(tmp_path: Path) -> None:
    """However often a source comes, in whatever case, the split does not part its pairs."""
    dataset = opened(tmp_path)
    split = dataset.split(0, 0.3, 0.3)
    parts = [{dataset.read.sources[i].lower() for i in rows} for rows in (split.train, split.val, split.test)]
    assert all(parts)
    assert sum(map(len, parts)) == len(set.union(*parts))
    assert sorted(np.concatenate([split.train, split.val, split.test])) == list(range(dataset.n))


def test_the_vocabulary_is_of_the_training_rows_only(tmp_path: Path) -> None:
    """Words of other rows are unknown, which is told with their share."""
    dataset = opened(tmp_path, tokens="word")
    rows = np.array([i for i in range(dataset.n) if "cat" not in dataset.read.sources[i]])
    prep = dataset.fit(rows)
    assert UNK in prep.source_tokens(["a cat sleeps"])[0]
    told = {problem.code: problem for problem in prep.problems}
    assert "unknown-tokens" in told
    assert "%" in told["unknown-tokens"].what


def test_samples_are_as_nets_expect_them(tmp_path: Path) -> None:
    """x is the source and the target shifted right, BOS first; y is the target and its end; both padded by PAD."""
    dataset = opened(tmp_path, tokens="word")
    prep = dataset.fit(np.arange(dataset.n))
    source = dataset.source(prep, np.arange(dataset.n))
    assert isinstance(source, PairSource)
    index = torch.tensor([3, 0])
    x, y = source.x(index), source.targets(index)
    one, other = prep.source_tokens([ENGLISH[3]])[0], prep.target_tokens([GERMAN[3]])[0]
    assert x[0, 0, : len(one)].tolist() == one.tolist()
    assert x[0, 1, : len(other) + 1].tolist() == [BOS, *other.tolist()]
    assert y[0, : len(other) + 1].tolist() == [*other.tolist(), EOS]
    assert x.shape == (2, 2, y.shape[1])
    assert y[1].tolist().count(PAD) == int(y.shape[1] - len(prep.target_tokens([GERMAN[0]])[0]) - 1)
    assert source.y.shape[0] == dataset.n


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=8), st.integers(2, 12))
def test_a_batch_is_as_long_as_its_longest_pair(sizes: list[tuple[int, int]], longest: int) -> None:
    """Whatever the lengths: T is the longest of the batch, nothing beyond ``longest``, a cut target has no end."""
    rows = np.arange(len(sizes))
    sources = [np.full(n, 5, np.int32) for n, _ in sizes]
    targets = [np.full(m, 6, np.int32) for _, m in sizes]
    source = PairSource(sources, targets, rows, Form((9, 9), True), longest, [str(i) for i in rows])
    index = torch.from_numpy(rows)
    x, y = source.x(index), source.targets(index)
    assert x.shape[2] == y.shape[1] == max(min(longest, max(n, m + 1, 1)) for n, m in sizes)
    for i, (n, m) in enumerate(sizes):
        assert int((x[i, 0] != PAD).sum()) == min(max(n, 1), longest)
        assert int((y[i] != PAD).sum()) == int((x[i, 1] != PAD).sum()) == min(m + 1, longest)
        assert (EOS in y[i].tolist()) == (m + 1 <= longest)


def test_tokens_are_chosen_from_the_texts() -> None:
    """Strings of symbols by character; few words by word; many by pieces; what words would not give back, otherwise."""
    assert choose_tokens(["abc", "bca"], ["cba", "acb"])[0] == "character"
    assert choose_tokens(["1 2 3", "2 3 1"], ["3 2 1", "1 3 2"])[0] == "word"
    assert choose_tokens(["3 May 2021", "4 May 2020"], ["2021-05-03", "2020-05-04"])[0] == "character"
    many = [f"word{i} of many and a few more of them than would fit into sixty letters" for i in range(3000)]
    assert choose_tokens(many, many)[0] == "bpe"


@pytest.mark.parametrize("tokens", ["word", "character", "bpe"])
def test_what_was_cut_is_written_as_it_was(tmp_path: Path, tokens: str) -> None:
    """Tokens of a target become the target again, marks and all, also through prepare.json."""
    dataset = opened(tmp_path, tokens=tokens)
    prep = read_preparation(dataset.fit(np.arange(dataset.n)).model_dump(mode="json"))
    ends = [[*row.tolist(), EOS, 7, 7] for row in prep.target_tokens(GERMAN)]
    assert prep.written(ends) == GERMAN


def test_sources_that_were_trained_on_are_told(tmp_path: Path) -> None:
    """A test set that repeats training sources is told of, with how many."""
    dataset = opened(tmp_path)
    other = open_dataset((["A  dog runs", "new"], ["x", "y"]), task="translation")
    (told,) = dataset.shared_rows(other)  # type: ignore[arg-type]
    assert (told.code, told.count) == ("test-rows-in-training", 1)


def test_the_digest_knows_every_text(tmp_path: Path) -> None:
    """Another letter on either side is another digest."""
    first = opened(tmp_path).digest
    write(tmp_path, german=[*GERMAN[:-1], "die Katze rannte"])
    assert open_dataset(tmp_path / "train.en", target=str(tmp_path / "train.de")).digest != first
