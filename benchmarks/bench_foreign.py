"""Solutions of models that Workings did not make: architectures of ``transformers``, built small with random weights.

    python -m venv ENVIRONMENT
    ENVIRONMENT/bin/pip install torch==2.13.0 transformers -e . --extra-index-url https://download.pytorch.org/whl/cpu
    ENVIRONMENT/bin/python benchmarks/bench_foreign.py [decoder vision bert …]

``transformers`` is not among the packages of Workings, so this runs in an environment of its own. Nothing is fetched.
Each architecture takes one learning step as it learns, dropout drawn, by its own loss, or by the mean square of what
it gives where it has none; AdamW changes the weights. A solution counts if every operation has its equation and every
comparison and line holds. One line of JSON is printed for each; with names, or families, only those are solved again.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections import Counter
from importlib.metadata import version
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from foreign_architectures import ALL, Architecture
from measured import PACKAGES, RESULTS, write
from torch import Tensor
from torch.utils._pytree import tree_leaves

import workings
from workings.base.errors import UserError

BAR = 0.95
VERSIONS = (*PACKAGES, "transformers")


def own_loss(out: Any) -> Tensor:
    """The loss that the model gives, or the mean square of its numbers."""
    if getattr(out, "loss", None) is not None:
        return out.loss
    made = [t for t in tree_leaves(dict(out)) if isinstance(t, Tensor) and t.is_floating_point()]
    return torch.stack([t.square().mean() for t in made]).sum()


def solve(architecture: Architecture) -> dict[str, Any]:
    """What came of one architecture."""
    net, batch = architecture.build()
    found: dict[str, Any] = {
        "architecture": architecture.name,
        "family": architecture.family,
        "parameters": sum(p.numel() for p in net.parameters()),
    }
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.01)
    began = time.perf_counter()
    try:
        solution = workings.show(net, batch, None, own_loss, optimizer)
    except (UserError, RuntimeError, TypeError, ValueError, KeyError, IndexError, AttributeError, ArithmeticError) as e:
        return found | {"complete": False, "raised": f"{type(e).__name__}: {e}"[:300]}
    failed = Counter(f"{step.title}: {check.what}" for step in solution.walk() for check in step.checks if not check.ok)
    lines = Counter(f"{step.title}: a line" for step in solution.walk() for line in step.lines if not line.holds)
    return found | {
        "complete": solution.complete,
        "comparisons": len(solution.checks),
        "lines": len(solution.lines),
        "failed": dict((failed + lines).most_common(8)),
        "lacking": solution.lacking,
        "largest_error": max((c.error for c in solution.checks), default=0.0),
        "problems": sorted({p.code for p in solution.problems}),
        "seconds": round(time.perf_counter() - began, 1),
    }


def rows_of(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The share that is complete, in all and in each family, and what is lacking."""
    done = [each["complete"] for each in found]
    share = sum(done) / len(done)
    comparisons = sum(each.get("comparisons", 0) for each in found)
    lines = sum(each.get("lines", 0) for each in found)
    lacking = Counter(name for each in found for name in each.get("lacking", ()))
    rest = [f"{each['architecture']}: {why(each)}" for each in found if not each["complete"]]
    what = "architectures of transformers"
    rows = [
        {
            "what": f"{what}: one learning step solved whole, every check passing, share",
            "value": round(share, 4),
            "bar": f"≥ {BAR} of at least 60",
            "met": share >= BAR and len(done) >= 60,
            "n": len(done),
            "spread": "; ".join(rest) or "none is left",
            "headline": True,
        },
        {
            "what": f"{what}: comparisons with autograd and the net",
            "value": comparisons,
            "n": len(done),
            "bar": "reported",
        },
        {
            "what": f"{what}: lines worked out from their printed digits",
            "value": lines,
            "n": len(done),
            "bar": "reported",
        },
        {
            "what": f"{what}: kinds of operations without an equation",
            "value": len(lacking),
            "bar": "reported",
            "n": len(done),
            "spread": ", ".join(f"{name} ({n})" for name, n in lacking.most_common()) or "–",
        },
    ]
    for family in dict.fromkeys(each["family"] for each in found):
        of = [each["complete"] for each in found if each["family"] == family]
        rows.append({"what": f"{what}: complete, {family}", "value": sum(of), "n": len(of), "bar": "reported"})
    return rows


def why(each: dict[str, Any]) -> str:
    """What an incomplete solution lacks."""
    if "raised" in each:
        return str(each["raised"])
    lacking = [f"no equation for {', '.join(each['lacking'])}"] if each["lacking"] else []
    return "; ".join(lacking + [f"failed: {', '.join(each['failed'])}"] * bool(each["failed"]))


def main() -> None:
    try:
        import transformers
    except ImportError:
        sys.exit("transformers is not installed here: it has an environment of its own, as the head of this file says.")

    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    wanted = sys.argv[1:]
    unknown = set(wanted) - {a.name for a in ALL} - {a.family for a in ALL}
    if unknown:
        sys.exit(f"There is no architecture or family {', '.join(sorted(unknown))}.")
    path = RESULTS / "foreign.json"
    known = json.loads(path.read_text(encoding="utf-8"))["each"] if wanted and path.is_file() else []
    found = {each["architecture"]: each for each in known}
    for architecture in ALL:
        if not wanted or {architecture.name, architecture.family} & set(wanted):
            made = found[architecture.name] = solve(architecture)
            print(json.dumps(made, ensure_ascii=False), flush=True)
    each = [found[a.name] for a in ALL if a.name in found]
    versions = {package: version(package) for package in VERSIONS}
    write("foreign", "ENVIRONMENT/bin/python benchmarks/bench_foreign.py", rows_of(each), versions, each=each)


if __name__ == "__main__":
    main()
