"""What every benchmark shares: where data is, and how a result is written."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tarfile
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RESULTS = HERE / "results"
PACKAGES = ("workings", "torch", "scikit-learn", "numpy", "polars")


def data_folder() -> Path:
    """The real data: $WORKINGS_DATA, or ../shared/data beside the checkout."""
    folder = Path(os.environ.get("WORKINGS_DATA", HERE.parent.parent / "shared" / "data"))
    if not folder.is_dir():
        sys.exit(f"The real data is not at '{folder}'. Name its folder: WORKINGS_DATA=FOLDER")
    return folder


def unpacked(name: str) -> Path:
    """An archive of the real data, unpacked once into the cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "workings-benchmarks"
    folder = cache / name
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tarfile.open(data_folder() / f"{name}.tar.xz") as archive:
            archive.extractall(cache, filter="data")
    return folder


def machine() -> str:
    """Processor, cores and system in words."""
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text(encoding="utf-8") if cpuinfo.is_file() else ""
    models = [line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith("model name")]
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "")
    vector = "AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else "no AVX2"
    bf16 = "bf16" if "avx512_bf16" in flags or "amx_bf16" in flags else "no bf16"
    return f"{models[0] if models else platform.processor()}, {os.cpu_count()} cores, {vector}, {bf16}"


def write(
    name: str, command: str, rows: list[dict[str, Any]], versions: dict[str, str] | None = None, **more: Any
) -> None:
    """Write ``results/NAME.json``; rows of an earlier result that were not measured again are kept."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    if path.is_file():
        measured = {row["what"] for row in rows}
        old = json.loads(path.read_text(encoding="utf-8"))["rows"]
        rows = sorted([*rows, *(row for row in old if row["what"] not in measured)], key=lambda row: row["what"])
    content = {
        "name": name,
        "command": command,
        "machine": machine(),
        "versions": versions or {package: version(package) for package in PACKAGES},
        "date": date.today().isoformat(),
        "rows": rows,
        **more,
    }
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    for row in rows:
        told = f"bar {row.get('bar', '–')}, n {row.get('n', 1)}, spread {row.get('spread', '–')}"
        print(f"{row['what']}: {row['value']} ({told})")


def workings(*arguments: object) -> dict[str, Any]:
    """What ``workings ARGUMENTS --json`` prints, run as a person would."""
    program = Path(sys.executable).parent / "workings"
    done = subprocess.run([program, *map(str, arguments), "--json"], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)
