"""Tables of anomalies of a series: each stretch that is told, and how well each kind of anomaly is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars
from markupsafe import Markup

from workings.data.folders import natural
from workings.learning.stretch_scores import Curves, stretches
from workings.report.words import count, number, percent

LISTED = 15  # stretches that are told


def listed(told: polars.DataFrame, odd: np.ndarray) -> Markup:
    """The stretches that are told, the highest score first."""
    if not told.height:
        return Markup("<p>No step is told.</p>")
    labelled = odd.any() and "label" in told.columns
    titles = ["from", "to", "steps", "highest score", "most of it from", *(["label"] if labelled else [])]
    rows = []
    for row in told.sort("score", descending=True).head(LISTED).iter_rows(named=True):
        cells = [row["from"], row["to"], f"{row['steps']:,}", number(row["score"], 3), row.get("column_1", "")]
        cells += [str(row["label"])] if labelled else []
        rows.append(cells)
    said = f"{count(told.height, 'stretch', 'stretches')} of steps side by side above the threshold"
    said += f"; the {LISTED} with the highest scores" if told.height > LISTED else ", the highest score first"
    return Markup("<h3>What is told</h3>") + _table(said, titles, rows, 2)


def by_class(told: polars.DataFrame, odd: np.ndarray) -> Markup:
    """Of each class of anomalies how many steps and stretches there are, how many are told, and how well."""
    if "label" not in told.columns or not odd.any() or odd.all():
        return Markup()
    label, score, above = told["label"].to_numpy(), told["score"].to_numpy(), told["anomaly"].to_numpy()
    classes = sorted(set(label[odd].tolist()), key=natural)
    if len(classes) < 2:
        return Markup()
    rows = []
    for name in classes:
        mine = odd & (label == name)
        lasting = stretches(mine).tolist()
        hit = sum(bool(above[first:last].any()) for first, last in lasting)
        among = mine | ~odd
        area = Curves(score[among], mine[among]).areas()[0]
        rows.append(
            [
                name,
                f"{len(lasting):,}",
                f"{hit:,}",
                f"{int(mine.sum()):,}",
                percent(above[mine].mean()),
                f"{area:.3f}",
            ]
        )
    titles = ["class", "anomalies", "found", "steps", "steps told", "ROC AUC"]
    said = "Each class against the regular steps; an anomaly is found where one of its steps is told"
    return Markup("<h3>Kinds of anomalies</h3>") + _table(said, titles, rows, 1)


def _table(caption: str, titles: Sequence[str], rows: Sequence[Sequence[str]], words: int) -> Markup:
    """words: how many columns from the left hold words; numbers stand to the right."""
    css = [
        Markup(' class="n"') if i >= words and all(row[i][:1].isdigit() for row in rows) else ""
        for i in range(len(titles))
    ]
    head = Markup("").join(Markup('<th scope="col"{}>{}</th>').format(*pair) for pair in zip(css, titles, strict=True))
    body = Markup()
    for row in rows:
        cells = zip(titles, css, row, strict=True)
        line = Markup("").join(Markup('<td data-label="{}"{}>{}</td>').format(*cell) for cell in cells)
        body += Markup("<tr>{}</tr>").format(line)
    table = Markup('<table class="stack"><caption>{}</caption><thead><tr>{}</tr></thead><tbody>{}</tbody></table>')
    return Markup('<div class="wide">{}</div>').format(table.format(caption, head, body))
