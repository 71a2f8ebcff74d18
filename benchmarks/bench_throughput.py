"""Training throughput beside the tools that a person might use instead, all measured in one run.

    PEERS=ENVIRONMENT/bin/python python benchmarks/bench_throughput.py [small cnn wide] [--quick]

Each tool is a process of its own (``benchmarks/peers/``) that waits while the others are timed. It first tries its
variants (threads, fused optimiser, layout of images) and keeps its fastest; then all take turns, five rounds or more.
A figure is the median over the rounds; a ratio is taken within each round, because the machine's speed drifts.
``--quick`` does few steps, only to see that everything works, and writes no result.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from measured import PACKAGES, unpacked, workings, write

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "peers"))
from settings import ROWS, SETTINGS, AnySetting  # noqa: E402  (lies with the peers, which run in another environment)

COMMAND = "PEERS=ENVIRONMENT/bin/python python benchmarks/bench_throughput.py"
OURS, PLAIN = "Workings", "plain torch loop"
ROUNDS = 5
TURN_SECONDS = 2.0
PAUSE_SECONDS = 0.2  # thread pools spin for a moment after their last work
# So much training that a graph of eight steps is worth its compiling; and in --quick, a graph of one.
EPOCHS, QUICK_EPOCHS = 40_000, 3_000
SAME_LOSS = 1e-3  # float32 sums in another order, carried through 24 steps
SAME_LOSS_BF16 = 0.1  # products of 8 bits, summed over 24 steps
JAX = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
TOOLS: dict[str, tuple[str, dict[str, str]]] = {
    OURS: ("peer_workings.py", {}),
    PLAIN: ("peer_plain.py", {}),
    "Lightning": ("peer_lightning.py", {}),
    "skorch": ("peer_skorch.py", {}),
    "Keras on torch": ("peer_keras.py", {"KERAS_BACKEND": "torch"}),
    "Keras on JAX": ("peer_keras.py", JAX),
    "Keras on JAX, one thread": (
        "peer_keras.py",
        JAX | {"NPROC": "1", "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"},
    ),
}
PEER_PACKAGES = ("torch", "lightning", "skorch", "keras", "jax", "numpy")
Row = dict[str, Any]


class Tool:
    """A tool's process: orders in, answers out."""

    def __init__(self, name: str, python: str, folder: Path) -> None:
        self.name = name
        script, extra = TOOLS[name]
        # Compiled graphs of an earlier run must not be found; the tools choose their threads themselves.
        environment = {k: v for k, v in os.environ.items() if k not in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
        environment |= {"TORCHINDUCTOR_CACHE_DIR": str(folder / "inductor"), "TF_CPP_MIN_LOG_LEVEL": "2", **extra}
        self.log = folder / f"{name}.log"
        self.process = subprocess.Popen(
            [python, HERE / "peers" / script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log.open("wb"),
            env=environment,
            text=True,
        )

    def ask(self, **order: Any) -> dict[str, Any]:
        """The answer to one order; the benchmark ends where the tool fails."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            print(json.dumps(order), file=self.process.stdin, flush=True)
            return json.loads(self.process.stdout.readline())
        except (BrokenPipeError, json.JSONDecodeError):
            status = self.process.wait(timeout=60)  # below 0: the signal that ended it
            said = self.log.read_text(encoding="utf-8", errors="replace")[-4000:]
            sys.exit(f"{self.name} ended with status {status}:\n{said}")

    def train(self, variant: str, rows: int, epochs: int) -> float:
        """Microseconds a step."""
        done = self.ask(do="train", variant=variant, rows=rows, epochs=epochs)
        return done["seconds"] / done["steps"] * 1e6

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


@dataclass
class Contestant:
    """A tool in its best variant; or one of Workings' lanes."""

    label: str
    tool: Tool
    variant: str
    epochs: int = 1
    microseconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.microseconds)


def rows_for(setting: AnySetting, steps: int) -> int:
    """About so many steps' rows, the last batch as short as in a whole epoch, so that no new shape appears later."""
    return min(setting.rows, steps * setting.batch + setting.rows % setting.batch)


def best_variant(tool: Tool, setting: AnySetting, variants: list[str], quick: bool) -> tuple[str, float]:
    """The fastest variant of a tool and its microseconds a step, on a part of an epoch after a warm-up."""
    warm, pilot = rows_for(setting, 8), rows_for(setting, 10 if quick else 24 if setting.channels else 312)
    for variant in variants:
        tool.train(variant, warm, 1)
    times = {variant: tool.train(variant, pilot, 1) for variant in variants}
    best = min(times, key=lambda variant: times[variant])
    return best, times[best]


def compete(
    setting: AnySetting, tools: dict[str, Tool], threads: list[int], quick: bool
) -> tuple[list[Contestant], Row]:
    """Prepare, try variants, then take turns."""
    contestants, told = [], {}
    for name, tool in tools.items():
        order = {"epochs": QUICK_EPOCHS if quick else EPOCHS} if name == OURS else {}
        prepared = tool.ask(do="prepare", setting=setting.name, threads=threads, **order)
        if prepared["parameters"] not in getattr(setting, "counts", {setting.parameters}):
            sys.exit(f"{name} built a net of {prepared['parameters']:,} parameters, not {setting.parameters:,}")
        if name == OURS:
            told = prepared
            check_same_loss(setting, told)
            pilot = rows_for(setting, 24)
            chosen = [(f"{OURS}, {lane}", lane, tool.train(lane, pilot, 1)) for lane in told["variants"]]
        else:
            chosen = [(name, *best_variant(tool, setting, prepared["variants"], quick))]
        for label, variant, microseconds in chosen:
            seconds = setting.steps(setting.rows) * microseconds / 1e6
            epochs = 1 if quick else max(1, round(TURN_SECONDS / seconds))
            contestants.append(Contestant(label, tool, variant, epochs))
            print(f"{setting.name}: {label}, {variant}: about {microseconds:,.0f} µs a step", flush=True)
    contestants = without_slower_jax(contestants, setting)
    for turn in range(ROUNDS):
        for i in range(len(contestants)):  # another one first in each round
            each = contestants[(turn + i) % len(contestants)]
            time.sleep(PAUSE_SECONDS)
            rows = rows_for(setting, 16) if quick else setting.rows
            each.microseconds.append(each.tool.train(each.variant, rows, each.epochs))
    return contestants, told


def check_same_loss(setting: AnySetting, told: Row) -> None:
    """A faster loop that learns something else is no faster loop."""
    for lane, deviation in told["deviation"].items():
        if not deviation <= (SAME_LOSS_BF16 if lane.startswith("bf16") else SAME_LOSS):
            sys.exit(f"{setting.title}: the losses of {lane} differ from the plain loop's by {deviation:.1e}")


def without_slower_jax(contestants: list[Contestant], setting: AnySetting) -> list[Contestant]:
    """JAX is started once with one thread and once with all; the faster of the two competes."""
    jax = [each for each in contestants if each.label.startswith("Keras on JAX")]
    rows = rows_for(setting, 24 if setting.channels else 312)
    times = [each.tool.train(each.variant, rows, 1) for each in jax]
    slower = max(zip(times, jax, strict=True), key=lambda pair: pair[0])[1]
    for each in jax:
        each.label = "Keras on JAX"
    return [each for each in contestants if each is not slower]


def ratio(what: str, slow: Contestant, fast: Contestant, least: float, **more: Any) -> Row:
    """How many times as fast, within each round."""
    ratios = [a / b for a, b in zip(slow.microseconds, fast.microseconds, strict=True)]
    value = round(statistics.median(ratios), 3)
    return {
        "what": what,
        "value": value,
        "bar": f"≥ {least:g}",
        "n": len(ratios),
        "spread": f"{min(ratios):.2f} to {max(ratios):.2f}, against {slow.label} ({fast.variant})",
        "met": value >= least,
        **more,
    }


def timing(setting: AnySetting, each: Contestant) -> Row:
    """One contestant's microseconds a step. The lane's name is told beside, so that ours is always the same row."""
    ours = each.label.startswith(OURS)
    kind = "eager" if each.variant.startswith("eager") else "bf16" if each.variant.startswith("bf16") else "chosen"
    name = each.label if not ours else OURS if kind == "chosen" else f"{OURS}, {kind} lane"
    low, high, middle = min(each.microseconds), max(each.microseconds), each.median
    return {
        "what": f"{setting.title}: µs a step, {name}",
        "value": round(middle, 1),
        "n": len(each.microseconds),
        "spread": f"{low:,.1f} to {high:,.1f}; {setting.batch / middle * 1e6:,.0f} rows/s; {each.variant}",
    }


def judge(setting: AnySetting, contestants: list[Contestant], told: Row) -> list[Row]:
    """All rows of one setting, those with bars first."""
    ours = contestants[0]
    peers = [each for each in contestants if each.tool is not ours.tool]
    plain = next(each for each in peers if each.label == PLAIN)
    fastest = min(peers, key=lambda each: each.median)
    title = setting.title
    rows = []
    if setting.name == "small":
        rows.append(ratio(f"{title}: × the plain torch loop", plain, ours, 5, headline=True))
    least = 1.2 if setting.name == "cnn" else 1.0
    float32 = ", float32" if setting.name in ("cnn", "gpt", "text") else ""
    rows.append(ratio(f"{title}{float32}: × the fastest peer", fastest, ours, least, headline=True))
    if setting.name == "cnn":
        rows += bf16_rows(title, fastest, contestants)
    for kind, least in (("float32", SAME_LOSS), ("bf16", SAME_LOSS_BF16)):
        found = [value for lane, value in told["deviation"].items() if lane.startswith("bf16") == (kind == "bf16")]
        if found:
            what = "largest relative difference of the loss from the plain loop's, 24 steps, equal weights"
            row = {
                "what": f"{title}, {kind}: {what}",
                "value": f"{max(found):.1e}",
                "bar": f"≤ {least:.0e}",
                "n": len(found),
            }
            rows.append({**row, "met": max(found) <= least})
    rows += [timing(setting, each) for each in contestants]
    if told["compile_seconds"]:
        spent = sum(told["compile_seconds"].values())
        eager = min(us for lane, us in told["microseconds"].items() if lane.startswith("eager"))
        gain = eager - told["microseconds"][ours.variant]
        repaid = f"; repaid after {spent * 1e6 / gain:,.0f} steps" if gain > 0 else ""
        each_lane = ", ".join(f"{lane} {seconds:.1f}" for lane, seconds in told["compile_seconds"].items())
        what = f"{title}: seconds to compile"
        rows.append({"what": what, "value": round(spent, 1), "n": 1, "spread": each_lane + repaid})
    return rows


def bf16_rows(title: str, fastest: Contestant, contestants: list[Contestant]) -> list[Row]:
    """The bf16 lane's speed, and its accuracy beside float32's over five seeds; or that there is no such lane here."""
    from workings.learning.lanes import has_bf16

    what = f"{title}, bf16 lane: × the fastest peer"
    bf16 = next((each for each in contestants if each.variant.startswith("bf16")), None)
    if not has_bf16():
        why = "not measurable here, this processor has no bfloat16 instructions"
        return [{"what": what, "value": why, "bar": "≥ 2", "n": 0, "met": False}]
    if bf16 is None:
        why = "the lane was refused: too far from float32"
        return [{"what": what, "value": why, "bar": "≥ 2", "n": 1, "met": False}]
    return [ratio(what, fastest, bf16, 2, headline=True), accuracy_row(title, bf16.variant, contestants[0].variant)]


def accuracy_row(title: str, lane: str, reference: str, seeds: int = 5, epochs: int = 6) -> Row:
    """Test accuracy on mnist10k in one lane less that in another, seed by seed; equal within 0.2 points."""
    found: dict[str, list[float]] = {lane: [], reference: []}
    with tempfile.TemporaryDirectory() as folder:
        for name, accuracies in found.items():
            for seed in range(seeds):
                options = ["--net", "cnn", "--epochs", epochs, "--seed", seed, "--set", f"lane={name}"]
                options += ["--set", "baselines=false", "--set", "report=false"]
                run = workings("train", unpacked("mnist10k"), *options, "--out", Path(folder) / f"{name}-{seed}")
                accuracies.append(run["metrics"]["accuracy"])
    gaps = [a - b for a, b in zip(found[lane], found[reference], strict=True)]
    return {
        "what": f"{title}, bf16 lane: accuracy on mnist10k less that of float32",
        "value": round(statistics.mean(gaps), 4),
        "bar": "within ± 0.002",
        "n": seeds,
        "spread": f"{min(gaps):+.4f} to {max(gaps):+.4f}; {lane} {statistics.mean(found[lane]):.4f}",
        "met": abs(statistics.mean(gaps)) <= 0.002,
    }


def peers_python() -> str:
    """The python of the peers' environment, $PEERS."""
    python = os.environ.get("PEERS", "")
    if not Path(python).is_file():
        sys.exit(
            "The peers need an environment of their own. Make one, and name its python:\n"
            "  python -m venv ENVIRONMENT\n"
            "  ENVIRONMENT/bin/pip install torch lightning skorch keras jax --extra-index-url https://download.pytorch.org/whl/cpu\n"
            f"  {COMMAND}"
        )
    return python


def versions(python: str) -> dict[str, str]:
    """Ours, and the peers' marked as such."""
    code = "import sys, importlib.metadata as m; print(*map(m.version, sys.argv[1:]))"
    done = subprocess.run([python, "-c", code, *PEER_PACKAGES], stdout=subprocess.PIPE, text=True, check=True)
    peers = {f"peers' {package}": found for package, found in zip(PEER_PACKAGES, done.stdout.split(), strict=True)}
    return {**{package: version(package) for package in PACKAGES}, **peers}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("settings", nargs="*", choices=[[], *SETTINGS], help="small, cnn, wide; all, if none is named")
    parser.add_argument("--quick", action="store_true", help="few steps, no result written")
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("--threads", nargs="+", type=int, default=sorted({1, cores}), help="to try; one, and all cores")
    arguments = parser.parse_args()
    python = peers_python()
    found = versions(python)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        tools = {name: Tool(name, sys.executable if name == OURS else python, Path(folder)) for name in TOOLS}
        for name in arguments.settings or SETTINGS:
            setting = SETTINGS[name]
            contestants, told = compete(setting, tools, sorted(arguments.threads), arguments.quick)
            rows = judge(setting, contestants, told)
            print(f"{setting.title}: {told['reason']}; refused: {told['refused'] or 'none'}", flush=True)
            if arguments.quick:
                for row in rows:
                    print(json.dumps(row, ensure_ascii=False))
            else:
                write("throughput", COMMAND, rows, found, notes=NOTES)
        for tool in tools.values():
            tool.stop()
    print(f"{time.perf_counter() - began:.0f} s in all")


NOTES = (
    f"Every tool trains the same net on the same {ROWS:,} random rows with Adam and shuffling, from fresh weights each "
    "time, and competes in its fastest variant, named beside its figure. Set-up and the first compilation are not in a "
    "step's time; what Workings spends on compiling is a row of its own. Workings' lane is the one it measures and "
    f"chooses for {EPOCHS:,} epochs; a short run does not compile and has the eager lane's figure."
)

if __name__ == "__main__":
    main()
