"""Workings: deep learning that shows its workings.

    import workings as w

    run = w.train("adult.csv", target="income")
    run.metrics["accuracy"]
    run.predict("new.csv")

Nothing is loaded until it is used: ``import workings`` does not import torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

# Name to the module that has it. The lazy twin of the imports below, which type checkers and editors read.
_HOME = {
    "Run": "workings.api",
    "check": "workings.api",
    "examine": "workings.api",
    "exercise": "workings.solutions.exercises",
    "open_run": "workings.api",
    "show": "workings.solutions.show",
    "train": "workings.api",
    "open_dataset": "workings.data",
    "NetClassifier": "workings.estimators",
    "NetRegressor": "workings.estimators",
    "watch": "workings.watching.watch",
    "Recipe": "workings.runs.recipe",
    "Problem": "workings.base.problems",
    "UserError": "workings.base.errors",
    "WorkingsError": "workings.base.errors",
}

if TYPE_CHECKING:
    from workings.api import Run, check, examine, open_run, train
    from workings.base.errors import UserError, WorkingsError
    from workings.base.problems import Problem
    from workings.data import open_dataset
    from workings.estimators import NetClassifier, NetRegressor
    from workings.runs.recipe import Recipe
    from workings.solutions.exercises import exercise
    from workings.solutions.show import show
    from workings.watching.watch import watch

__all__ = [
    "NetClassifier",
    "NetRegressor",
    "Problem",
    "Recipe",
    "Run",
    "UserError",
    "WorkingsError",
    "__version__",
    "check",
    "examine",
    "exercise",
    "open_dataset",
    "open_run",
    "show",
    "train",
    "watch",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'workings' has no attribute '{name}'")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
