"""Metrics of tasks whose answer is a sequence: what each is, for which task, and whether more is better."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SequenceMetric:
    """``text`` says in words what it is; ``tasks`` names the tasks that have it; ``higher`` whether more is better."""

    higher: bool
    text: str
    tasks: tuple[str, ...]


LANGUAGE, FORECAST, TRANSLATION = ("language",), ("forecast",), ("translation",)
WRITTEN = LANGUAGE + TRANSLATION

SEQUENCE_METRICS: dict[str, SequenceMetric] = {
    "nats_per_token": SequenceMetric(False, "mean −ln p of the token that came", WRITTEN),
    "perplexity": SequenceMetric(False, "e to the nats per token: among how many it is undecided", WRITTEN),
    "bits_per_character": SequenceMetric(False, "−log₂ p of the text, by character", LANGUAGE),
    "token_accuracy": SequenceMetric(True, "share of tokens that were its first choice", WRITTEN),
    "mse": SequenceMetric(False, "mean squared error, of standardised values", FORECAST),
    "mae": SequenceMetric(False, "mean absolute error, of standardised values", FORECAST),
    "mase": SequenceMetric(
        False, "mean absolute error over the seasonal-naive forecast's on the training part", FORECAST
    ),
    "smape": SequenceMetric(False, "symmetric mean absolute percentage error, 0 to 200 %", FORECAST),
    "mae_units": SequenceMetric(False, "mean absolute error, in the series' own units", FORECAST),
    "rmse_units": SequenceMetric(False, "root mean squared error, in the series' own units", FORECAST),
    "bleu": SequenceMetric(True, "BLEU of sacrebleu, 0 to 100", TRANSLATION),
    "chrf": SequenceMetric(True, "chrF of sacrebleu, 0 to 100", TRANSLATION),
    "exact_match": SequenceMetric(True, "share of texts that are right to the last token", TRANSLATION),
    "wer": SequenceMetric(False, "word error rate: edits a word of the truth", TRANSLATION),
}


def names_for(task: str) -> list[str]:
    """Names of the metrics that a task has."""
    return [name for name, metric in SEQUENCE_METRICS.items() if task in metric.tasks]
