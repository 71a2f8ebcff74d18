"""Translation runs from pairs to a judged, saved net; metrics equal sacrebleu's and jiwer's own."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import polars
import pytest
import sacrebleu
import torch

from workings import api
from workings.base.errors import UserError
from workings.base.tokens import PAD
from workings.data.pairs.sources import PairSource
from workings.learning.text_scores import compared, evaluate_texts, text_by_text
from workings.report.alignment import alignment_map, said
from workings.report.pairs_baselines import run_pair_baselines, translation_table
from workings.runs.translation import batches, judge, write

TRUTH = ["a man rides a horse .", "two dogs", "the cat sleeps on the red mat", "no"]
WRITTEN = ["a man rides the horse .", "two dogs", "a cat sleeps on a mat", "yes no"]


def strings(n: int, seed: int, longest: int = 6) -> list[str]:
    """Different strings of symbols."""
    rng, found = random.Random(seed), set[str]()
    while len(found) < n:
        found.add("".join(rng.choice("abcdef") for _ in range(rng.randint(2, longest))))
    return sorted(found)


def trained(folder: Path, **more: Any) -> api.Run:
    """A tiny net that copies strings, after two epochs."""
    texts = strings(160, 0)
    settings = {"width": 8, "embedding": 6, "lane": "eager@1", "baselines": True, **more}
    return api.train((texts, texts), task="translation", epochs=2, out=folder, settings=settings)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> api.Run:
    """One run for all tests that only look at it."""
    return trained(tmp_path_factory.mktemp("runs") / "copy")


# ------------------------------------------------------------------------------------------- metrics


def test_metrics_are_those_of_the_libraries() -> None:
    """BLEU and chrF to the last digit of sacrebleu, word errors of jiwer."""
    found = evaluate_texts(compared(TRUTH, WRITTEN, False), np.array([False, True, False, False]), "by hand").metrics
    assert found["bleu"] == pytest.approx(sacrebleu.corpus_bleu(WRITTEN, [TRUTH], force=True).score, abs=1e-9)
    assert found["chrf"] == pytest.approx(sacrebleu.corpus_chrf(WRITTEN, [TRUTH]).score, abs=1e-9)
    assert found["wer"] == pytest.approx(jiwer.wer(TRUTH, WRITTEN), abs=1e-12)
    assert found["exact_match"] == 0.25
    each = [sacrebleu.corpus_chrf([w], [[t]]).score for t, w in zip(TRUTH, WRITTEN, strict=True)]
    assert text_by_text(TRUTH, WRITTEN).tolist() == pytest.approx(each)


def test_intervals_hold_the_value_and_say_how_they_were_found() -> None:
    """Resampled texts give 95 % intervals round each figure, and the signature of sacrebleu is kept."""
    found = evaluate_texts(compared(TRUTH * 20, WRITTEN * 20, False), np.tile([False, True], 40), "greedy")
    for name, (low, high) in found.intervals.items():
        assert low <= found.metrics[name] <= high
    assert "nrefs:1" in found.method["bleu"]
    assert "greedy" in found.method["bleu"]


def test_symbols_are_judged_by_character() -> None:
    """For strings of symbols BLEU takes characters for words, and there are no word errors."""
    found = evaluate_texts(compared(["abcdefg"], ["abcdefx"], True), np.array([False]), "")
    assert 0 < found.metrics["bleu"] < 100
    assert "wer" not in found.metrics


# ---------------------------------------------------------------------------------------------- runs


def test_a_run_keeps_what_it_wrote(run: api.Run) -> None:
    """Metrics with intervals, predictions beside source and truth, baselines, alignments, a report."""
    result = run.result
    assert {"bleu", "chrf", "exact_match", "token_accuracy", "nats_per_token", "perplexity"} == set(result["metrics"])
    frame = polars.read_parquet(run.path / "predictions.parquet")
    assert {"row", "where", "source", "truth", "prediction"} <= set(frame.columns)
    assert len(frame) == result["rows"]
    baselines = json.loads((run.path / "baselines.json").read_text())["baselines"]
    copied = next(each for each in baselines if "copied" in each["name"])
    assert copied["metrics"]["exact_match"] == 1.0
    alignments = json.loads((run.path / "alignments.json").read_text())["alignments"]
    assert alignments
    assert all(sum(row) == pytest.approx(1, abs=0.01) for each in alignments for row in each["alpha"])
    html = (run.path / "report.html").read_text()
    for words in ("What it wrote", "Where it looked", "BLEU by length"):
        assert words in html


def test_a_run_read_back_writes_the_same(run: api.Run) -> None:
    """Opened from its folder, the net translates as it did; a list of texts is enough."""
    texts = ["abc", "fed", ""]
    first = run.predict(texts)
    again = api.open_run(run.path).predict(texts)
    assert first.equals(again)
    assert first["prediction"][2] == ""
    assert run.translate("abc", beams=1).height == 1


def test_evaluate_judges_other_pairs(run: api.Run) -> None:
    """Every metric of the task, or the one asked for; an unknown name is refused."""
    data = (["abc", "fad"], ["abc", "fad"])
    assert set(run.evaluate(data, metrics=["bleu"])["metrics"]) == {"bleu"}
    assert run.evaluate(data)["rows"] == 2
    assert run.evaluate((["abc"], ["abc"]))["rows"] == 1
    with pytest.raises(UserError, match="accuracy"):
        run.evaluate(data, metrics=["acuracy"])


def test_the_same_seed_gives_the_same_run(run: api.Run, tmp_path: Path) -> None:
    """Weights and predictions are equal to the bit."""
    other = trained(tmp_path / "again")
    for name in ("weights.safetensors", "predictions.parquet"):
        assert (other.path / name).read_bytes() == (run.path / name).read_bytes()


def test_a_stopped_run_ends_as_one_that_never_stopped(run: api.Run, tmp_path: Path) -> None:
    """Resumed from a checkpoint in the middle, the weights are equal to the bit."""
    from workings.base.events import Checkpointed, Event

    def stop(event: Event) -> None:
        if isinstance(event, Checkpointed):
            raise KeyboardInterrupt

    texts = strings(160, 0)
    settings = {"width": 8, "embedding": 6, "lane": "eager@1", "checkpoint_seconds": 0}
    folder = tmp_path / "stopped"
    with pytest.raises(KeyboardInterrupt):
        api.train((texts, texts), task="translation", epochs=2, out=folder, settings=settings, emit=stop)
    resumed = api.train((texts, texts), resume=folder)
    assert (resumed.path / "weights.safetensors").read_bytes() == (run.path / "weights.safetensors").read_bytes()


def test_judging_counts_each_token_once(run: api.Run) -> None:
    """In batches of similar length as one by one: nats, hits and tokens of each text."""
    dataset = api.check((strings(40, 1), strings(40, 2)), task="translation")[0]
    assert dataset is not None
    source = dataset.source(run.prep, np.arange(40))
    nats, hits, tokens, _ = judge(run.net, source)
    for i in (0, 17, 39):
        one = torch.tensor([i])
        with torch.no_grad():
            logits = run.net(source.x(one))[0]
        y = source.targets(one)[0]
        real = y != PAD
        log_p = torch.log_softmax(logits, 1).gather(1, y[:, None])[:, 0]
        assert nats[i] == pytest.approx(-float(log_p[real].sum()), abs=1e-4)
        assert tokens[i] == int(real.sum())
        assert hits[i] == int(((logits.argmax(1) == y) & real).sum())


@pytest.mark.parametrize("beams", [1, 3])
def test_a_text_is_written_alike_in_any_batch(run: api.Run, beams: int) -> None:
    """What is written for a source does not depend on the others."""
    dataset = api.check((strings(30, 3), strings(30, 3)), task="translation")[0]
    assert dataset is not None
    together = write(run.net, _source(dataset, run, np.arange(30)), beams)
    alone = [write(run.net, _source(dataset, run, np.array([i])), beams)[0] for i in range(6)]
    assert together[:6] == alone


def _source(dataset: Any, run: api.Run, rows: np.ndarray) -> PairSource:
    source = dataset.source(run.prep, rows)
    assert isinstance(source, PairSource)
    return source


def test_batches_hold_every_row_once() -> None:
    """Whatever the lengths, also of one that is longer than a batch may be."""
    lengths = torch.tensor([5, 9000, 3, 700, 700, 1])
    assert sorted(torch.cat(batches(lengths)).tolist()) == list(range(6))


# ----------------------------------------------------------------------------------------- baselines


def test_the_dictionary_finds_words_that_go_together() -> None:
    """IBM model 1 tells which word stands for which, though each pair holds several."""
    sources = ["the house", "the book", "a book", "the red house"]
    targets = ["das Haus", "das Buch", "ein Buch", "das rote Haus"]
    table = translation_table([text.split() for text in sources], [text.split() for text in targets])
    assert {word: table[word] for word in ("house", "book", "a")} == {"house": "Haus", "book": "Buch", "a": "ein"}


def test_baselines_are_judged_as_the_net_is() -> None:
    """Each has the metrics of texts; one that copies is perfect where the task is to copy."""
    texts = ["b a", "a c", "c b d", "d a"] * 4
    found = {
        each["name"]: each["metrics"] for each in run_pair_baselines((texts, texts), (texts, texts), False, 0, _no)
    }
    assert found["the source, copied"]["exact_match"] == 1
    assert found["a dictionary, word by word"]["exact_match"] == 1
    assert found["always the commonest target"]["exact_match"] < 1


def test_the_net_is_held_against_the_best_baseline_text_by_text() -> None:
    """The gain's interval lies wholly below 0 where a baseline is right and the net is not."""
    texts = [f"one {a} two {b} three" for a in "abcd" for b in "efgh"]
    wrong = [text.replace("two", "ten") if i % 2 else text for i, text in enumerate(texts)]
    found = run_pair_baselines((texts, texts), (texts, texts), False, 0, _no, wrong)
    low, high = next(each["gain"]["bleu"] for each in found if "gain" in each)
    assert low < high < 0


def _no(event: object) -> None:
    """Nobody listens."""


def test_an_alignment_is_said_in_words_too() -> None:
    """The drawing has a title and a description for those who do not see it; texts are escaped."""
    drawn = str(alignment_map("k", ["<a>", "dog"], ["ein", "Hund"], [[0.9, 0.1], [0.2, 0.8]]))
    assert "<a>" not in drawn
    assert 'role="img"' in drawn
    assert said(["a", "dog"], ["ein", "Hund"], [[0.9, 0.1], [0.2, 0.8]]).startswith("ein from a (90")


# ------------------------------------------------------------------------------------------- slow


@pytest.mark.slow
@pytest.mark.parametrize("task", ["copy", "reverse"])
def test_attention_learns_to_copy_and_reverse_exactly(task: str, tmp_path: Path) -> None:
    """On strings of 5 to 20 symbols that were never trained on, every one is right."""
    rng, found = random.Random(0), set[str]()
    while len(found) < 20_000:
        found.add("".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(5, 20))))
    sources = sorted(found)
    targets = sources if task == "copy" else [text[::-1] for text in sources]
    settings = {"test_fraction": 0.02, "val_fraction": 0.02, "report": False, "baselines": False}
    run = api.train((sources, targets), task="translation", minutes=4, out=tmp_path / task, settings=settings)
    assert run.metrics["exact_match"] == 1.0
