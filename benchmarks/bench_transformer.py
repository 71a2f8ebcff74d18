"""Throughput of transformers beside the tools that a person might use instead, all measured in one run.

    PEERS=ENVIRONMENT/bin/python python benchmarks/bench_transformer.py [gpt text] [--quick]

A small GPT and a classifier of texts, without dropout, in the way of ``bench_throughput.py``, which says how. The
plain loop trains the GPT as nanoGPT writes it, with torch's fused attention, and the classifier of torch's own layers.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import bench_throughput as harness
from attention_settings import ATTENTION  # lies with the peers
from measured import write

COMMAND = "PEERS=ENVIRONMENT/bin/python python benchmarks/bench_transformer.py"
TOOLS = [name for name in harness.TOOLS if name != "skorch"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("settings", nargs="*", choices=[[], *ATTENTION], help="gpt, text; both, if none is named")
    parser.add_argument("--quick", action="store_true", help="few steps, no result written")
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("--threads", nargs="+", type=int, default=sorted({1, cores}), help="to try; one, and all cores")
    arguments = parser.parse_args()
    python = harness.peers_python()
    found = harness.versions(python)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        interpreters = {name: sys.executable if name == harness.OURS else python for name in TOOLS}
        tools = {name: harness.Tool(name, interpreter, Path(folder)) for name, interpreter in interpreters.items()}
        for name in arguments.settings or ATTENTION:
            setting = ATTENTION[name]
            contestants, told = harness.compete(setting, tools, sorted(arguments.threads), arguments.quick)
            rows = harness.judge(setting, contestants, told)
            rows += bf16_row(setting.title, contestants)
            print(f"{setting.title}: {told['reason']}; refused: {told['refused'] or 'none'}", flush=True)
            if arguments.quick:
                for row in rows:
                    print(json.dumps(row, ensure_ascii=False))
            else:
                write("transformer", COMMAND, rows, found, notes=NOTES)
        for tool in tools.values():
            tool.stop()
    print(f"{time.perf_counter() - began:.0f} s in all")


def bf16_row(title: str, contestants: list[harness.Contestant]) -> list[harness.Row]:
    """The lane that a run takes where the processor has bfloat16; nothing where it has not."""
    bf16 = [each for each in contestants if each.variant.startswith("bf16")]
    fastest = min((each for each in contestants if each.tool is not contestants[0].tool), key=lambda each: each.median)
    return [harness.ratio(f"{title}, bf16 lane: × the fastest peer", fastest, each, 1.0) for each in bf16]


NOTES = (
    "Every tool trains the same net on the same random tokens with Adam and shuffling, from fresh weights each time, "
    "and competes in its fastest variant, named beside its figure. No dropout. Half to all of each text's 64 places "
    "are real, the rest is padding, and all tools work on all 64. Set-up and compilation are not in a step's time."
)

if __name__ == "__main__":
    main()
