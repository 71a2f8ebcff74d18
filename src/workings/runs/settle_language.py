"""Settling the recipe for texts to go on with: what this kind does otherwise than other sequences."""

from __future__ import annotations

from workings.runs.settle import Facts, Settling


def settle(s: Settling, facts: Facts) -> None:
    """Fill this kind's own values."""
    s.fill("net", "lstm", "the samples are texts to go on with", ("auto",))
