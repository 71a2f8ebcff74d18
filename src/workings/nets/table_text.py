"""The layers of a net as plain text, at most 80 columns wide."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from workings.nets.arithmetic import LayerRow, totals
from workings.nets.layer_facts import by

WIDTH = 80
_NAME = 31
_HEAD = f"{'layer':<{_NAME}} {'output':>11} {'parameters':>12} {'multiply–adds':>13} {'sees':>9}"


def format_table(rows: Sequence[LayerRow]) -> str:
    """One block a layer: what it is, output shape, parameters, multiply–adds, receptive field; equations beneath."""
    lines = [_HEAD, "─" * WIDTH]
    for row in rows:
        lines += _block(row)
    total = totals(rows)
    lines.append("─" * WIDTH)
    lines.append(_line("total", "", f"{total.parameters:,}", f"{total.multiply_adds:,}", ""))
    lines.append(f"  {total.weights:,} weights and {total.biases:,} biases; multiply–adds are for one sample")
    if total.unknown:
        lines += _wrapped(f"not counted: multiply–adds of {', '.join(total.unknown)}")
    return "\n".join(lines)


def _block(row: LayerRow) -> list[str]:
    work = "—" if row.multiply_adds is None else f"{row.multiply_adds:,}"
    label = f"{row.name}  {row.kind}"
    head = _line(label, by(row.output), f"{row.parameters:,}", work, by(row.receptive_field))
    below = [text for text in (row.settings, row.equation, row.parameter_equation) if text]
    joined = "; ".join(below)
    if len(joined) <= WIDTH - 4:
        return [*head.split("\n"), *([f"    {joined}"] if joined else [])]
    return [*head.split("\n"), *(line for text in below for line in _wrapped(text))]


def _line(label: str, output: str, parameters: str, work: str, field: str) -> str:
    numbers = f"{output:>11} {parameters:>12} {work:>13} {field:>9}".rstrip()
    if len(label) <= _NAME:
        return f"{label:<{_NAME}} {numbers}"
    names = "\n".join(textwrap.wrap(label, WIDTH))
    return f"{names}\n{'':<{_NAME}} {numbers}"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="    ", subsequent_indent="      ")
