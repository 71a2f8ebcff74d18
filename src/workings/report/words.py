"""Numbers and names as a reader wants them: rounded to what is known, with thousands apart and units."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

SHARES = frozenset(
    {"exact_match", "token_accuracy", "accuracy", "balanced_accuracy", "precision", "recall", "top_5_accuracy", "mape"}
    | {"anomalies_found", "false_alarms", "stretches_found"}
    | {"draws_coverage", "draws_precision", "draws_recall", "rarest_share", "judge_accuracy"}
)
IN_WORDS = {
    "accuracy": "accuracy",
    "anomaly_average_precision": "average precision of anomalies",
    "anomaly_roc_auc": "ROC AUC of anomalies",
    "average_precision": "average precision",
    "balanced_accuracy": "balanced accuracy",
    "bits_per_character": "bits per character",
    "bleu": "BLEU",
    "brier": "Brier score",
    "chrf": "chrF",
    "draws_coverage": "coverage by draws",
    "draws_precision": "precision of draws",
    "draws_recall": "recall by draws",
    "energy_distance": "energy distance of draws",
    "exact_match": "exact match",
    "explained": "variance kept",
    "f1": "F1",
    "f1_macro": "macro F1",
    "f1_weighted": "weighted F1",
    "importance_weighted_nats": "importance-weighted nats per sample",
    "judge_accuracy": "accuracy of the judge of draws",
    "kl_nats": "KL divergence, in nats",
    "learning_rate": "learning rate",
    "log_loss": "log loss",
    "loss": "loss",
    "log_likelihood": "log-likelihood",
    "mae": "mean absolute error",
    "mae_units": "mean absolute error, in units",
    "mape": "mean absolute percentage error",
    "mase": "MASE",
    "mcc": "Matthews correlation",
    "median_ae": "median absolute error",
    "mse": "mean squared error",
    "modes_found": "classes found among draws",
    "nats_per_token": "nats per token",
    "precision": "precision",
    "pseudo_log_likelihood": "pseudo-log-likelihood",
    "r2": "R²",
    "rarest_share": "share of the class drawn most rarely",
    "recall": "recall",
    "reconstruction_mse": "mean squared error of the reconstruction",
    "reconstruction_nats": "nats of the reconstruction",
    "rmse": "root mean squared error",
    "rmse_units": "root mean squared error, in units",
    "roc_auc": "ROC AUC",
    "roc_auc_ovr_macro": "ROC AUC, one against the rest",
    "smape": "sMAPE",
    "token_accuracy": "token accuracy",
    "stretches_found": "anomalies found, in part or whole",
    "top_5_accuracy": "top-5 accuracy",
    "wer": "word error rate",
    "window_average_precision": "average precision of windows",
    "window_roc_auc": "ROC AUC of windows",
}
# Whole numbers of things.
COUNTS = frozenset({"active_units", "modes_found"})
# What is judged, by the task where that says it, else by the kind of data.
JUDGED = {"language": "token", "forecast": "forecast", "translation": "pair"}
JUDGED_OF_KIND = {"images": "image", "text": "text", "sound": "recording", "series": "step"}
SHORT = {"mae": "MAE", "median_ae": "median error", "rmse": "RMSE", "roc_auc_ovr_macro": "ROC AUC"}


def short_name(name: str) -> str:
    """The metric as a narrow column's head."""
    return SHORT.get(name) or metric_name(name)


def metric_name(name: str) -> str:
    """The metric in words; its own name where there are none."""
    return IN_WORDS.get(name, name.replace("_", " "))


def number(x: float, digits: int = 4) -> str:
    """``digits`` significant digits, thousands apart: 0.03142, 3.142, 31,416. Powers of ten where it is tiny."""
    if x == 0 or not math.isfinite(x):
        return "0" if x == 0 else str(x)
    if float(x).is_integer() and abs(x) < 1e15:
        return minus(f"{x:,.0f}")
    magnitude = math.floor(math.log10(abs(x)))
    if magnitude < -4 or magnitude > 14:
        mantissa, exponent = f"{x:.{digits - 1}e}".split("e")
        return minus(f"{mantissa.rstrip('0').rstrip('.')} × 10{raised(int(exponent))}")
    return minus(f"{x:,.{max(0, digits - 1 - magnitude)}f}")


def minus(text: str) -> str:
    """With a true minus sign, which is as wide as a digit."""
    return text.replace("-", "−")


def percent(share: float, decimals: int = 1) -> str:
    """``85.6 %``, with a space that does not break."""
    return minus(f"{100 * share:.{decimals}f}\N{NO-BREAK SPACE}%")


def measured(name: str, value: float, interval: Sequence[float] | None = None) -> tuple[str, str]:
    """A metric and its interval, rounded alike: about as fine as the interval's width tells, with its unit."""
    if name in COUNTS and not interval:
        return f"{value:,.0f}", ""
    share = name in SHARES
    scale, unit = (100, "\N{NO-BREAK SPACE}%") if share else (1, "")
    decimals = min(3, 2 - math.floor(math.log10(abs(value * scale) or 1)))
    if interval and interval[1] > interval[0]:
        told = round(-math.log10((interval[1] - interval[0]) * scale)) + 1
        decimals = told if share else max(told, decimals)
    decimals = max(decimals, 1) if share else max(decimals, 0)

    def written(x: float) -> str:
        if decimals > 6:
            return number(x * scale, 3)
        text = f"{x * scale:,.{decimals}f}"
        return minus(text.lstrip("-") if not text.strip("-0.,") else text)

    if not interval:
        return written(value) + unit, ""
    low, high = written(interval[0]), written(interval[1])
    # The joiner keeps a line from breaking behind the dash.
    between = " to " if "−" in low + high else "–\N{WORD JOINER}"
    return written(value) + unit, f"{low}{between}{high}{unit}"


def seconds(s: float) -> str:
    """``0.3 s``, ``42 s``, ``2 min 05 s``, ``1 h 10 min``."""
    if s < 10:
        return f"{s:.2g} s" if s < 1 else f"{s:.1f} s"
    if round(s) < 60:
        return f"{round(s)} s"
    minutes, rest = divmod(round(s), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60} min"


def count(n: int, one: str, many: str | None = None) -> str:
    """``1 row``, ``2 rows``, ``16,281 rows``."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def judged(found: Mapping[str, Any], kind: str) -> str:
    """What one of those is called that a net was judged on, row, image, step …: of an evaluation, on data of a kind."""
    return found.get("counted") or JUDGED.get(str(found.get("task"))) or JUDGED_OF_KIND.get(kind, "row")


def a(noun: str) -> str:
    """With its article: a row, an image."""
    return f"an {noun}" if noun[0].lower() in "aeiou" else f"a {noun}"


def raised(exponent: int) -> str:
    """In small figures above the line: ⁻⁵."""
    return str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
