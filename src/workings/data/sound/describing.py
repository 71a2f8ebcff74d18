"""What is known of recordings beside their sound, as fields of a schema."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from workings.data.schema import Field, Schema, Task
from workings.data.sound.reading import Recordings


def describe(recordings: Recordings, labels: list[str], task: Task) -> Schema:
    """Seconds, sampling rate, group and target; the target alone is of use to the net, as what it is to say."""
    fields = [
        _numbers("seconds", recordings.seconds, "how long each recording is", False),
        _names("sampling rate", [f"{rate:,} Hz" for rate in recordings.rates], "as recorded", False),
    ]
    if recordings.groups is not None:
        fields.append(_names("group", recordings.groups, "stays on one side of the split", False))
    if task.classes is not None:
        fields.append(_names(task.target, labels, task.reason, True))
    else:
        assert recordings.y is not None
        fields.append(_numbers(task.target, recordings.y, task.reason, True))
    return Schema(rows=len(recordings.names), fields=fields, task=task)


def _numbers(name: str, values: np.ndarray, reason: str, used: bool) -> Field:
    return Field(
        name=name,
        kind="numeric",
        reason=reason,
        used=used,
        dtype="float",
        distinct=len(np.unique(values)),
        min=float(values.min()),
        max=float(values.max()),
        mean=float(values.mean()),
        std=float(values.std()),
    )


def _names(name: str, values: Sequence[str], reason: str, used: bool) -> Field:
    counts = Counter(values)
    top = counts.most_common(5)
    return Field(name=name, kind="categorical", reason=reason, used=used, distinct=len(counts), top=top)
