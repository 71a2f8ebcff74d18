"""The files of a run folder: what each holds and how it is written and read.

Every file is open (safetensors, JSON, YAML, Parquet, HTML, PNG), written whole, and carries ``schema_version``.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import secrets
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import polars
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from workings.base.errors import refuse
from workings.base.files import read_json, write_atomically, write_json

SCHEMA_VERSION = 1
PACKAGES = ("workings", "torch", "numpy", "polars", "pyarrow", "scikit-learn", "pydantic", "safetensors", "kornia")


def new_folder(out: str | os.PathLike[str] | None, name: str) -> Path:
    """A folder for a new run: ``out``, which must be absent or empty, or ``runs/NAME-TIME`` here.

    Raises:
        UserError: ``out`` is a file, holds something, or cannot be written.
    """
    if out is None:
        stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
        path = Path("runs") / f"{name}-{stamp}"
        while path.exists():
            path = Path("runs") / f"{name}-{stamp}-{secrets.token_hex(2)}"
    else:
        path = Path(out)
        if path.is_file():
            raise refuse("out-is-a-file", f"'{path}' is a file.", do="Give a folder that does not exist yet.")
        if path.is_dir() and any(path.iterdir()):
            raise refuse(
                "out-not-empty",
                f"The folder '{path}' is not empty.",
                why="Nothing is ever written over an earlier run.",
                do="Give another folder, or go on with that run: --resume.",
            )
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise refuse("out-not-writable", f"The folder '{path}' cannot be made: {error.strerror}.") from error
    if not os.access(path, os.W_OK):
        raise refuse("out-not-writable", f"The folder '{path}' cannot be written.", do="Give another with --out.")
    return path


def write_versioned(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object with the schema version first."""
    write_json(path, {"schema_version": SCHEMA_VERSION, **content})


def read_versioned(path: Path) -> dict[str, Any]:
    """Read one of the run's JSON files.

    Raises:
        UserError: it is missing, is not JSON, or is of a newer schema.
    """
    if not path.is_file():
        raise refuse(
            "not-a-run",
            f"'{path.parent}' is not a finished run: '{path.name}' is missing.",
            do="Give the folder of a run, or finish it: workings train --resume RUN.",
        )
    try:
        content = read_json(path)
    except (ValueError, UnicodeDecodeError) as error:
        raise refuse(
            "damaged-file", f"'{path}' is damaged: {error}.", do="Train again; the file was changed."
        ) from error
    version = content.get("schema_version") if isinstance(content, dict) else None
    if not isinstance(version, int):
        raise refuse("damaged-file", f"'{path}' has no schema version.", do="Train again; the file was changed.")
    if version > SCHEMA_VERSION:
        raise refuse(
            "newer-run",
            f"'{path}' has schema version {version}; this Workings reads up to {SCHEMA_VERSION}.",
            do="Install a newer Workings.",
        )
    return content


def save_weights(path: Path, net: nn.Module) -> None:
    """The net's state under its own names, as safetensors."""
    save_tensors(path, net.state_dict())


def save_tensors(path: Path, named: Mapping[str, Tensor]) -> None:
    """Tensors by name, as safetensors."""
    tensors = {name: tensor.detach().clone().contiguous() for name, tensor in named.items()}
    write_atomically(path, lambda temporary: save_file(tensors, temporary))


def load_weights(path: Path, net: nn.Module) -> None:
    """Put saved weights into ``net``.

    Raises:
        UserError: the file is missing or damaged, or belongs to another net.
    """
    if not path.is_file():
        raise refuse("no-weights", f"The run has no weights: '{path}' is missing.", do="Finish it: --resume.")
    try:
        tensors: dict[str, Tensor] = load_file(path)
    except SafetensorError as error:
        raise refuse("damaged-file", f"The weights '{path}' are damaged: {error}.", do="Train again.") from error
    own = net.state_dict()
    wrong = sorted(
        set(own.keys() ^ tensors.keys())
        | {name for name in own.keys() & tensors.keys() if own[name].shape != tensors[name].shape}
    )
    if wrong:
        raise refuse(
            "weights-do-not-fit",
            f"The weights '{path}' belong to another net.",
            where=", ".join(wrong[:5]),
            count=len(wrong),
            do="Open the run with the net that was trained.",
        )
    net.load_state_dict(tensors)


def save_record(path: Path, points: list[tuple[int, float, str, str, float, float]]) -> None:
    """The record: one row a point."""
    schema = {
        "step": polars.Int64,
        "epoch": polars.Float64,
        "split": polars.String,
        "name": polars.String,
        "value": polars.Float64,
        "seconds": polars.Float64,
    }
    frame = polars.DataFrame(points, schema=schema, orient="row")
    write_atomically(path, lambda temporary: frame.write_parquet(temporary))


def environment(phases: Mapping[str, float]) -> dict[str, Any]:
    """Versions, machine, threads, command and the seconds of each phase."""
    return {
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "machine": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]) if sys.argv else "",
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        "seconds": {name: round(seconds, 3) for name, seconds in phases.items()},
    }


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()
