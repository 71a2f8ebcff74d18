"""Which entries are worked out, so that a reader can follow one path: those of a layer that the next one's lines use.

From the loss down: of the entries that the lines of the chosen ones above are made of, those that the loss feels most.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from workings.solutions.expressions import entries
from workings.solutions.record import Call, Value
from workings.solutions.rules.base import Index
from workings.solutions.rules.dense import Dense
from workings.solutions.solving import Detail, choose

if TYPE_CHECKING:
    from workings.solutions.solving import Solver
    from workings.solutions.symbols import Page


def paths(solver: Solver) -> dict[int, list[Index]]:
    """By the id of a value, the entries that are worked out where it is made and where its gradient arrives."""
    chosen: dict[int, list[Index]] = {}
    with _unnamed(solver.page):
        for call in reversed(solver.record.calls):
            out, rule = call.out, solver.rules[id(call)]
            if rule.moves or not rule.complete or out.grad is None or not solver.wanted(call):
                continue
            above = chosen.get(id(out)) or choose(out.data, out.grad, solver.detail)[0]
            made_of = {id(solver.page.quantity(v)): v for v in call.inputs if _followed(v)}
            used: dict[int, set[Index]] = {}
            for index in above:
                said = rule.element(call, solver.page, index)
                for entry in [] if said is None else entries(said):
                    if id(entry.of) in made_of:
                        used.setdefault(id(entry.of), set()).add(entry.index)
            for key, indices in used.items():
                value = made_of[key]
                if id(value) not in chosen and value.data.numel() > solver.detail.few:
                    chosen[id(value)] = _felt_most(value, indices, solver.detail.units)
            if isinstance(rule, Dense):
                _between(call, above, chosen, solver.detail)
    return chosen


def _between(call: Call, above: list[Index], chosen: dict[int, list[Index]], detail: Detail) -> None:
    """The weights between the chosen units of a dense layer and those below it, and the biases of the former."""
    x, W, b = call.bound("input", "weight", "bias")
    below = chosen.get(id(x)) or choose(x.data, x.grad, detail)[0]
    rows, columns = {i[-1] for i in above}, {i[-1] for i in below}
    for value, indices in ((W, {(j, i) for j in rows for i in columns}), (b, {(j,) for j in rows})):
        if isinstance(value, Value) and value.grad is not None and value.data.numel() > detail.few:
            chosen.setdefault(id(value), _felt_most(value, indices, detail.units))


@contextmanager
def _unnamed(page: Page) -> Iterator[None]:
    """Symbols given inside are forgotten: what has none yet is numbered where the page comes to it."""
    kept = dict(page.known), dict(page.deltas), dict(page.inners), dict(page.used), page.others
    try:
        yield
    finally:
        page.known, page.deltas, page.inners, page.used, page.others = kept


def _followed(value: Value) -> bool:
    """Whether a value is a stop on the way: made by the net and felt by the loss."""
    return value.made_by is not None and value.grad is not None and value.data.is_floating_point()


def _felt_most(value: Value, indices: set[Index], units: int) -> list[Index]:
    assert value.grad is not None
    grad = value.grad
    return sorted(sorted(indices, key=lambda i: (-abs(float(grad[i])), i))[:units])
