"""What is known of recordings beside their sound, as fields of a schema."""

from __future__ import annotations

from collections import Counter

import numpy as np

from workings.data.schema import Field, Schema, Task
from workings.data.sound.reading import Recordings


def describe(recordings: Recordings, labels: list[str], task: Task) -> Schema:
    """Seconds, sampling rate, group and target."""
    seconds = recordings.seconds
    fields = [
        Field(
            name="seconds",
            kind="numeric",
            reason="how long each recording is",
            used=False,
            dtype="float",
            distinct=len(np.unique(seconds)),
            min=float(seconds.min()),
            max=float(seconds.max()),
            mean=float(seconds.mean()),
            std=float(seconds.std()),
        ),
        _named("sampling rate", [f"{rate:,} Hz" for rate in recordings.rates], "as recorded", False),
    ]
    if recordings.groups is not None:
        fields.append(_named("group", recordings.groups, "stays on one side of the split", False))
    if task.classes is not None:
        fields.append(_named(task.target, labels, task.reason, True))
    else:
        y = recordings.y
        assert y is not None
        told = {"min": float(y.min()), "max": float(y.max()), "mean": float(y.mean()), "std": float(y.std())}
        fields.append(Field(name=task.target, kind="numeric", reason=task.reason, used=True, dtype="float", **told))
    return Schema(rows=len(seconds), fields=fields, task=task)


def _named(name: str, values: list[str], reason: str, used: bool) -> Field:
    counts = Counter(values)
    top = counts.most_common(5)
    return Field(name=name, kind="categorical", reason=reason, used=used, distinct=len(counts), top=top)
