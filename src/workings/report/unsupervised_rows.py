"""Rows of a table for the report of a net without labels: the most unusual and new ones, in their own cells."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars
import torch
from markupsafe import Markup, escape

from workings.base.errors import UserError
from workings.base.events import Emit, Noticed
from workings.base.files import read_json, write_atomically
from workings.base.problems import Problem
from workings.nets.unsupervised import Draws, Reconstructs
from workings.report.reading import RunFiles
from workings.report.unsupervised_telling import told_apart
from workings.report.words import number
from workings.runs.drawing import rows_of
from workings.runs.folder import write_versioned
from workings.runs.outcome import Outcome
from workings.runs.run import Run

NEW_ROWS = 8
CELLS = 6  # of a row, those that differ most from what was rebuilt
MOST_COLUMNS = 12  # of new rows


@torch.no_grad()
def keep_rows(run: Run, outcome: Outcome, odd: np.ndarray, told: polars.DataFrame, emit: Emit) -> None:
    """Keep the cells of the rows that the report shows in ``values`` of the predictions, those rebuilt in ``rebuilt``,
    the farthest apart first; new rows in ``samples.json``.
    """
    if isinstance(run.net, Draws):
        made = rows_of(run, run.net.draw(NEW_ROWS, torch.Generator().manual_seed(run.recipe.seed)).float())
        rows = [{name: _plain(cell) for name, cell in row.items()} for row in made.to_dicts()]
        write_versioned(run.path / "samples.json", {"samples": rows})
    shown = [i for group in told_apart(told, odd) for i in group.rows]
    cells = getattr(outcome.test_dataset, "cells", None)
    if not shown or cells is None:
        return
    texts: dict[str, list[str | None]] = {name: [None] * len(told) for name in ("values", "rebuilt")}
    try:
        values = cells(outcome.test.rows[np.array(shown)])
    except UserError as error:
        what = "The cells of the most unusual rows are not kept."
        emit(Noticed(Problem("warning", "cells-not-kept", what, why=error.problems[0].what)))
        return
    for i, row in zip(shown, values, strict=True):
        texts["values"][i] = json.dumps(row, ensure_ascii=False, default=str)
        if isinstance(run.net, Reconstructs):
            texts["rebuilt"][i] = json.dumps(_rebuilt(run, outcome, i), ensure_ascii=False, default=str)
    frame = told.with_columns(polars.Series(name, each, dtype=polars.String) for name, each in texts.items())
    write_atomically(run.path / "predictions.parquet", lambda temporary: frame.write_parquet(temporary))


def _rebuilt(run: Run, outcome: Outcome, i: int) -> dict[str, Any]:
    """The cells of the i-th test row as rebuilt, those first whose features differ most from the row's."""
    net: Any = run.net
    x = outcome.test.x(torch.tensor([i]))
    made = net.reconstruct(x).float()
    apart: dict[str, float] = {}
    for field, square in zip(run.prep.fields, (x - made)[0].square().tolist(), strict=True):
        apart[field] = apart.get(field, 0.0) + square
    cells = rows_of(run, made).row(0, named=True)
    order = sorted(cells, key=lambda name: -apart.get(name.split(": ")[0], 0.0))
    return {name: _plain(cells[name]) for name in order}


def _plain(cell: Any) -> Any:
    return cell if cell is None or isinstance(cell, (int, float, str, bool)) else str(cell)


def drawn_rows(run: RunFiles) -> Markup:
    """New rows as a table; nothing where there are none."""
    path = run.path / "samples.json"
    if run.prepare.get("kind") != "table" or not path.is_file():
        return Markup()
    rows = read_json(path).get("samples") or []
    if not rows:
        return Markup()
    names = list(rows[0])[:MOST_COLUMNS]
    more = f"; {len(rows[0]) - len(names):,} more columns are not shown" if len(rows[0]) > len(names) else ""
    numbers = {name for name in names if any(isinstance(row[name], (int, float)) for row in rows)}
    align = {name: ' class="n"' if name in numbers else "" for name in names}
    head = "".join(f'<th scope="col"{align[name]}>{escape(name)}</th>' for name in names)
    body = "".join(
        "<tr>" + "".join(f"<td{align[name]}>{escape(_cell(row[name]))}</td>" for name in names) + "</tr>"
        for row in rows
    )
    caption = f"<caption>Drawn by the network, none of them chosen{more}</caption>"
    table = f'<div class="wide"><table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    return Markup("<h3>New rows</h3>") + Markup(table)


def lines(rows: Sequence[dict[str, Any]]) -> Markup:
    """Rows of the predictions as lines: where, the label, the score, the cells that were rebuilt worst."""
    labelled, told = "label" in rows[0], any(row.get("values") for row in rows)
    rebuilt = any(row.get("rebuilt") for row in rows)
    head = '<th scope="col">sample</th>' + ('<th scope="col">label</th>' if labelled else "")
    head += '<th scope="col" class="n">score</th>'
    if told:
        what = "its cells (and what was rebuilt of them), the farthest apart first" if rebuilt else "its cells"
        head += f'<th scope="col">{what}</th>'
    body = ""
    for row in rows:
        body += f'<tr><th scope="row" style="white-space: nowrap">{escape(row["where"])}</th>'
        body += f'<td data-label="label">{escape(row["label"])}</td>' if labelled else ""
        body += f'<td class="n" data-label="score">{number(row["score"], 3)}</td>'
        body += f'<td class="small full">{_cells(row)}</td>' if told else ""
        body += "</tr>"
    return Markup(
        f'<div class="wide"><table class="stack"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _cells(row: dict[str, Any]) -> Markup:
    values = json.loads(row.get("values") or "{}")
    rebuilt = json.loads(row.get("rebuilt") or "{}")
    names = list(rebuilt or values)[:CELLS]
    items = Markup()
    for name in names:
        made = Markup(" ({})").format(_cell(rebuilt[name])) if name in rebuilt else ""
        items += Markup("<div><dt>{}</dt> <dd>{}{}</dd></div> ").format(name, _cell(values.get(name)), made)
    return Markup('<dl class="pairs">{}</dl>').format(items)


def _cell(cell: Any) -> str:
    if cell is None:
        return "–"
    return number(cell, 4) if isinstance(cell, float) else str(cell)
