"""One learning step of every net of Workings, worked through and checked.

python benchmarks/bench_solutions.py [nets] [pages] [size]

The nets, their settings and their data are those of the tests, ``tests/solutions/every_net.py``. ``pages`` needs
Chromium (CHROMIUM names the program), axe-core (``npm install axe-core``; AXE names its ``axe.min.js``) and pdflatex.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
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

    known = registry.names()
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
        row("printed lines that fail", sum(not line.holds for line in lines), "0", all(x.holds for x in lines)),
    ]


def pages(folder: Path) -> list[Row]:
    """Every example, an exercise of every family, four nets: in a browser, and as LaTeX. Needs CHROMIUM and AXE."""
    from solution_pages import compiled, looked_at
    from tests.solutions.pages_made import NAMES, made

    files = {}
    for name in NAMES:
        files[name] = folder / f"{name}.html"
        files[name].write_text(made(name).to_html(), encoding="utf-8")
    told = looked_at(files)
    for what in (*told["violations"], *(f"wider than the screen: {each}" for each in told["wide"])):
        print(what, flush=True)
    wrong = compiled({name: made(name).to_latex() for name in NAMES}, folder)
    for name, why in wrong.items():
        print(f"LaTeX of {name}: {why}", flush=True)
    n, views, fine = len(NAMES), told["views"], len(NAMES) - len(wrong)
    count, lit, pointed = len(told["violations"]), told["lit"], told["pointed"]
    return [
        row("pages: violations found by axe-core, light, dark and narrow", count, "0", not count, n=views),
        row("pages wider than a screen of 390 px", len(told["wide"]), "0", not told["wide"], n=views),
        row("numbers pointed at, lit with their like and nothing else", lit, f"{pointed}, all", lit == pointed),
        row("seconds until the slowest page is shown", round(told["seconds"], 1), "reported", None, n=n),
        row("LaTeX documents that compile within their margins", fine, f"{n}, all", not wrong, n=n),
    ]


def size(folder: Path) -> list[Row]:
    """A CNN of 1.2 million parameters, one sample, two threads, in a process of its own."""
    command = [sys.executable, str(HERE / "solution_size.py"), str(folder / "page.html")]
    told = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
    what = f"CNN of {told['parameters']:,} parameters, one sample"
    seconds, peak, megabytes = told["seconds"], told["peak_gb"], told["html_mb"]
    processor = told["processor_seconds"]  # of all threads: what others take from the machine does not count
    return [
        row(f"{what}: seconds for the whole solution and its page", seconds, "≤ 10", seconds <= 10, headline=True),
        row(f"{what}: processor seconds of all threads together", processor, "≤ 10", processor <= 10),
        row(f"{what}: peak memory, GB", peak, "≤ 2", peak <= 2),
        row(f"{what}: HTML, MB", megabytes, "≤ 3", megabytes <= 3),
        row(f"{what}: printed lines", told["lines"], "all hold", told["complete"]),
    ]


ALL: dict[str, Callable[[Path], list[Row]]] = {each.__name__: each for each in (nets, pages, size)}


def main() -> None:
    for name in sys.argv[1:] or list(ALL):
        with tempfile.TemporaryDirectory() as folder:
            write("solutions", "python benchmarks/bench_solutions.py", ALL[name](Path(folder)))


if __name__ == "__main__":
    main()
