"""Findings: one small file a symptom, each a function of the history alone.

A module has ``CODES``, the codes that it may tell, and ``look(history) -> list[Finding]``. It names the statistic, the
source of its threshold, and what healthy runs have (benchmarks/faults). A single crossing is no finding: the evidence
lasts over several looks, or has an interval.
"""

from __future__ import annotations

from importlib import import_module

from workings.base.finding import Finding
from workings.watching.history import History

MODULES = ("dead_relu",)


def look(history: History) -> list[Finding]:
    """Everything that is found in a history, in the order of ``MODULES``."""
    return [
        finding for name in MODULES for finding in import_module(f"workings.watching.findings.{name}").look(history)
    ]


def codes() -> list[str]:
    """Every code that may be told: what a healthy run was checked for."""
    return [code for name in MODULES for code in import_module(f"workings.watching.findings.{name}").CODES]
