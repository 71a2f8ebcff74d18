"""Metrics of tasks whose answer is no label: what each is, for which task, and whether more is better."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TaskMetric:
    """``text`` says in words what it is; ``tasks`` names the tasks that have it; ``higher`` whether more is better."""

    higher: bool
    text: str
    tasks: tuple[str, ...]


LANGUAGE, FORECAST, TRANSLATION = ("language",), ("forecast",), ("translation",)
WRITTEN = LANGUAGE + TRANSLATION
UNSUPERVISED = ("unsupervised",)

TASK_METRICS: dict[str, TaskMetric] = {
    "nats_per_token": TaskMetric(False, "mean −ln p of the token that came", WRITTEN),
    "perplexity": TaskMetric(False, "e to the nats per token: among how many it is undecided", WRITTEN),
    "bits_per_character": TaskMetric(False, "−log₂ p of the text, by character", LANGUAGE),
    "token_accuracy": TaskMetric(True, "share of tokens that were its first choice", WRITTEN),
    "mse": TaskMetric(False, "mean squared error, of standardised values", FORECAST),
    "mae": TaskMetric(False, "mean absolute error, of standardised values", FORECAST),
    "mase": TaskMetric(False, "mean absolute error over the seasonal-naive forecast's on the training part", FORECAST),
    "smape": TaskMetric(False, "symmetric mean absolute percentage error, 0 to 200 %", FORECAST),
    "mae_units": TaskMetric(False, "mean absolute error, in the series' own units", FORECAST),
    "rmse_units": TaskMetric(False, "root mean squared error, in the series' own units", FORECAST),
    "bleu": TaskMetric(True, "BLEU of sacrebleu, 0 to 100", TRANSLATION),
    "chrf": TaskMetric(True, "chrF of sacrebleu, 0 to 100", TRANSLATION),
    "exact_match": TaskMetric(True, "share of texts that are right to the last token", TRANSLATION),
    "nats_per_sample": TaskMetric(False, "−ELBO: bound on −ln p of a sample, in nats", UNSUPERVISED),
    "importance_weighted_nats": TaskMetric(False, "a closer bound on −ln p, by importance sampling", UNSUPERVISED),
    "reconstruction_nats": TaskMetric(False, "−ln p of a sample given its code, in nats", UNSUPERVISED),
    "kl_nats": TaskMetric(False, "KL divergence of a sample's codes from the prior, in nats", UNSUPERVISED),
    "active_units": TaskMetric(True, "units of the code whose mean varies over samples", UNSUPERVISED),
    "reconstruction_mse": TaskMetric(
        False, "mean squared error of the reconstruction, a number of the sample", UNSUPERVISED
    ),
    "explained": TaskMetric(True, "share of the variance that the reconstruction keeps", UNSUPERVISED),
    "anomaly_roc_auc": TaskMetric(True, "chance that an anomaly scores above a regular sample", UNSUPERVISED),
    "anomaly_average_precision": TaskMetric(True, "average precision of the anomaly score", UNSUPERVISED),
    "anomalies_found": TaskMetric(True, "share of the anomalies above the threshold", UNSUPERVISED),
    "stretches_found": TaskMetric(True, "of a series: share of the anomalies of which a step is told", UNSUPERVISED),
    "false_alarms": TaskMetric(False, "share of the regular samples above the threshold", UNSUPERVISED),
    "window_roc_auc": TaskMetric(True, "chance that a window with an anomaly scores above one without", UNSUPERVISED),
    "window_average_precision": TaskMetric(True, "average precision of the score of windows", UNSUPERVISED),
    "modes_found": TaskMetric(True, "classes that draws reach, of those there are", UNSUPERVISED),
    "rarest_share": TaskMetric(True, "share of the draws that are of the class drawn most rarely", UNSUPERVISED),
    "draws_precision": TaskMetric(True, "share of the draws that lie among real samples", UNSUPERVISED),
    "draws_recall": TaskMetric(True, "share of real samples that lie among draws", UNSUPERVISED),
    "draws_coverage": TaskMetric(True, "share of real samples with a draw among their neighbours", UNSUPERVISED),
    "energy_distance": TaskMetric(False, "energy distance of draws and real samples; 0 where alike", UNSUPERVISED),
    "judge_accuracy": TaskMetric(True, "accuracy of the net that names the classes of draws", UNSUPERVISED),
    "log_likelihood": TaskMetric(True, "mean ln p of a sample, in nats", UNSUPERVISED),
    "pseudo_log_likelihood": TaskMetric(
        True, "mean over samples of Σ ln p of a unit given all the others, in nats", UNSUPERVISED
    ),
    "free_energy": TaskMetric(False, "mean −ln p of a sample but for a constant, in nats", UNSUPERVISED),
    "wer": TaskMetric(False, "word error rate: edits a word of the truth", TRANSLATION),
}


def names_for(task: str) -> list[str]:
    """Names of the metrics that a task has."""
    return [name for name, metric in TASK_METRICS.items() if task in metric.tasks]
