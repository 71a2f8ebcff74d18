"""What the benchmarks of nets that learn from samples alone share: a row, and the interval of a metric."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]


def row(what: str, value: float, bar: str, met: bool | None, **more: Any) -> Row:
    """One measured figure."""
    return {"what": what, "value": round(value, 4), "bar": bar, "met": met, **more}


def interval(found: dict[str, Any], name: str) -> str:
    """The 95 % interval of a metric over the test samples."""
    low, high = found["intervals"][name]
    return f"{low:.2f} to {high:.2f}"
