"""All programs of the bench.

The part of each (calibration or test) was fixed before any threshold was looked at: findings may be calibrated on the
one part and are judged on the other.
"""

from __future__ import annotations

from faults import recipes, sequences, tables, unlabelled
from faults.program import Program

PROGRAMS: list[Program] = [
    *tables.programs(),
    *sequences.programs(),
    *unlabelled.programs(),
    *recipes.programs(),
]
