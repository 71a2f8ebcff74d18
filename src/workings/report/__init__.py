"""What is made from a run folder: one HTML file, baselines beside the net, the worst mistakes."""

from __future__ import annotations

from workings.report.baselines import BASELINES, run_baselines
from workings.report.html import write_report
from workings.report.mistakes import worst

__all__ = ["BASELINES", "run_baselines", "worst", "write_report"]
