"""One tool as a process of its own that trains when it is told to, and waits silently in between.

Orders come as JSON lines on standard input; answers go as JSON lines to standard output. Whatever the tool itself
prints goes to standard error, so that it cannot be taken for an answer.

    {"do": "prepare", "setting": "small", ...}                          → parameters, variants, told
    {"do": "train", "variant": "1 thread", "rows": 10000, "epochs": 3}  → seconds, steps
"""

from __future__ import annotations

import json
import os
import sys
from abc import ABC, abstractmethod
from typing import Any

from settings import ALL, AnySetting


class Worker(ABC):
    """What a tool must be able to do.

    Every training starts from the same first weights and a fresh optimiser, so that no tool is timed on weights
    that it has trained for longer than another.
    """

    setting: AnySetting

    @abstractmethod
    def prepare(self, setting: AnySetting, **order: Any) -> dict[str, Any]:
        """Build the net. Returns its number of ``parameters``, the ``variants`` worth trying, and anything else."""

    @abstractmethod
    def train(self, variant: str, rows: int, epochs: int) -> float:
        """Seconds of so many epochs over the first ``rows`` rows, from the first batch to the end of the last."""

    def serve(self) -> None:
        """Answer orders until there are no more."""
        answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        for line in sys.stdin:
            order = json.loads(line)
            if order.pop("do") == "prepare":
                self.setting = ALL[order.pop("setting")]
                answer = self.prepare(self.setting, **order)
            else:
                steps = self.setting.steps(order["rows"]) * order["epochs"]
                answer = {"seconds": self.train(**order), "steps": steps}
            print(json.dumps(answer), file=answers, flush=True)
