"""What a restricted Boltzmann machine is judged by beyond its reconstructions, on samples that were not trained on.

    log-likelihood          ln p(v) = −F(v) − ln Z, with ln Z exact where one side has at most 20 units, else by
                            annealed importance sampling; the interval is that of the samples and that of ln Z together
    pseudo-log-likelihood   Σ_i ln p(v_i | all others), of binary units

Of anomalies and regular samples together it would say nothing, so anomalies are left out. See
``learning.rbm_likelihood``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch

from workings.base.events import Emit, Phase
from workings.base.problems import Problem
from workings.data.source import Part, Source
from workings.learning.metrics import Evaluation
from workings.learning.rbm_likelihood import (
    LogZ,
    ais_log_z,
    can_enumerate,
    exact_log_z,
    pseudo_log_likelihood,
    sampled_pseudo_log_likelihood,
)
from workings.learning.unsupervised_scores import of_means
from workings.nets.rbm import RBM
from workings.runs.folder import read_versioned
from workings.runs.sweeping import batches_of, each_of
from workings.runs.unsupervised import anomalous

if TYPE_CHECKING:
    from workings.runs.run import Run

MOST_TERMS = 1e9  # samples times visible times hidden units, up to which every unit is flipped
FLIPS = 100  # of each sample otherwise
FEW = 0.1  # share of the chains; where their weights are worth fewer, it is told


def measure(run: Run, source: Source, emit: Emit) -> list[Evaluation]:
    """Log-likelihood and pseudo-log-likelihood, in nats a sample."""
    rbm = run.net
    assert isinstance(rbm, RBM)
    regular = np.flatnonzero(~anomalous(run, source))
    if 0 < len(regular) < len(source):
        source = Part(source, regular)
    emit(Phase("measuring", "the likelihood of samples"))
    mean_V = torch.tensor(read_versioned(run.path / "scores.json")["mean"], dtype=torch.float32)
    log_z, how = find_log_z(rbm, mean_V)
    F_n = each_of(rbm, source, rbm.unusual)[:, 0]
    found = Evaluation("unsupervised", len(source), {})
    value, (low, high), spread = of_means("log_likelihood", -F_n)
    below, above = (
        math.hypot(end, log_z.value - bound) for end, bound in ((value - low, log_z.low), (high - value, log_z.high))
    )
    value -= log_z.value
    found.metrics["log_likelihood"], found.intervals["log_likelihood"] = value, [value - below, value + above]
    found.method["log_likelihood"] = f"{spread}; ln Z {log_z.value:.2f} {how}"
    found.notes.extend(_unsure(log_z))
    found.notes.extend(_of_pixels(rbm, source))
    if rbm.visible.kind == "binary":
        H, V = rbm.weight.shape
        every = len(source) * H * V <= MOST_TERMS
        x_NV = torch.cat([x.flatten(1) for x in batches_of(rbm, source)])
        if every:
            each = pseudo_log_likelihood(rbm, x_NV)
        else:
            each = sampled_pseudo_log_likelihood(rbm, x_NV, min(FLIPS, V), torch.Generator().manual_seed(0))
        name = "pseudo_log_likelihood"
        found.metrics[name], found.intervals[name], spread = of_means(name, each.numpy())
        found.method[name] = f"{spread}; {'every unit' if every else f'{FLIPS} units drawn'} of each sample, seed 0"
    return [found]


def find_log_z(rbm: RBM, mean_V: torch.Tensor) -> tuple[LogZ, str]:
    """ln Z, and in words how it was found."""
    if can_enumerate(rbm):
        return exact_log_z(rbm), "by enumeration"
    found = ais_log_z(rbm, mean_V, generator=torch.Generator().manual_seed(0))
    return (
        found,
        f"({found.low:.2f} to {found.high:.2f}) by annealed importance sampling, {found.chains} chains, seed 0",
    )


def _unsure(log_z: LogZ) -> list[Problem]:
    if log_z.exact or log_z.effective >= FEW * log_z.chains:
        return []
    what = f"The weights of {log_z.chains} chains are worth {log_z.effective:.1f}: ln Z rests on few of them."
    why = "Annealed importance sampling then tends to find Z too small, and the log-likelihood too high."
    do = "Read the pseudo-log-likelihood beside it; a larger weight_decay makes a net whose chains mix better."
    return [Problem("warning", "few-chains-count", what, why=why, do=do)]


def _of_pixels(rbm: RBM, source: Source) -> list[Problem]:
    """Whether binary units were shown anything but 0 and 1."""
    if rbm.visible.kind != "binary":
        return []
    between = total = 0
    for x in batches_of(rbm, source):
        total += x.numel()
        between += int(((x != 0) & (x != 1)).sum())
    if not between:
        return []
    what = f"{between / total:.1%} of the numbers are neither 0 nor 1: their nats are no true likelihood."
    do = "Train with binarise=0.5, or with visible=gaussian."
    return [Problem("note", "binary-between", what, count=between, why="Binary units know 0 and 1 only.", do=do)]
