"""Which test samples a report shows one by one: the most unusual, or those that were told wrongly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars

SHOWN = 12


@dataclass(frozen=True)
class Group:
    """title and text for the reader; rows: places in the predictions, first the one to look at first."""

    title: str
    text: str
    rows: list[int]


def told_apart(told: polars.DataFrame, odd: np.ndarray) -> list[Group]:
    """Groups of test samples by their score; empty where the net gives none.

    told: ``predictions.parquet``. odd: (n,) bool, which samples are anomalies, all False where nobody knows.
    """
    if "score" not in told.columns or not len(told):
        return []
    score, anomaly = told["score"].to_numpy(), told["anomaly"].to_numpy()
    highest = np.argsort(-score, kind="stable")
    if not odd.any() or odd.all():
        text = "The test samples with the highest scores, the highest first."
        return [Group("The most unusual", text, highest[:SHOWN].tolist())]
    alarms = [int(i) for i in highest if anomaly[i] and not odd[i]]
    missed = [int(i) for i in highest[::-1] if odd[i] and not anomaly[i]]
    found = [int(i) for i in highest if anomaly[i] and odd[i]]
    told_of = [
        ("Anomalies missed", "below the threshold; the lowest first", missed, int(odd.sum()), "anomalies"),
        ("False alarms", "above the threshold; the highest first", alarms, int((~odd).sum()), "regular samples"),
        ("Anomalies found", "above the threshold; the highest first", found, int(odd.sum()), "anomalies"),
    ]
    return [
        Group(title, f"{len(rows):,} of the {of:,} {what} of the test part score {how}.", rows[: SHOWN // 2])
        for title, how, rows, of, what in told_of
        if rows
    ]
