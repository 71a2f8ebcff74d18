"""Going on with a text: how well a net expects what comes, and what it writes itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars
import torch
from torch import nn

from workings.base.errors import refuse
from workings.base.events import Emit, Noticed, Phase, silent
from workings.base.problems import Problem
from workings.base.tokens import EOS, SPECIAL, UNK
from workings.data.dataset import Dataset
from workings.data.language.checks import named
from workings.data.language.dataset import LanguageDataset
from workings.data.language.windows import TextWindows
from workings.data.schema import TaskKind
from workings.data.source import Source
from workings.learning.decoding import NEVER, Sampling, sample
from workings.learning.judging import Surprise, surprise, text_metrics
from workings.learning.metrics import Evaluation
from workings.learning.step import LossFunction
from workings.learning.task_metrics import names_for
from workings.runs.work import Stored, Work, keep_wanted

if TYPE_CHECKING:
    from workings.runs.run import Run


class LanguageWork(Work):
    """Language."""

    def quick(
        self, task: TaskKind, net: nn.Module, source: Source, loss: LossFunction, stored: Stored | None
    ) -> dict[str, float]:
        """See :class:`Work`. Windows side by side: half the work of the test's, and a little less context.

        ``loss`` is nats a token, without what smoothing the labels adds in training.
        """
        assert isinstance(source, TextWindows)
        found = surprise(net, source, _outputs(source), context=False)
        metrics = {"loss": float(found.nats.mean())}
        metrics["token_accuracy"] = float((found.first == source.tokens).mean())
        return metrics

    def test(self, run: Run, source: Source, emit: Emit) -> tuple[Evaluation, polars.DataFrame, dict[str, Any]]:
        """See :class:`Work`; a row of the table is a line. Of the outcome, ``prediction`` is −ln p of each token."""
        assert isinstance(source, TextWindows)
        found = surprise(run.net, source, run.prep.vocabulary)
        frame = by_line(source, found)
        fields = {"truth": source.tokens, "prediction": found.nats}
        return _judged(source, found), frame, fields

    def evaluate(self, run: Run, dataset: Dataset, metrics: Sequence[str] | None, emit: Emit) -> dict[str, Any]:
        """See :class:`Work`."""
        source = _whole(run, dataset, emit)
        found = _judged(source, surprise(run.net, source, run.prep.vocabulary)).to_dict()
        return keep_wanted(found, metrics)

    def predict(self, run: Run, dataset: Dataset, emit: Emit) -> polars.DataFrame:
        """See :class:`Work`: for each line its nats and tokens; a line's context is what stands before it."""
        source = _whole(run, dataset, emit)
        return by_line(source, surprise(run.net, source, run.prep.vocabulary))

    def metrics(self, task: TaskKind) -> list[str]:
        """See :class:`Work`."""
        return names_for("language")


def _outputs(source: TextWindows) -> int:
    assert isinstance(source.form.vocabulary, int)
    return source.form.vocabulary


def _whole(run: Run, dataset: Dataset, emit: Emit) -> TextWindows:
    assert isinstance(dataset, LanguageDataset)
    source = dataset.source(run.prep, np.arange(dataset.n))
    emit(Phase("predicting", f"{len(source.tokens):,} tokens"))
    return source


def _judged(source: TextWindows, found: Surprise) -> Evaluation:
    unknown = source.tokens == UNK
    metrics, intervals, how = text_metrics(
        found.nats, (found.first == source.tokens) & ~unknown, source.spelling, source.characters
    )
    n, half = len(source.tokens), source.length // 2
    what = f"Each of {n:,} tokens was judged once, knowing the {half:,} to {source.length:,} before it."
    notes = [Problem("note", "windowing", what, why="The first ones have only what there is before them.")]
    if unknown.any():
        what = f"{int(unknown.sum()):,} tokens of the text judged are unknown to the net."
        why = "In bits a character they are spelt out, letter by letter; in nats a token they are one and the same."
        notes.append(Problem("note", "unknown-tokens", what, count=int(unknown.sum()), why=why))
    return Evaluation("language", n, metrics, intervals, dict.fromkeys(intervals, how), notes)


def by_line(source: TextWindows, found: Surprise) -> polars.DataFrame:
    """One row a line: ``row`` (from 1), ``where``, ``tokens``, ``nats``, ``nats_per_token``, ``first_choices``."""
    rows, first, count = np.unique(source.piece, return_index=True, return_counts=True)
    order = np.argsort(first)
    rows, first, count = rows[order], first[order], count[order]
    nats = np.add.reduceat(found.nats, first)
    hits = np.add.reduceat((found.first == source.tokens).astype(np.int64), first)
    return polars.DataFrame(
        {
            "row": rows + 1,
            "where": [source.place(int(row)) for row in rows],
            "tokens": count,
            "nats": nats,
            "nats_per_token": nats / count,
            "first_choices": hits,
        }
    )


@torch.no_grad()
def refuse_reading_ahead(net: nn.Module, length: int, outputs: int) -> None:
    """Tried on two texts that differ in their newer half only: the answers to the older half must be the same.

    Raises:
        UserError: they are not.
    """
    mode = net.training
    net.eval()
    one = torch.randint(len(SPECIAL), outputs, (1, length), generator=torch.Generator().manual_seed(0))
    other, half = one.clone(), length // 2
    other[:, half:] = (one[:, half:] + 1 - len(SPECIAL)) % (outputs - len(SPECIAL)) + len(SPECIAL)
    same = torch.allclose(net(one)[:, :half], net(other)[:, :half], atol=1e-4, rtol=1e-3, equal_nan=True)
    net.train(mode)
    if not same:
        raise refuse(
            "reads-the-future",
            "What the net says at a place of the text depends on tokens that come after it.",
            why="It sees the very token that it has to say, so a loss near 0 would mean nothing.",
            do="Mask attention causally, read in one direction only, and pool over nothing that comes later.",
        )


def generate(
    run: Run,
    prompt: str = "",
    *,
    length: int = 500,
    temperature: float = 0.8,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int = 0,
    samples: int = 1,
    emit: Emit = silent,
) -> list[str]:
    """``samples`` texts of ``length`` tokens that go on after ``prompt``; the prompt is not repeated.

    Raises:
        UserError: the run is of another task; lengths or temperatures that cannot be.
    """
    how = _checked(run, length, samples, seed, temperature, top_k, top_p)
    prep = run.prep
    tokeniser = prep.load_tokeniser()
    text = LanguageDataset.normal(prompt, prep.lowercase)
    tokens, characters = tokeniser.tokens(text)
    for problem in _told_of_prompt(prompt, text, tokens, characters):
        emit(Noticed(problem))
    emit(Phase("writing", f"{length:,} tokens" + (f", {samples:,} times" if samples > 1 else "")))
    begin = torch.tensor([prep.before, *tokens[-prep.length :].tolist()])
    written = sample(
        run.net,
        begin.expand(samples, -1),
        length,
        how,
        torch.Generator().manual_seed(seed),
        window=prep.length,
        never=(*NEVER, EOS),  # a text that is learnt by position has no end
        stop=None,
    )
    return [tokeniser.decode(each) for each in written.texts()]


def _checked(
    run: Run, length: int, samples: int, seed: int, temperature: float, top_k: int | None, top_p: float | None
) -> Sampling:
    if run.task.kind != "language":
        raise refuse(
            "no-language-model",
            f"The run '{run.path}' was trained for {run.task.kind}; only a language model writes.",
            do="This net may make samples: Run.draw."
            if run.task.kind == "unsupervised"
            else "Train one: workings train BOOK.txt",
        )
    for name, value, least in (("length", length, 1), ("samples", samples, 1), ("seed", seed, 0)):
        if value < least:
            raise refuse("bad-value", f"{name} is {value}.", do=f"Give {least} or more.")
    return Sampling(temperature, top_k, top_p)


def _told_of_prompt(prompt: str, text: str, tokens: np.ndarray, characters: np.ndarray) -> list[Problem]:
    ends = np.cumsum(characters)
    unknown = sorted({text[ends[i] - characters[i] : ends[i]] for i in np.flatnonzero(tokens == UNK)})
    problems = []
    if unknown:
        shown = ", ".join(named(each) if len(each) == 1 else repr(each) for each in unknown[:8])
        what = f"The net does not know {len(unknown):,} of the prompt's tokens."
        problems.append(Problem("warning", "unknown-prompt", what, shown, len(unknown), "It reads them as unknown."))
    if text != prompt:
        what = "The prompt was brought to the form of the training text (line ends, composed letters, case)."
        problems.append(Problem("note", "prompt-changed", what))
    return problems
