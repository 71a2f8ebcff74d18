"""Runs that the tests of the doctor look at; none of them changes these."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.doctor.make import train, write_table

from workings.base.errors import NonFiniteError


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table."""
    return write_table(tmp_path_factory.mktemp("table") / "t.csv")


@pytest.fixture(scope="session")
def sound(table: Path) -> Path:
    """A run with nothing wrong."""
    return train(table, table.parent / "sound", learning_rate=0.01)


@pytest.fixture(scope="session")
def fast(table: Path) -> Path:
    """The same run with a rate 300 times as high."""
    return train(table, table.parent / "fast", learning_rate=3.0)


@pytest.fixture(scope="session")
def stopped(table: Path) -> Path:
    """A run whose loss overflowed, so that it has no metrics."""
    with pytest.raises(NonFiniteError):
        train(table, table.parent / "stopped", learning_rate=6.0, weight_decay=3.0)
    return table.parent / "stopped"
