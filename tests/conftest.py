"""What every test may rely on: one thread, seeded generators, no leaks, and where the real data is."""

from __future__ import annotations

import os

# Before torch is imported anywhere: its thread pools take their size from these.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "agg")

import random
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, settings
from jaxtyping import install_import_hook

REPOSITORY = Path(__file__).parent.parent

torch.set_num_threads(1)

# Annotated types and shapes of the nets are checked at every call for as long as the tests run.
install_import_hook("workings.nets", "typechecking.checked")

# `dev` explores; `ci` gives the same verdict on the same commit. Timings are never a verdict: no deadline.
settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(
    "ci", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))


# ----------------------------------------------------------------------------------------- real data


def find_data() -> Path | None:
    """The folder of real data: ``$WORKINGS_DATA``, or ``shared/data`` beside the repository; None where absent."""
    given = os.environ.get("WORKINGS_DATA")
    folder = Path(given) if given else REPOSITORY.parent / "shared" / "data"
    return folder if (folder / "tables").is_dir() else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Hold the markers to their meaning: real data means ``data``, and ``data`` is skipped where there is none."""
    absent = pytest.mark.skip(reason="no real data: neither $WORKINGS_DATA nor ../shared/data has tables/")
    for item in items:
        marked = item.get_closest_marker("data") is not None
        if "data_dir" in getattr(item, "fixturenames", ()) and not marked:
            raise pytest.UsageError(f"{item.nodeid} uses data_dir: mark it with @pytest.mark.data")
        if marked and find_data() is None:
            item.add_marker(absent)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data, with ``tables/`` in it."""
    found = find_data()
    if found is None:
        pytest.skip("no real data: neither $WORKINGS_DATA nor ../shared/data has tables/")
    return found


@pytest.fixture(scope="session")
def unpacked(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """``unpacked("mnist10k")``: the folder of an archive of the real data, unpacked once a session."""
    done: dict[str, Path] = {}

    def unpack(name: str) -> Path:
        if name not in done:
            folder = tmp_path_factory.mktemp(name)
            with tarfile.open(data_dir / f"{name}.tar.xz") as archive:
                archive.extractall(folder, filter="data")
            inner = [each for each in folder.iterdir() if each.is_dir()]
            done[name] = inner[0] if len(inner) == 1 else folder
        return done[name]

    return unpack


# -------------------------------------------------------------------------------- each test by itself


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Every test starts from the same random numbers, whichever tests ran before it."""
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


@dataclass
class Surroundings:
    """What a test must leave as it found it."""

    directory: str
    environment: dict[str, str]
    threads: set[threading.Thread]
    entries: set[str]
    dtype: torch.dtype
    torch_threads: int
    deterministic: bool
    gradients: bool

    # Set by pytest itself, by polars and torch's compiler when they are first used, by scikit-learn's process pools.
    OTHERS = ("PYTEST_", "TORCH_", "TORCHINDUCTOR_", "_TORCHINDUCTOR_", "TRITON_", "_RJEM_", "KMP_", "JOBLIB_", "LOKY_")
    # Python and the tools write these while tests run.
    CACHES = frozenset({".pytest_cache", ".ruff_cache", ".hypothesis", "__pycache__", ".import_linter_cache", "site"})

    @classmethod
    def now(cls) -> Surroundings:
        """The surroundings at this moment."""
        runs = REPOSITORY / "runs"
        entries = {each.name for each in os.scandir(REPOSITORY)} - cls.CACHES
        entries |= {f"runs/{each.name}" for each in os.scandir(runs)} if runs.is_dir() else set()
        return cls(
            directory=os.getcwd(),
            environment={name: value for name, value in os.environ.items() if not name.startswith(cls.OTHERS)},
            threads={each for each in threading.enumerate() if not is_of_a_pool(each)},
            entries=entries,
            dtype=torch.get_default_dtype(),
            torch_threads=torch.get_num_threads(),
            deterministic=torch.are_deterministic_algorithms_enabled(),
            gradients=torch.is_grad_enabled(),
        )

    def leaks(self, after: Surroundings) -> list[str]:
        """What changed, one sentence a change."""
        found: list[str] = []
        if after.directory != self.directory:
            found.append(f"the current directory is {after.directory}")
        names = self.environment.keys() | after.environment.keys()
        changed = sorted(name for name in names if self.environment.get(name) != after.environment.get(name))
        if changed:
            found.append(f"environment variables changed: {', '.join(changed)}")
        if late := after.threads - self.threads:
            found.append(f"threads still run: {', '.join(sorted(each.name for each in late))}")
        if new := after.entries - self.entries:
            found.append(f"files were written into the repository: {', '.join(sorted(new))}")
        for name in ("dtype", "torch_threads", "deterministic", "gradients"):
            if getattr(self, name) != getattr(after, name):
                found.append(f"torch's {name} is {getattr(after, name)}, was {getattr(self, name)}")
        return found

    def restore(self) -> None:
        """Put back what can be, so that one leak fails one test."""
        os.chdir(self.directory)
        for name in set(os.environ) - set(self.environment):
            if not name.startswith(self.OTHERS):
                del os.environ[name]
        os.environ.update(self.environment)
        torch.set_default_dtype(self.dtype)
        torch.set_num_threads(self.torch_threads)
        torch.use_deterministic_algorithms(self.deterministic)
        torch.set_grad_enabled(self.gradients)


def is_of_a_pool(thread: threading.Thread) -> bool:
    """Whether a library keeps this thread for the process's whole life."""
    return thread.name.startswith(
        ("Dummy-", "ExecutorManagerThread", "QueueFeederThread", "execnet", "SubprocPool", "tqdm_")
    )


@pytest.fixture(autouse=True)
def leaves_no_trace() -> Iterator[None]:
    """Fail a test that leaks threads, environment, directory, torch's settings, or files in the repository."""
    before = Surroundings.now()
    yield
    for _ in range(20):  # a thread that was told to end may need a moment
        found = before.leaks(Surroundings.now())
        if not any(each.startswith("threads") for each in found):
            break
        time.sleep(0.05)
    before.restore()
    if found:
        pytest.fail(f"this test leaks: {'; '.join(found)}", pytrace=False)
