"""New exercises of the kinds of the worked examples: the same seed, the same exercise, and a checked answer."""

from __future__ import annotations

from workings.solutions.exercises.families import FAMILIES
from workings.solutions.exercises.making import exercise
from workings.solutions.exercises.sheet import Exercise

__all__ = ["FAMILIES", "Exercise", "exercise"]
