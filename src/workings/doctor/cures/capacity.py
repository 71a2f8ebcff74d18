"""A wider, a deeper or a smaller net. Source: Bengio 2012; for smaller ones also MacKay 1992."""

from __future__ import annotations

from typing import Any

from workings.doctor.cures.cure import Case, Cure

CAUSES = ("underfitting", "overfitting")
WIDTHS = ("hidden", "channels", "dense", "widths", "width", "embedding", "units")
MOST = 1024  # units of a layer, so that a trial stays small in time and memory


def cures(case: Case) -> list[Cure]:
    """Four times as wide, one layer deeper; a quarter as wide."""
    wider = _scaled(case, 4.0)
    found = []
    if wider:
        found.append(Cure("four times as wide", "underfitting", "more units can take more shapes", net=wider))
    hidden = case.net_settings.get("hidden")
    if case.net == "mlp" and hidden is not None:
        width = max([*hidden, 64])
        deeper = {"hidden": [max(h, 64) for h in hidden] + [min(width, MOST)]}
        found.append(Cure("one layer deeper", "underfitting", "what is made of what is found", net=deeper))
    smaller = _scaled(case, 0.25)
    if smaller:
        found.append(Cure("a quarter as wide", "overfitting", "fewer weights know fewer rows by heart", net=smaller))
    return found


def _scaled(case: Case, factor: float) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in WIDTHS:
        now = case.net_settings.get(name)
        if not now:
            continue
        heads = int(case.net_settings.get("heads") or 1)
        new = [_width(w, factor, heads) for w in now] if isinstance(now, list | tuple) else _width(now, factor, heads)
        if new != (list(now) if isinstance(now, tuple) else now):
            found[name] = new
    return found


def _width(width: int, factor: float, heads: int) -> int:
    """The new width, from 4 to ``MOST``, in whole heads of two."""
    unit = 2 * heads if heads > 1 else 1
    bounded = min(max(round(width * factor), min(4, width)), max(MOST, width))
    return max(unit, bounded // unit * unit)
