"""Run folders to write reports of, made once for all tests of the report."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


def _make_run() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_run", Path(__file__).parent / "make_run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def made_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three runs: binary, images, regression."""
    folder, make_run = tmp_path_factory.mktemp("runs"), _make_run()
    make_run.make_binary(folder / "binary", epochs=15)
    make_run.make_images(folder / "images", epochs=8, rows=600)
    make_run.make_regression(folder / "regression", epochs=20)
    return folder


@pytest.fixture
def run_folder(made_runs: Path, tmp_path: Path) -> Callable[[str], Path]:
    """``run_folder("binary")``: a copy of a run, to be changed at will."""

    def copy(name: str) -> Path:
        return Path(shutil.copytree(made_runs / name, tmp_path / name))

    return copy
