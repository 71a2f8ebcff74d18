"""Laws of the repository itself: what a stranger who clones it relies on."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
SOURCES = sorted((REPOSITORY / "src").rglob("*.py"))
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
HEAVY = ("torch", "numpy", "polars", "pyarrow", "pandas", "sklearn", "matplotlib", "kornia", "scipy")


def names(requirements: list[str]) -> set[str]:
    """The package names of a list of requirements, as an index compares them."""
    return {re.split(r"[\s<>=!~;\[]", each)[0].lower().replace("_", "-") for each in requirements}


def constraints() -> dict[str, str]:
    """Package to version of constraints.txt."""
    lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def test_every_direct_dependency_is_pinned() -> None:
    """What pyproject.toml asks for in ranges, constraints.txt fixes to one version."""
    asked = names(PROJECT["dependencies"])
    for extra in PROJECT["optional-dependencies"].values():
        asked |= names(extra)
    assert asked <= constraints().keys(), asked - constraints().keys()


def test_torch_is_the_pinned_one() -> None:
    """No other package has replaced the torch of the constraints."""
    import torch

    assert torch.__version__.split("+")[0] == constraints()["torch"]


def test_the_version_is_said_once() -> None:
    """The package's version, the distribution's and the changelog's newest are one."""
    import workings

    newest = re.search(r"^## (\d+\.\d+\.\d+)", (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    assert newest is not None
    assert workings.__version__ == PROJECT["version"] == newest[1]


@pytest.mark.parametrize("code", ["import workings", "import workings.cli.main", "import workings.base.events"])
def test_nothing_heavy_is_imported_before_it_is_needed(code: str) -> None:
    """The package and its command line import no torch, NumPy, polars … until a verb needs them."""
    check = f"{code}; import sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("verb", [[], ["train"], ["check"], ["evaluate"], ["predict"], ["report"], ["net"], ["nets"]])
def test_help_needs_nothing_heavy(verb: list[str]) -> None:
    """``--help`` of every verb is answered without importing torch or anything else that is slow to import."""
    check = (
        "import sys; from workings.cli.main import main\n"
        f"sys.argv = ['workings', *{verb!r}, '--help']\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code, stop.code\n"
        f"loaded = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "assert not loaded, loaded\n"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(REPOSITORY / "src")))
def test_every_file_says_what_it_is(path: Path) -> None:
    """Every module opens with a sentence on its one idea and postpones the evaluation of annotations."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "no docstring"
    if any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in tree.body):
        assert "from __future__ import annotations" in text


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(REPOSITORY / "src")))
def test_no_work_is_left_as_a_note(path: Path) -> None:
    """No TODO, FIXME or XXX: what is missing is an issue, not a comment."""
    assert not re.findall(r"\b(?:TODO|FIXME|XXX)\b", path.read_text(encoding="utf-8"))


def test_the_commands_of_the_readme_exist() -> None:
    """Every ``make`` command that a page names is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.M))
    pages = [REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md")] + list((REPOSITORY / "docs").rglob("*.md"))
    for page in pages:
        named = set(re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.M))
        assert named <= targets, f"{page.name}: {named - targets}"


def test_ci_runs_what_a_person_runs() -> None:
    """CI has no steps of its own: it calls ``make test``."""
    script = REPOSITORY / ".ci" / "run"
    assert "make test" in script.read_text(encoding="utf-8").splitlines()
    assert os.access(script, os.X_OK)
