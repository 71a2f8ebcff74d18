"""``kill -9`` at random moments, then ``--resume``: is every run bit-equal to one that was never stopped?

python benchmarks/bench_resume.py [30]
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from measured import data_folder, write
from safetensors.torch import load_file


def start(arguments: list[str]) -> subprocess.Popen[bytes]:
    program = str(Path(sys.executable).parent / "workings")
    return subprocess.Popen([program, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def main() -> None:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    table = data_folder() / "tables" / "mammography.csv"
    # Dropout and noise so that the generator's state matters; checkpoints as often as the loop offers.
    common = [
        "train", str(table), "--target", "calcification", "--epochs", "12", "--seed", "5",
        "--set", "lane=eager@1", "--set", "dropout=0.2", "--set", "noise=0.05", "--set", "checkpoint_seconds=0.2",
        "--set", "baselines=false", "--set", "average=0.99",
    ]  # fmt: skip
    generator = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        reference = Path(folder) / "reference"
        began = time.perf_counter()
        assert start([*common, "--out", str(reference)]).wait() == 0
        whole = time.perf_counter() - began
        expected = load_file(reference / "weights.safetensors")
        equal, restarted, moments = 0, 0, []
        for k in range(kills):
            run = Path(folder) / f"run-{k}"
            # From the moment the recipe is on disk (before it there is nothing to resume) to the end.
            process = start([*common, "--out", str(run)])
            while not (run / "recipe.yaml").exists():
                time.sleep(0.005)
            moment = generator.uniform(0, whole * 0.6)
            time.sleep(moment)
            process.send_signal(signal.SIGKILL)
            process.wait()
            moments.append(moment)
            restarted += not list((run / "checkpoint").glob("step-*")) if (run / "checkpoint").is_dir() else 1
            done = start(["train", "--resume", str(run)]).wait()
            found = load_file(run / "weights.safetensors") if done == 0 else {}
            same = found.keys() == expected.keys() and all(torch.equal(found[n], t) for n, t in expected.items())
            same = same and (run / "metrics.json").read_bytes() == (reference / "metrics.json").read_bytes()
            equal += same
            print(
                f"{k + 1}/{kills}: killed {moment:.2f} s after the recipe, {'equal' if same else 'DIFFERENT'}",
                flush=True,
            )
    write(
        "resume",
        "python benchmarks/bench_resume.py 30",
        [
            {
                "what": "kill -9 at a random moment, then --resume: weights and metrics bit-equal",
                "value": f"{equal} of {kills}",
                "bar": "30 of 30",
                "n": kills,
                "spread": f"{min(moments):.2f} to {max(moments):.2f} s; {restarted} before the first checkpoint",
                "met": equal == kills and kills >= 30,
                "headline": True,
            }
        ],
    )


if __name__ == "__main__":
    main()
