"""Translation: a text for a text, written token by token, and judged as texts are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workings.base.events import Emit, Phase
from workings.base.tokens import PAD, UNK
from workings.data.dataset import Dataset
from workings.data.pairs.sources import PairSource
from workings.data.schema import TaskKind
from workings.data.source import Source
from workings.learning.beam import beam_search
from workings.learning.decoding import greedy
from workings.learning.metrics import Evaluation
from workings.learning.step import LossFunction
from workings.learning.task_metrics import names_for
from workings.learning.text_scores import compared, evaluate_texts, of_tokens
from workings.runs.work import Stored, Work, keep_wanted

if TYPE_CHECKING:
    from workings.runs.run import Run

BEAMS = 4
MOST_BEAMED = 2_000  # texts beyond which the test writes the likeliest token at each step, so that it ends soon
TOKENS_AT_ONCE = 4_096  # of a batch that is judged or written


class TranslationWork(Work):
    """Texts for texts."""

    def quick(
        self, task: TaskKind, net: nn.Module, source: Source, loss: LossFunction, stored: Stored | None
    ) -> dict[str, float]:
        """See :class:`Work`: each token with the true ones before it given. The loss is as trained with."""
        nats, hits, tokens, lost = judge(net, source, loss)
        mean = float(nats.sum() / tokens.sum())
        return {
            "loss": lost,
            "token_accuracy": float(hits.sum() / tokens.sum()),
            "perplexity": math.exp(min(mean, 700.0)),
            "nats_per_token": mean,
        }

    def test(self, run: Run, source: Source, emit: Emit) -> tuple[Evaluation, polars.DataFrame, dict[str, Any]]:
        """See :class:`Work`; predictions with their source and truth."""
        assert isinstance(source, PairSource)
        found, written = test_texts(run, source, emit)
        return found, frame_of(source, written), {"prediction": np.array(written, dtype=object)}

    def evaluate(self, run: Run, dataset: Dataset, metrics: Sequence[str] | None, emit: Emit) -> dict[str, Any]:
        """See :class:`Work`."""
        source = dataset.source(run.prep, np.arange(dataset.n))
        assert isinstance(source, PairSource)
        found, _ = test_texts(run, source, emit)
        return keep_wanted(found.to_dict(), [self.find_metric(run.task.kind, name) for name in metrics or ()])

    def predict(self, run: Run, dataset: Dataset, emit: Emit) -> polars.DataFrame:
        """See :class:`Work`; with the source beside each text that was written."""
        return translated(run, dataset, BEAMS, emit)

    def metrics(self, task: TaskKind) -> list[str]:
        """See :class:`Work`."""
        return names_for(task)


def translated(run: Run, dataset: Dataset, beams: int, emit: Emit) -> polars.DataFrame:
    """One row a text: ``row``, ``where``, ``source``, ``prediction``; nothing is written for an empty source."""
    source = dataset.source(run.prep, np.arange(dataset.n))
    assert isinstance(source, PairSource)
    emit(Phase("writing", f"{dataset.n:,} texts, {told(beams)}"))
    written = run.prep.written(write(run.net, source, beams))
    source.truths = None
    return frame_of(source, [text if of.strip() else "" for text, of in zip(written, source.texts, strict=True)])


def test_texts(run: Run, source: PairSource, emit: Emit) -> tuple[Evaluation, list[str]]:
    """Every metric of the texts that the net writes for ``source``, and these texts."""
    prep, truth = run.prep, source.truths
    assert truth is not None
    beams = BEAMS if len(source) <= MOST_BEAMED else 1
    how = told(beams)
    emit(Phase("writing", f"{len(source):,} texts, {how}"))
    tokens = write(run.net, source, beams)
    exact = [
        len(each) == len(meant) and UNK not in meant and bool((np.asarray(each) == meant).all())
        for each, meant in zip(tokens, prep.target_tokens(truth), strict=True)
    ]
    written = prep.written(tokens)
    if prep.lowercase:
        truth, how = [text.lower() for text in truth], f"{how}, compared in lower case"
    nats, hits, counted, _ = judge(run.net, source)
    parts = [*compared(truth, written, prep.tokens == "character"), of_tokens(nats, hits, counted)]
    return evaluate_texts(parts, np.array(exact, dtype=bool), how), written


def told(beams: int) -> str:
    """How texts are written, in words."""
    return f"beam search of {beams}" if beams > 1 else "the likeliest token at each step"


def frame_of(source: PairSource, written: Sequence[str]) -> polars.DataFrame:
    """One row a text."""
    columns: dict[str, Any] = {"row": source.rows + 1, "where": [source.where(i) for i in range(len(source))]}
    columns["source"] = source.texts
    if source.truths is not None:
        columns["truth"] = source.truths
    return polars.DataFrame({**columns, "prediction": list(written)})


def batches(lengths: Tensor) -> list[Tensor]:
    """Rows (m,) of similar lengths, about ``TOKENS_AT_ONCE`` tokens together."""
    order, found = torch.argsort(lengths, descending=True, stable=True), []
    while len(order):
        count = max(1, TOKENS_AT_ONCE // int(lengths[order[0]]))
        found.append(order[:count])
        order = order[count:]
    return found


@torch.no_grad()
def judge(
    net: nn.Module, source: Source, loss: LossFunction | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """For each text: Σ −ln p of its tokens, how many were the net's first choice, how many there are; the mean loss.

    The true tokens before each are given. Evaluation mode; the net's mode is put back.
    """
    assert source.lengths is not None
    mode, n = net.training, len(source)
    net.eval()
    nats, hits, tokens, lost = np.zeros(n), np.zeros(n), np.zeros(n), 0.0
    for rows in batches(source.lengths):
        out, y = net(source.x(rows)).float(), source.targets(rows)
        real = y != PAD
        each = F.cross_entropy(out.flatten(0, 1), y.flatten(), ignore_index=PAD, reduction="none").view(y.shape)
        at = rows.numpy()  # a tensor of one number would be taken for that number
        nats[at] = each.sum(1, dtype=torch.float64).numpy()
        hits[at] = ((out.argmax(2) == y) & real).sum(1).numpy()
        tokens[at] = real.sum(1).numpy()
        if loss is not None:
            lost += float(loss(out, y, None)) * int(real.sum())
    net.train(mode)
    return nats, hits, tokens, lost / max(1.0, float(tokens.sum()))


def write(net: nn.Module, source: PairSource, beams: int) -> list[list[int]]:
    """The tokens that the net writes for each source text, without the end."""
    texts: list[list[int]] = [[] for _ in range(len(source))]
    for rows in batches(source.source_lengths * beams):
        source_BS = source.x(rows)[:, 0, : int(source.source_lengths[rows].max())]
        for row, tokens in zip(rows.tolist(), write_for(net, source_BS, source.shape[1], beams), strict=True):
            texts[row] = tokens
    return texts


@torch.no_grad()
def write_for(net: nn.Module, source_BS: Tensor, longest: int, beams: int) -> list[list[int]]:
    """The same for source tokens (B, S); ``longest`` is the most that is written."""
    if beams > 1:
        return [each[0].tokens for each in beam_search(net, source_BS, longest, beams=beams)]
    return greedy(net, source_BS, longest).texts()
