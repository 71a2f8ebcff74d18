"""A table of five million rows: does it train, within how much memory, and how fast beside skorch?

    python benchmarks/bench_big_table.py [rows]

skorch is installed for this only, in an environment of its own: PEERS=its/bin/python (see bench_throughput.py).
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from measured import write

SKORCH = """
import json, sys, time, resource
import numpy as np, polars, torch
from skorch import NeuralNetBinaryClassifier
torch.set_num_threads(2)
frame = polars.read_parquet(sys.argv[1])
X = frame.drop("y").to_numpy().astype(np.float32); y = frame["y"].to_numpy().astype(np.float32)
del frame
X = (X - X.mean(0)) / X.std(0)
H = int(sys.argv[2]); B = int(sys.argv[3])
nn = torch.nn
layers = [nn.Linear(X.shape[1], H), nn.ReLU(), nn.Linear(H, H), nn.ReLU(), nn.Linear(H, 1), nn.Flatten(0)]
options = dict(max_epochs=1, batch_size=B, optimizer=torch.optim.AdamW, lr=1e-3, train_split=None, verbose=0)
model = NeuralNetBinaryClassifier(nn.Sequential(*layers), **options)
began = time.perf_counter(); model.fit(X, y); seconds = time.perf_counter() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"rows_per_second": len(X) / seconds, "peak": peak}))
"""


def make(path: Path, n: int) -> None:
    """A classification table of n rows and 20 numbers, written a piece at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(0)
    w = rng.normal(size=20)
    writer = None
    for start in range(0, n, 500_000):
        x = rng.normal(size=(min(500_000, n - start), 20)).astype(np.float32)
        y = (x @ w + x[:, 0] * x[:, 1] + rng.normal(size=len(x)) > 0).astype(np.int8)
        table = pa.table({f"x{j}": x[:, j] for j in range(20)} | {"y": y})
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    width, batch = 128, 1024
    with tempfile.TemporaryDirectory() as folder:
        data, out = Path(folder) / "big.parquet", Path(folder) / "run"
        make(data, n)
        program = str(Path(sys.executable).parent / "workings")
        events = Path(folder) / "events.jsonl"
        began = time.perf_counter()
        subprocess.run(
            [
                program, "train", str(data), "--target", "y", "--epochs", "1", "--out", str(out), "--json",
                "--events", str(events), "--set", f"hidden=[{width},{width}]", "--set", f"batch_size={batch}",
                "--set", "dropout=0", "--set", "bins=0",
            ],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        seconds = time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        environment = json.loads((out / "environment.json").read_text(encoding="utf-8"))
        card = json.loads((out / "data_card.json").read_text(encoding="utf-8"))
        metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))["metrics"]
        rate = card["split"]["train"] / environment["seconds"]["training"]
        rows = [
            {
                "what": f"table of {n:,} rows × 20: accuracy after one epoch",
                "value": round(metrics["accuracy"], 4),
                "bar": "trains",
                "n": 1,
                "met": metrics["accuracy"] > 0.8,
            },
            {
                "what": "peak memory of the whole command, GB",
                "value": round(peak / 1e9, 2),
                "bar": "≤ 2",
                "n": 1,
                "met": peak <= 2e9,
                "headline": True,
            },
            {"what": "whole command, seconds", "value": round(seconds, 1), "n": 1},
            {"what": "rows a second while training", "value": round(rate), "n": 1},
        ]
        peers = os.environ.get("PEERS")
        if peers:
            done = subprocess.run(
                [peers, "-c", SKORCH, str(data), str(width), str(batch)], capture_output=True, text=True, check=True
            )
            skorch = json.loads(done.stdout.splitlines()[-1])
            rows.append(
                {
                    "what": "skorch, the same net and batch, everything in memory: rows a second",
                    "value": round(skorch["rows_per_second"]),
                    "n": 1,
                }
            )
            rows.append({"what": "skorch: peak memory, GB", "value": round(skorch["peak"] / 1e9, 2), "n": 1})
            rows.append(
                {"what": "rows a second, ratio to skorch", "value": round(rate / skorch["rows_per_second"], 2), "n": 1}
            )
    write("big-table", "PEERS=peers/bin/python python benchmarks/bench_big_table.py", rows)


if __name__ == "__main__":
    main()
