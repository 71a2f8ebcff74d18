"""Recurrent nets: throughput beside other tools, the written cell beside the fused one, and how long they remember.

    PEERS=ENVIRONMENT/bin/python python benchmarks/bench_recurrent.py [throughput cells memory] [--quick]

Throughput is compared in the way of ``bench_throughput.py``, which says how. The cells are compared within one process,
in turns. Memory: the first word of a text decides its class, and random letters follow; made here from a seed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import bench_throughput as harness
import torch
from bench_transformer import bf16_row
from measured import workings, write
from recurrent_settings import RECURRENT  # lies with the peers
from torch import Tensor

from workings.base.form import Form
from workings.learning.gradient import GradientRule
from workings.learning.lanes import Lane, LaneRunner
from workings.learning.losses import make_loss
from workings.learning.optimisers import make_optimiser
from workings.nets import build
from workings.runs.machine import keep_freed_memory, steady

COMMAND = "PEERS=ENVIRONMENT/bin/python python benchmarks/bench_recurrent.py"
TOOLS = [name for name in harness.TOOLS if name != "skorch"]
Row = dict[str, Any]
B, T, D, H = 32, 64, 32, 128


def throughput(threads: list[int], quick: bool) -> list[Row]:
    """µs a step of each tool."""
    python = harness.peers_python()
    rows: list[Row] = []
    # Training of minutes, so that lanes are measured; a graph of an unrolled loop would not repay its compiling.
    harness.EPOCHS, harness.QUICK_EPOCHS = 200, 20
    with tempfile.TemporaryDirectory() as folder:
        interpreters = {name: sys.executable if name == harness.OURS else python for name in TOOLS}
        tools = {name: harness.Tool(name, interpreter, Path(folder)) for name, interpreter in interpreters.items()}
        for setting in RECURRENT.values():
            contestants, told = harness.compete(setting, tools, threads, quick)
            rows += harness.judge(setting, contestants, told)
            rows += bf16_row(setting.title, contestants)
            print(f"{setting.title}: {told['reason']}; refused: {told['refused'] or 'none'}", flush=True)
        for tool in tools.values():
            tool.stop()
    return rows


def cells(quick: bool) -> list[Row]:
    """The written cell beside the fused one: how far apart, and how much slower."""
    rows: list[Row] = []
    for name in ("rnn", "lstm", "gru"):
        for dtype, least in ((torch.float32, 1e-5), (torch.float64, 1e-10)):
            rows.append(deviation(name, dtype, least))
        rows.append(slowdown(name, 1 if quick else 7))
    return rows


def deviation(name: str, dtype: torch.dtype, least: float) -> Row:
    """The largest difference of any state or gradient; two layers, both directions, padded."""
    found: list[list[Tensor]] = []
    torch.manual_seed(0)
    lengths = torch.randint(1, T + 1, (B, 1))
    x = torch.randn(B, T, D, dtype=dtype).masked_fill((torch.arange(T) >= lengths)[..., None], torch.nan)
    for cell in ("fused", "written"):
        torch.manual_seed(1)
        net = build(name, (T, D), 3, Form(), width=H, layers=2, bidirectional=True, dropout=0.0, cell=cell).to(dtype)
        out = net(x)
        found.append([out, *torch.autograd.grad(out.square().mean(), [*net.parameters()])])
    worst = max(float((a - b).detach().abs().max()) for a, b in zip(*found, strict=True))
    kind = str(dtype).removeprefix("torch.")
    return {
        "what": f"{name}, {kind}: largest difference between the written cell and the fused one, outputs and gradients",
        "value": f"{worst:.1e}",
        "bar": f"≤ {least:.0e}",
        "n": sum(tensor.numel() for tensor in found[0]),
        "met": worst <= least,
    }


def slowdown(name: str, rounds: int) -> Row:
    """How many times as long a step with the written cell takes, one thread, in turns."""
    x, y = torch.randn(8, B, T, D), torch.randn(8, B)
    times: dict[str, list[float]] = {"fused": [], "written": []}
    runners = {}
    with steady(1), keep_freed_memory():
        for cell in times:
            net = build(name, (T, D), 1, Form(), width=H, dropout=0.0, cell=cell)
            rule = GradientRule(net, make_loss("mse"), make_optimiser("adam"), lambda step: 1e-3)
            runners[cell] = LaneRunner(Lane("eager", 1), rule.step, rule.state), rule
        for turn in range(rounds + 1):
            for cell, (runner, rule) in runners.items():
                h = [rule.optimiser.scalars(i + 1, 1e-3) for i in range(8)]
                runner.enter()
                began = time.perf_counter()
                runner.advance(x, y, None, h)
                if turn:
                    times[cell].append((time.perf_counter() - began) / 8 * 1e6)
    ratios = [a / b for a, b in zip(times["written"], times["fused"], strict=True)]
    shown = ", ".join(f"{cell} {statistics.median(each):,.0f} µs" for cell, each in times.items())
    return {
        "what": f"{name} {D}→{H}, {T} steps, batch {B}: written cell, × the fused one's time, eager",
        "value": round(statistics.median(ratios), 2),
        "n": len(ratios),
        "spread": f"{min(ratios):.2f} to {max(ratios):.2f}; {shown}",
    }


LAGS = (50, 100, 200)
# The plain RNN as torch starts it, and as Workings does: its state's matrix orthogonal, so that nothing fades at first.
NETS: dict[str, tuple[str, list[str]]] = {
    "rnn, started as torch does": ("rnn", ["initialisation=torch_default"]),
    "rnn": ("rnn", []),
    "lstm": ("lstm", ["forget_bias=5"]),
    "gru": ("gru", ["update_bias=5"]),
}


def first_word_decides(folder: Path, lag: int, texts: int = 2000) -> Path:
    """A file a class: each text begins with a word of its class; ``lag`` random letters follow."""
    rng = random.Random(0)
    folder.mkdir()
    for word in ("yes", "no"):
        lines = [" ".join([word, *rng.choices("abcdefgh", k=lag)]) for _ in range(texts // 2)]
        (folder / f"{word}.txt").write_text("\n".join(lines), encoding="utf-8")
    return folder


def memory(seeds: int) -> list[Row]:
    """Accuracy where only the first of so many steps matters, by the last step's state alone."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for lag in LAGS:
            data = first_word_decides(Path(folder) / f"lag-{lag}", lag)
            for title, (net, more) in NETS.items():
                settings = ["pooling=last", "bidirectional=false", "dropout=0", "word_dropout=0", "label_smoothing=0"]
                settings += ["width=32", "embedding=16", "learning_rate=0.005", *more]
                settings += ["lane=eager@1", "baselines=false", "report=false"]
                options = [word for each in settings for word in ("--set", each)]
                found = []
                for seed in range(seeds):
                    out = Path(folder) / f"{title}-{lag}-{seed}"
                    run = workings("train", data, "--net", net, "--epochs", 10, "--seed", seed, *options, "--out", out)
                    found.append(run["metrics"]["accuracy"])
                told = f" ({', '.join(more)})" if net != "rnn" else ""
                rows.append(
                    {
                        "what": f"first of {lag + 1} steps decides: accuracy, {title}{told}",
                        "value": round(statistics.median(found), 3),
                        "bar": "≥ 0.99" if net != "rnn" else None,
                        "n": len(found),
                        "spread": f"{min(found):.3f} to {max(found):.3f}",
                        "met": min(found) >= 0.99 if net != "rnn" else None,
                    }
                )
                print(json.dumps(rows[-1], ensure_ascii=False), flush=True)
    return [{key: value for key, value in row.items() if value is not None} for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = ("throughput", "cells", "memory")
    parser.add_argument("parts", nargs="*", choices=[[], *parts], help="all, if none is named")
    parser.add_argument("--quick", action="store_true", help="few steps, no result written")
    parser.add_argument("--seeds", type=int, default=3, help="of the memory task")
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("--threads", nargs="+", type=int, default=sorted({1, cores}), help="to try; one, and all cores")
    arguments = parser.parse_args()
    for part in arguments.parts or parts:
        versions = None
        if part == "throughput":
            rows = throughput(sorted(arguments.threads), arguments.quick)
            versions = harness.versions(harness.peers_python())
        else:
            rows = cells(arguments.quick) if part == "cells" else memory(1 if arguments.quick else arguments.seeds)
        if arguments.quick:
            for row in rows:
                print(json.dumps(row, ensure_ascii=False))
        else:
            write("recurrent", COMMAND, rows, versions, notes=NOTES)


NOTES = (
    "Throughput: every tool trains one layer and a dense one from its last step on the same random numbers with Adam, "
    "and competes in its fastest variant, named beside its figure. torch and Keras hold a second bias that is only "
    "added to the first; Workings holds one. A GRU here is 64 products of 32×128 by 128×384 in turn, forward and back, "
    "which take as long in every library; what is left to save are the small operations between them. Memory: each net "
    "reads onward only and answers from its last state; 2,000 made texts, a fifth for testing, ten epochs; a net that "
    "has forgotten the first word is right half of the time."
)

if __name__ == "__main__":
    main()
