"""What was seen of a training run: named values over steps, and facts that hold throughout.

A value belongs to a place (``where``: a layer's path and operation such as ``layers.2·relu``, a parameter's name, or ""
for the run as a whole) and has a name (``NAMES``). Findings are functions of a history and of nothing else, so that a
run of Workings and anybody's loop are judged by the same code.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

NAMES: dict[str, str] = {
    # of the run as a whole
    "loss": "the training loss of the step",
    "val_loss": "the loss on validation samples",
    "learning_rate": "η of the step",
    "gradient_norm": "‖∂L/∂w‖ over all parameters, before clipping",
    # of what an operation gave: an activation
    "mean": "mean of all its numbers",
    "std": "their standard deviation",
    "largest": "the greatest |number|",
    "zero": "share of its numbers that are exactly 0",
    "saturated": "share within 1 % of a bound, of an activation that has bounds",
    "dead": "share of its units that gave 0 for every sample of the last looks",
    "nonfinite": "how many of its numbers are NaN or infinite",
    "delta": "root mean square of ∂L/∂output",
    "delta_first": "‖∂L/∂h_t‖ at the first step of a sequence, over the norm at the last",
    "entropy": "of attention: the mean entropy of its rows, over that of equal shares",
    # of a parameter
    "weight": "root mean square of its numbers",
    "gradient": "root mean square of ∂L/∂w",
    "update": "root mean square of the step's change, over that of the numbers before it",
}


@dataclass
class History:
    """Values over steps and facts.

    values: (where, name) → [(step, value)], steps rising. order: places as a forward pass meets them.
    facts: what does not change: the kind of task, classes and their shares, batch size, the loss, the optimiser …
    counts: how often something was seen, by name (such as ``backward-without-zero-grad``).
    """

    values: dict[tuple[str, str], list[tuple[int, float]]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def note(self, step: int, where: str, name: str, value: float) -> None:
        """Keep one value."""
        self.values.setdefault((where, name), []).append((step, value))
        if where and where not in self.order:
            self.order.append(where)

    def count(self, name: str, times: int = 1) -> None:
        """Something was seen ``times`` times more."""
        self.counts[name] = self.counts.get(name, 0) + times

    def of(self, name: str, where: str = "") -> list[tuple[int, float]]:
        """The values of that name at that place, by step; empty where there are none."""
        return self.values.get((where, name), [])

    def places(self, name: str) -> list[str]:
        """The places that have values of that name, in forward order."""
        return [where for where in self.order if (where, name) in self.values]

    def rows(self) -> Iterable[tuple[int, str, str, float]]:
        """Every value: (step, where, name, value)."""
        for (where, name), found in self.values.items():
            for step, value in found:
                yield step, where, name, value

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values: what ``from_dict`` reads."""
        return {
            "order": self.order,
            "facts": self.facts,
            "counts": self.counts,
            "values": [[where, name, found] for (where, name), found in self.values.items()],
        }

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> History:
        """What ``to_dict`` wrote."""
        values = {(where, name): [(int(s), float(v)) for s, v in found] for where, name, found in given["values"]}
        return cls(values, list(given["order"]), dict(given["facts"]), dict(given["counts"]))
