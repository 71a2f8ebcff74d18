"""Render docs/benchmarks.md, and the table in README.md, from benchmarks/results/*.json: no figure is typed by hand.

A result file holds ``{name, command, machine, versions, date, rows}`` and, where useful, ``notes``. A row holds
``what``, ``value``, ``bar`` (what was promised), ``n``, ``spread`` and ``met``; ``headline: true`` puts it into the
README's table, which holds every row that has a bar where no row says so.
``--check`` changes nothing and exits with 1 where a page is not what the results say.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parent.parent
RESULTS = REPOSITORY / "benchmarks" / "results"
BEGIN, END = "<!-- figures: made by `make benchmarks-page` -->", "<!-- figures end -->"

HEAD = """\
# Benchmarks

Every figure on this page was measured by a script in `benchmarks/`, which wrote it to `benchmarks/results/`; this page
is made from those files by `make benchmarks-page`. A row names its bar, whether it was met, how many times it was
measured and the spread. Timings are ratios within one run on one machine; they are never asserted in a test. Repeat a
figure with the command above its table, or all of them with `make bench`.
"""


def shown(value: Any) -> str:
    """A cell: numbers to four significant digits, nothing as a dash, and no bar that would end the cell."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    if isinstance(value, dict):
        return ", ".join(f"{name} {each}" for name, each in value.items())
    if isinstance(value, list):
        return ", ".join(shown(each) for each in value)
    return str(value).replace("|", "\\|").replace("\n", " ")


def table(columns: list[str], rows: list[list[Any]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *([shown(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def met(row: dict[str, Any]) -> str:
    """Whether a row met its bar; a row without one is a plain measurement."""
    return {True: "met", False: "**not met**", None: "–"}[row.get("met")]


def read() -> list[dict[str, Any]]:
    """All result files, by name; a file that lacks a key is refused by name."""
    found = []
    for path in sorted(RESULTS.glob("*.json")):
        result = json.loads(path.read_text(encoding="utf-8"))
        absent = {"name", "command", "machine", "versions", "date", "rows"} - result.keys()
        absent |= {f"rows: {key}" for key in ("what", "value") for row in result["rows"] if key not in row}
        if absent:
            sys.exit(f"{path}: lacks {', '.join(sorted(absent))}")
        found.append(result)
    return found


def page(results: list[dict[str, Any]]) -> str:
    """The page, one section a result file."""
    parts = [HEAD]
    for result in results:
        rows = [[r["what"], r["value"], r.get("bar"), met(r), r.get("n"), r.get("spread")] for r in result["rows"]]
        parts.append(
            f"\n## {result['name']}\n\n`{result['command']}`\n\n"
            + table(["what", "value", "bar", "", "n", "spread"], rows)
            + (f"\n{result['notes'].strip()}\n" if result.get("notes") else "")
            + f"\nMeasured {result['date']} on {shown(result['machine'])}; {shown(result['versions'])}.\n"
        )
    if not results:
        parts.append("\nNo result has been recorded yet.\n")
    return "".join(parts)


def headlines(results: list[dict[str, Any]]) -> str:
    """The README's table, with machine and versions under it."""
    rows = [row for result in results for row in result["rows"]]
    chosen = [row for row in rows if row.get("headline")] or [row for row in rows if row.get("bar")]
    if not chosen:
        return "No result has been recorded yet; see [benchmarks](docs/benchmarks.md).\n"
    machines = sorted({shown(each["machine"]) for each in results})
    versions: dict[str, set[str]] = {}
    for result in results:
        for package, version in result["versions"].items():
            versions.setdefault(package, set()).add(version)
    used = {package: " and ".join(sorted(found)) for package, found in versions.items()}
    cells = [[row["what"], row["value"], row.get("bar"), met(row), row.get("n")] for row in chosen]
    where = f"On {' / '.join(machines)}; {shown(used)}."
    pages = "All figures, spreads and commands: [benchmarks](docs/benchmarks.md)."
    return table(["measured", "value", "bar", "", "n"], cells) + f"\n{where} {pages}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where a page is not current")
    check = parser.parse_args().check
    results = read()
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    wanted = {
        REPOSITORY / "docs" / "benchmarks.md": page(results),
        REPOSITORY / "README.md": f"{before}{BEGIN}\n\n{headlines(results)}\n{END}{after}",
    }
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        print(f"{path.relative_to(REPOSITORY)} {'is out of date: run `make benchmarks-page`' if check else 'written'}")
        if not check:
            path.write_text(wanted[path], encoding="utf-8")
    sys.exit(1 if check and stale else 0)


if __name__ == "__main__":
    main()
