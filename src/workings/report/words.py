"""Numbers and names as a reader wants them: rounded to what is known, with thousands apart and units."""

from __future__ import annotations

import math
from collections.abc import Sequence

SHARES = frozenset({"accuracy", "balanced_accuracy", "precision", "recall", "top_5_accuracy", "mape"})
IN_WORDS = {
    "accuracy": "accuracy",
    "average_precision": "average precision",
    "balanced_accuracy": "balanced accuracy",
    "brier": "Brier score",
    "f1": "F1",
    "f1_macro": "macro F1",
    "f1_weighted": "weighted F1",
    "learning_rate": "learning rate",
    "log_loss": "log loss",
    "loss": "loss",
    "mae": "mean absolute error",
    "mape": "mean absolute percentage error",
    "mcc": "Matthews correlation",
    "median_ae": "median absolute error",
    "mse": "mean squared error",
    "precision": "precision",
    "r2": "R²",
    "recall": "recall",
    "rmse": "root mean squared error",
    "roc_auc": "ROC AUC",
    "roc_auc_ovr_macro": "ROC AUC, one against the rest",
    "top_5_accuracy": "top-5 accuracy",
}


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
        return minus(f"{mantissa.rstrip('0').rstrip('.')} × 10{_raised(int(exponent))}")
    return minus(f"{x:,.{max(0, digits - 1 - magnitude)}f}")


def minus(text: str) -> str:
    """With a true minus sign, which is as wide as a digit."""
    return text.replace("-", "−")


def percent(share: float, decimals: int = 1) -> str:
    """``85.6 %``, with a space that does not break."""
    return minus(f"{100 * share:.{decimals}f}\N{NO-BREAK SPACE}%")


def measured(name: str, value: float, interval: Sequence[float] | None = None) -> tuple[str, str]:
    """A metric and its interval, rounded alike: to one digit finer than the interval's width tells."""
    share = name in SHARES or name == "r2"
    scale = 100 if share else 1
    if interval and interval[1] > interval[0]:
        decimals = min(6, max(0, 1 - math.floor(math.log10((interval[1] - interval[0]) * scale)) - share))
    else:
        decimals = 1 if share else min(6, max(0, 3 - math.floor(math.log10(abs(value) or 1))))
    unit = "\N{NO-BREAK SPACE}%" if share else ""
    written = minus(f"{value * scale:,.{decimals}f}")
    if not interval:
        return written + unit, ""
    low, high = (minus(f"{edge * scale:,.{decimals}f}") for edge in interval)
    between = " to " if "−" in low + high else "–"
    return written + unit, f"{low}{between}{high}{unit}"


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


def _raised(exponent: int) -> str:
    return str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
