"""One learning step of every net of Workings, worked through and checked.

python benchmarks/bench_solutions.py [nets]

The nets, their settings and their data are those of the tests, ``tests/solutions/every_net.py``.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from measured import HERE, write

sys.path.insert(0, str(HERE.parent))  # the cases are the tests' own

Row = dict[str, Any]


def row(what: str, value: float, bar: str, met: bool | None, **more: Any) -> Row:
    """One measured figure."""
    return {"what": what, "value": value, "bar": bar, "met": met, **more}


def nets(folder: Path) -> list[Row]:
    """Each net of the registry with several settings: whether all is explained, and how far the figures are off."""
    from tests.solutions.every_net import ALL as CASES
    from tests.solutions.every_net import solved

    from workings.nets import registry

    began, known = time.perf_counter(), registry.names()
    solved_all = [(case, solved(case)) for case in CASES]
    solutions = [solution for _, solution in solved_all]
    complete = sum(solution.complete for solution in solutions)
    for case, solution in solved_all:
        if not solution.complete:
            print(f"not complete: {case.id}: {solution.verdict()} Without equation: {solution.lacking}", flush=True)
    checks = [check for solution in solutions for check in solution.checks]
    lines = [line for solution in solutions for line in solution.lines]
    worst, n = max(check.error for check in checks), len(solutions)
    whole = {case.net for case, _ in solved_all} - {case.net for case, s in solved_all if not s.complete}
    return [
        row("nets whose steps are worked whole", len(whole), f"{len(known)}, all", whole == set(known), headline=True),
        row("nets with settings, worked whole", complete, f"{n}, all", complete == n, n=n),
        row("steps checked against autograd and the net itself", len(checks), "reported", None, n=n),
        row("greatest relative error of a step", float(f"{worst:.1e}"), "≤ 1e-9", worst <= 1e-9, n=len(checks)),
        row("printed lines worked out from their own digits", len(lines), "reported", None, n=n),
        row("of these, lines that fail", sum(not line.holds for line in lines), "0", all(x.holds for x in lines)),
        row("seconds for all of them", round(time.perf_counter() - began, 1), "reported", None, n=n),
    ]


ALL: dict[str, Callable[[Path], list[Row]]] = {each.__name__: each for each in (nets,)}


def main() -> None:
    for name in sys.argv[1:] or list(ALL):
        with tempfile.TemporaryDirectory() as folder:
            write("solutions", "python benchmarks/bench_solutions.py", ALL[name](Path(folder)))


if __name__ == "__main__":
    main()
