"""What a program of the bench is, and how it is run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from faults import loop, recipe
from faults.adversarial import Adversarial
from faults.loop import Loop
from faults.recipe import Recipe

Setup = Loop | Recipe | Adversarial
CALIBRATION: Literal["calibration"] = "calibration"
TEST: Literal["test"] = "test"


@dataclass(frozen=True)
class Program:
    """name: of the program. part: which of the findings' two sets. family: of the net. kind: of the data.

    has: what faults and variations need to know of it.
    """

    name: str
    part: Literal["calibration", "test", "published"]
    family: str
    kind: str
    setup: Setup
    has: frozenset[str]


class Programs(list[Program]):
    """Programs, written down one after another."""

    def add(
        self, name: str, part: Literal["calibration", "test"], family: str, kind: str, setup: Setup, has: str
    ) -> None:
        """``has``: words."""
        self.append(Program(name, part, family, kind, setup, frozenset(has.split())))


def run(setup: Setup, seed: int) -> loop.Result:
    """Train a program once."""
    if isinstance(setup, Loop):
        return loop.run(setup, seed)
    return setup.run(seed) if isinstance(setup, Adversarial) else recipe.run(setup, seed)
