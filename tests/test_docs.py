"""Every example in the docs is run, and every output shown is compared with what really came.

A page's ``bash`` and ``python`` blocks run in their order, in one empty folder a page; the Python blocks of a page
share their names. A ``text`` block right after one of them is its output: each of its lines must occur in what was
printed, in that order, where ``…`` stands for anything. ``<!-- not-run: reason -->`` on the line before a block excepts
it.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from warm import warm_program

REPOSITORY = Path(__file__).parent.parent
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```[ \t]*$", re.M | re.S)
EXCEPTED = re.compile(r"<!-- not-run: .+ -->\s*$")


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, its text, its first line's number, and the output shown right after it."""

    language: str
    text: str
    line: int
    shown: str | None


def blocks(page: str) -> Iterator[Block]:
    """The blocks of a page that are to be run."""
    found = list(FENCE.finditer(page))
    for number, each in enumerate(found):
        if each[1] not in ("bash", "python") or EXCEPTED.search(page[: each.start()]):
            continue
        after = found[number + 1] if number + 1 < len(found) else None
        follows = after is not None and after[1] == "text" and not page[each.end() : after.start()].strip()
        yield Block(each[1], each[2], page.count("\n", 0, each.start()) + 2, after[2] if after and follows else None)


def assert_shown(shown: str, printed: str) -> None:
    """Every line of ``shown`` occurs in ``printed``, in order; ``…`` stands for anything within a line."""
    lines = iter(printed.splitlines())
    for wanted in (line.strip() for line in shown.splitlines() if line.strip() and line.strip() != "…"):
        pattern = ".*".join(re.escape(" ".join(part.split())) for part in wanted.split("…"))
        assert any(re.search(pattern, " ".join(line.split())) for line in lines), (
            f"the page shows this line, which was not printed (or not in this order):\n  {wanted}\nprinted:\n{printed}"
        )


@pytest.fixture(scope="session")
def programs() -> Iterator[Path]:
    """The folder of a ``workings`` that starts at once."""
    with warm_program() as folder:
        yield folder


def run_bash(text: str, folder: Path, programs: Path) -> str:
    """Standard output and error of a block of commands; the first that fails fails the test."""
    path = os.pathsep.join(map(str, (programs, Path(sys.executable).parent, os.environ["PATH"])))
    # Wide, so that no line that a page shows is broken; without colour; as dumb as a log file.
    environment = os.environ | {"PATH": path, "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"exit code {done.returncode} of\n{text}\nwhich printed\n{done.stdout}"
    return done.stdout


def run_python(text: str, where: str, names: dict[str, object]) -> str:
    """What a block of Python prints, run in ``names``."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        exec(compile(text, where, "exec"), names)
    return printed.getvalue()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_the_examples_of_a_page_run(
    page: Path, tmp_path: Path, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every example does what the page says it does, output and all."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    for block in blocks(page.read_text(encoding="utf-8")):
        where = f"{page.name}:{block.line}"
        if block.language == "bash":
            printed = run_bash(block.text, tmp_path, programs)
        else:
            printed = run_python("\n" * (block.line - 1) + block.text, where, names)
        if block.shown is not None:
            assert_shown(block.shown, printed)


def test_pages_made_from_the_code_are_current(tmp_path: Path) -> None:
    """The pages on nets and on the command line are what the script makes from the code now."""
    script = REPOSITORY / "scripts" / "generate_pages.py"
    done = subprocess.run([sys.executable, script, "--into", tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    made = sorted(tmp_path.iterdir())
    assert made
    for page in made:
        current = (REPOSITORY / "docs" / page.name).read_text(encoding="utf-8")
        assert current == page.read_text(encoding="utf-8"), f"docs/{page.name} is out of date: run `make generate`"


def test_figures_come_from_results(tmp_path: Path) -> None:
    """No benchmark figure is typed: the page and the README's table are what the script makes from the results."""
    script = REPOSITORY / "scripts" / "benchmarks_page.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_links_between_pages_lead_somewhere() -> None:
    """Every relative link of a page names a file that exists."""
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.relative_to(REPOSITORY)} links to {target}"


def test_the_codes_of_problems_exist() -> None:
    """Every code that the page on checks names is raised somewhere in the source."""
    page = (REPOSITORY / "docs" / "checks.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ") and "`" in line]
    named = {code for line in rows for code in re.findall(r"`([a-z]+(?:-[a-z]+)*)`", line.split("|")[2])}
    assert len(named) > 30
    source = "\n".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "src").rglob("*.py"))
    made = {f"unknown-{each}" for each in ("net", "loss", "optimiser", "metric")}  # by unknown_name(kind, …)
    # By checks that several kinds of data share, f"bad-{noun}s"; each such stem is in the source too.
    shared = ("bad-{}", "class-with-few-{}", "duplicate-{}", "not-{}", "{}-beside-classes")
    stems = [stem for stem in shared if re.search(re.escape(stem).replace(r"\{\}", r"\{[^}]*noun\}s"), source)]
    made |= {stem.format(noun) for stem in stems for noun in ("images", "recordings", "texts")}
    assert not {code for code in named - made if f'"{code}"' not in source}


def test_the_page_on_recipes_names_every_setting() -> None:
    """No setting of a recipe is left without a word on what it does."""
    from workings.runs.recipe import Recipe

    page = (REPOSITORY / "docs" / "recipe.md").read_text(encoding="utf-8")
    assert not [name for name in Recipe.model_fields if f"`{name}`" not in page]
