"""Language models from a text to a run that is judged and writes: through the Python door, on made texts."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import polars
import pytest
import torch
from torch import Tensor, nn

import workings
from workings.base.errors import UserError
from workings.base.events import EpochEnded, Event, Noticed, silent
from workings.base.form import Form
from workings.data.language.windows import TextWindows
from workings.learning.judging import surprise, text_metrics
from workings.runs.folder import load_weights
from workings.runs.language import refuse_reading_ahead
from workings.runs.recipe import Recipe, make_recipe
from workings.runs.run import make_net
from workings.runs.settle import Facts, settle

NURSERY = "one two three four five, once I caught a fish alive;\nsix seven eight nine ten, then I let it go again.\n"
TINY = {"net": "gpt", "layers": 1, "width": 16, "heads": 2, "length": 16, "lane": "eager@1", "threads": 1}


def text(folder: Path, times: int = 12) -> Path:
    """Lines that repeat but for a number: soon learnt."""
    path = folder / "rhymes.txt"
    path.write_text("".join(f"{i}. {NURSERY}" for i in range(times)))
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> workings.Run:
    """A tiny transformer that has read the rhymes three times."""
    folder = tmp_path_factory.mktemp("language")
    return workings.train(text(folder), out=folder / "run", epochs=3, settings={**TINY, "batch_size": 8})


class Sums(nn.Module):
    """A net whose answer depends on every token it is shown."""

    def __init__(self, V: int) -> None:
        super().__init__()
        self.table = nn.Embedding(V, V)

    def forward(self, x: Tensor) -> Tensor:
        return self.table(x).cumsum(1).sin()


def source(tokens: np.ndarray, T: int) -> TextWindows:
    return TextWindows(
        tokens,
        3,
        T,
        Form(vocabulary=9, each_step=True),
        characters=np.ones(len(tokens)),
        spelling=np.zeros(len(tokens)),
        piece=np.zeros(len(tokens), dtype=np.int64),
        place=str,
    )


def test_each_token_is_judged_with_half_a_window_before_it() -> None:
    """−ln p is that of the net which reads from the window's start up to the token, computed one by one."""
    T, net = 8, Sums(9)
    tokens = torch.randint(4, 9, (30,)).numpy().astype(np.int32)
    nats = surprise(net, source(tokens, T), 9).nats
    read = [3, *tokens.tolist()]
    for i, token in enumerate(tokens.tolist()):
        # The first window counts all its targets, each later one the newer half; the last ends with the text.
        end = T if i < T else min(len(tokens), (i // 4 + 1) * 4)
        begin = end - T
        with torch.no_grad():
            z = net(torch.tensor([read[begin : i + 1]]))[0, -1]
        assert nats[i] == pytest.approx(-float(torch.log_softmax(z.double(), 0)[token]), abs=1e-5)


def test_metrics_of_a_text_are_sums_over_its_tokens() -> None:
    """Perplexity is e to the nats a token; bits a character count all characters, and unknown words spelt out."""
    nats, spelling = np.array([1.0, 2.0, 0.5, 3.0] * 50), np.array([0.0, 0.0, 0.0, 4.0] * 50)
    characters, hit = np.array([3, 1, 5, 2] * 50), np.array([True, False, True, False] * 50)
    metrics, intervals, how = text_metrics(nats, hit, spelling, characters)
    assert metrics["nats_per_token"] == pytest.approx(6.5 / 4)
    assert metrics["perplexity"] == pytest.approx(math.exp(6.5 / 4))
    assert metrics["bits_per_character"] == pytest.approx(10.5 / (11 * math.log(2)))
    assert metrics["token_accuracy"] == 0.5
    assert "20 blocks of 10 tokens" in how
    for name, (low, high) in intervals.items():
        assert low <= metrics[name] <= high


def test_intervals_of_dependent_tokens_are_wider_than_of_single_ones() -> None:
    """Where surprise comes in stretches, blocks tell that there are fewer facts than tokens."""
    stretches = np.repeat(np.random.default_rng(0).exponential(size=100), 100)
    mixed = np.random.default_rng(1).permutation(stretches)
    zeros, ones = np.zeros(len(mixed)), np.ones(len(mixed))
    widths = [np.diff(text_metrics(nats, zeros, zeros, ones)[1]["nats_per_token"])[0] for nats in (stretches, mixed)]
    assert widths[0] > 3 * widths[1]


def test_a_run_knows_its_text(run: workings.Run) -> None:
    """Metrics on the last fifth, baselines in the same nats, one row a line, what it writes, and a report of it all."""
    assert set(run.metrics) == {"nats_per_token", "perplexity", "bits_per_character", "token_accuracy"}
    assert run.metrics["nats_per_token"] < math.log(run.prep.vocabulary)
    card = json.loads((run.path / "data_card.json").read_text())
    frame = polars.read_parquet(run.path / "predictions.parquet")
    assert len(frame) == card["split"]["test"]
    assert frame["tokens"].sum() == run.result["rows"]
    assert frame["nats"].sum() / frame["tokens"].sum() == pytest.approx(run.metrics["nats_per_token"])
    baselines = json.loads((run.path / "baselines.json").read_text())["baselines"]
    values = [each["metrics"]["nats_per_token"] for each in baselines]
    assert values == sorted(values, reverse=True)
    page = (run.path / "report.html").read_text()
    for words in ("What it writes", "Where it was surprised", "nats a character", "Kneser–Ney"):
        assert words in page


def test_the_metrics_of_the_test_part_are_those_of_its_text(run: workings.Run, tmp_path: Path) -> None:
    """Cut out and evaluated as a text of its own, it has the same nats."""
    lines = Path(run.recipe.data or "").read_text().splitlines(keepends=True)
    part = tmp_path / "part.txt"
    part.write_text("".join(lines[-_tested(run) :]))
    found = run.evaluate(part)
    assert found["metrics"] == pytest.approx(run.metrics)
    assert run.evaluate(part, metrics=["perplexity"])["metrics"].keys() == {"perplexity"}
    frame = run.predict(part)
    assert frame["where"][0] == "line 1"
    assert frame["nats"].sum() == pytest.approx(found["metrics"]["nats_per_token"] * found["rows"])


def _tested(run: workings.Run) -> int:
    return json.loads((run.path / "data_card.json").read_text())["split"]["test"]


def test_a_run_writes_by_seed(run: workings.Run) -> None:
    """The same seed writes the same, as long as asked, in letters that it knows; a prompt is gone on from."""
    first = run.generate("one two", length=40, seed=4, samples=2)
    assert first == run.generate("one two", length=40, seed=4, samples=2)
    assert [len(each) for each in first] == [40, 40]
    assert set(first[0]) <= set(Path(run.recipe.data or "").read_text())
    assert run.generate(length=40, temperature=0, seed=1) == run.generate(length=40, temperature=0, seed=2)


def test_what_is_odd_about_a_prompt_is_told(run: workings.Run) -> None:
    """Unknown characters, and line ends that are changed."""
    told: list[str] = []

    def emit(event: Event) -> None:
        if isinstance(event, Noticed):
            told.append(event.problem.code)

    run.generate("Ω\r\n", length=2, emit=emit)
    assert told == ["unknown-prompt", "prompt-changed"]


@pytest.mark.parametrize("values", [{"length": 0}, {"samples": 0}, {"seed": -1}, {"temperature": -0.1}, {"top_p": 2.0}])
def test_writing_that_cannot_be_is_refused(run: workings.Run, values: dict[str, float]) -> None:
    """By the name of the value."""
    with pytest.raises(UserError, match=next(iter(values))):
        run.generate(**values)  # type: ignore[arg-type]


def test_an_interrupted_run_ends_with_the_same_bits(run: workings.Run, tmp_path: Path) -> None:
    """Resumed from a checkpoint it has the weights of the run that never stopped."""
    seen = 0

    def interrupt(event: Event) -> None:
        nonlocal seen
        seen += isinstance(event, EpochEnded)
        if seen == 2:
            raise KeyboardInterrupt

    settings = {**TINY, "batch_size": 8, "checkpoint_seconds": 0}
    with pytest.raises(KeyboardInterrupt):
        workings.train(run.recipe.data, out=tmp_path / "run", epochs=3, settings=settings, emit=interrupt)
    workings.train(resume=tmp_path / "run")
    description = json.loads((run.path / "net.json").read_text())
    nets = [make_net(description) for _ in range(2)]
    for net, path in zip(nets, (run.path, tmp_path / "run"), strict=True):
        load_weights(path / "weights.safetensors", net)
    for one, other in zip(*(net.state_dict().values() for net in nets), strict=True):
        assert one.equal(other)


@pytest.mark.parametrize("kind", ["word", "bpe"])
def test_words_and_pieces_are_judged_by_the_same_characters(tmp_path: Path, kind: str) -> None:
    """Bits a character of any kind of token are of the text itself; an LSTM reads it too."""
    settings = {"tokens": kind, "vocabulary": 300, "length": 8, "net": "lstm", "width": 8, "batch_size": 4}
    settings |= {"lane": "eager@1", "threads": 1, "report": False, "baselines": False}
    run = workings.train(text(tmp_path, 8), out=tmp_path / "run", epochs=1, settings=settings)
    frame = polars.read_parquet(run.path / "predictions.parquet")
    lines = (text(tmp_path, 8)).read_text().splitlines(keepends=True)[-len(frame) :]
    characters = sum(map(len, lines))
    assert run.metrics["bits_per_character"] >= frame["nats"].sum() / (characters * math.log(2)) - 1e-9
    if kind == "bpe":  # nothing is unknown
        assert run.metrics["bits_per_character"] == pytest.approx(frame["nats"].sum() / (characters * math.log(2)))
    assert isinstance(run.generate(length=5)[0], str)


def settled(n: int, **given: object) -> Recipe:
    facts = Facts(n, 10, (256,), "language", 70, form=Form(vocabulary=70, each_step=True))
    return settle(make_recipe({"net": "gpt", **given}), facts, silent)


def test_a_short_text_gets_a_small_net_and_many_passes() -> None:
    """A long one a larger net and few; both see many steps."""
    short, long = settled(50_000), settled(1_000_000)
    assert short.net_settings["width"] < long.net_settings["width"]
    assert (short.epochs or 0) > (long.epochs or 0) >= 2
    for recipe, n in ((short, 50_000), (long, 1_000_000)):
        assert isinstance(recipe.batch_size, int)
        assert n * (recipe.epochs or 0) / (recipe.batch_size * 256) > 500


def test_what_is_given_stands() -> None:
    """Settling fills gaps only."""
    given = {"width": 32, "batch_size": 3, "epochs": 1.5, "learning_rate": 0.1, "optimiser_settings": {"beta2": 0.5}}
    recipe = settled(50_000, **given)
    assert recipe.net_settings["width"] == 32
    assert (recipe.batch_size, recipe.epochs, recipe.learning_rate) == (3, 1.5, 0.1)
    assert recipe.optimiser_settings["beta2"] == 0.5
    assert settled(50_000, optimiser="sgd").optimiser_settings.keys() >= {"momentum"}


class Peeks(nn.Module):
    """A net of someone's own that looks at the whole window, as a bidirectional one does."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.table = nn.Embedding(vocabulary, vocabulary)

    def forward(self, x: Tensor) -> Tensor:
        return self.table(x) + self.table(x).mean(1, keepdim=True)


def test_a_net_that_sees_the_future_is_refused(tmp_path: Path) -> None:
    """Before anything is written; one that does not is taken."""
    path = text(tmp_path)
    settings = {"length": 16, "lane": "eager@1", "threads": 1, "report": False, "baselines": False, "batch_size": 4}
    with pytest.raises(UserError, match="after it"):
        workings.train(path, net=Peeks, out=tmp_path / "peeks", epochs=1, settings=settings)
    assert not (tmp_path / "peeks").exists()
    for net in (Sums(7), Sums(40)):
        refuse_reading_ahead(net, 16, net.table.num_embeddings)
