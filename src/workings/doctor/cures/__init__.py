"""Cures: one small file each, a change to the recipe with the reason.

A module has ``CAUSES``, the codes that it may help against, and ``cures(case) -> list[Cure]``, the likeliest first.
"""

from __future__ import annotations

from importlib import import_module

from workings.doctor.cures.cure import Case, Cure

MODULES = (
    "settled",
    "learning_rate",
    "initialisation",
    "activation",
    "clipping",
    "normalisation",
    "residual",
    "gates",
    "less_regularisation",
    "early_stopping",
    "dropout",
    "decay",
    "more_data",
    "capacity",
    "longer",
    "rare_classes",
    "scaling",
    "batches",
    "schedule",
    "optimiser",
    "loss",
    "codes",
    "players",
)


def every(case: Case) -> list[Cure]:
    """Every cure that can be tried on a case, the same change once."""
    found: dict[str, Cure] = {}
    for name in MODULES:
        for cure in import_module(f"workings.doctor.cures.{name}").cures(case):
            found.setdefault(repr((sorted(cure.values.items(), key=str), sorted(cure.net.items()), cure.unset)), cure)
    return list(found.values())
