"""Write constraints.txt: the exact version of everything this environment has, torch without its build tag.

Run it after a deliberate upgrade, in the environment whose tests passed:  .venv/bin/python scripts/freeze.py
"""

from __future__ import annotations

import re
from importlib.metadata import distributions
from pathlib import Path

HEAD = """\
# The versions that development and CI use; `make setup` installs with them. Written by scripts/freeze.py.
# The package itself asks only for the ranges in pyproject.toml.
"""
TOOLS = {"pip", "setuptools", "wheel", "workings"}


def normalised(name: str) -> str:
    """The name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins() -> dict[str, str]:
    """Name to version of every installed package; a build tag such as ``+cpu`` is left out."""
    found = {normalised(each.metadata["Name"]): each.version.split("+")[0] for each in distributions()}
    return {name: version for name, version in sorted(found.items()) if name not in TOOLS}


def main() -> None:
    target = Path(__file__).parent.parent / "constraints.txt"
    target.write_text(HEAD + "".join(f"{name}=={version}\n" for name, version in pins().items()), encoding="utf-8")
    print(f"{target.name}: {len(pins())} packages")


if __name__ == "__main__":
    main()
