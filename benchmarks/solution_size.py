"""One learning step of a CNN of 1.2 million parameters: seconds, memory and size of the page, as JSON."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import torch
from torch import nn

import workings


def main() -> None:
    torch.set_num_threads(2)
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 128, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128 * 8 * 8, 135),
        nn.ReLU(), nn.Linear(135, 10),
    )  # fmt: skip
    x, t, optimizer = torch.randn(1, 3, 32, 32), torch.tensor([3]), torch.optim.Adam(net.parameters())
    began, worked = time.perf_counter(), time.process_time()
    solution = workings.show(net, x, t, nn.CrossEntropyLoss(), optimizer)
    page = solution.to_html()
    seconds, processor = time.perf_counter() - began, time.process_time() - worked
    Path(sys.argv[1]).write_text(page, encoding="utf-8")
    told = {
        "parameters": sum(p.numel() for p in net.parameters()),
        "seconds": round(seconds, 2),
        "processor_seconds": round(processor, 2),
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
        "html_mb": round(len(page.encode()) / 1e6, 2),
        "lines": len(solution.lines),
        "complete": solution.complete,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
