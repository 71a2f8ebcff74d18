"""How unusual samples are: what the net says, and of autoencoders of images also how far their codes lie from others.

    e = net.unusual(x)                       what the net cannot rebuild
    k = mean distance of z = encode(x) to the K nearest codes of training samples, codes made white
    score = (e − ē)/s_e + (k − k̄)/s_k        ē, s_e, k̄, s_k: mean and deviation over regular validation samples

A narrow autoencoder rebuilds some strange samples well, too, by codes that no training sample has. White: with mean 0
and covariance I over the training samples, so that each direction of the code counts alike. The codes are in
``codes.safetensors``; a run without that file is scored by e alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars
import safetensors.torch
import torch

from workings.data.source import Source
from workings.learning.unsupervised_scores import threshold_of
from workings.nets.unsupervised import Codes, Scores
from workings.runs.folder import read_versioned, save_tensors
from workings.runs.sweeping import BATCH, each_of

if TYPE_CHECKING:
    from workings.runs.run import Run

FILE = "codes.safetensors"
MOST_CODES = 20_000
EPSILON = 1e-6  # of a direction in which codes do not vary


def scores_of(run: Run, source: Source, code: np.ndarray | None = None) -> np.ndarray:
    """(n,): the higher, the more unusual. code: (n, d) of the samples, where it is known already."""
    return joined(parts_of(run, source, code), read_versioned(run.path / "scores.json").get("scale"))


def regular_scores(run: Run) -> np.ndarray:
    """The scores of regular samples that thresholds rest on; of a series, of its regular steps."""
    kept = read_versioned(run.path / "scores.json")
    return np.array(kept.get("regular_steps", kept["regular"]))


def threshold(run: Run, false_alarms: float) -> float:
    """The score above which a sample is told as an anomaly; so is that share of the regular ones."""
    return threshold_of(regular_scores(run), false_alarms)


def scored_frame(
    run: Run, source: Source, rows: np.ndarray, labelled: bool, limit: float | None, code: np.ndarray | None = None
) -> polars.DataFrame:
    """One row a sample: ``row``, ``where``, ``label`` where known; and of nets that score ``score``, ``threshold`` and
    ``anomaly``. rows: (n,) their numbers. limit: the threshold. code: as in :func:`scores_of`.
    """
    columns: dict[str, Any] = {"row": rows, "where": [source.where(i) for i in range(len(source))]}
    if labelled and run.task.classes:
        columns["label"] = [run.task.classes[int(k)] for k in source.y]
    if limit is not None:
        score = scores_of(run, source, code)
        columns |= {"score": score, "threshold": np.full(len(score), limit), "anomaly": score > limit}
    return polars.DataFrame(columns)


def joined(parts: np.ndarray, scale: dict[str, list[float]] | None) -> np.ndarray:
    """The score (n,) of its parts (n, 1) or (n, 2); ``scale`` of :func:`scale_of`."""
    if scale is None:
        return parts[:, 0]
    return ((parts - np.array(scale["mean"])) / np.array(scale["std"])).sum(1)


def keep_codes(run: Run, code: np.ndarray) -> None:
    """Write the codes (n, d) of training samples, made white, of a net whose score asks for them."""
    if not getattr(run.net, "neighbours", 0):
        return
    z_nd = torch.from_numpy(code)
    mean_d = z_nd.mean(0)
    # C = L Lᵀ, so that L⁻¹(z − z̄) has covariance I.
    C_dd = (z_nd - mean_d).T @ (z_nd - mean_d) / max(1, len(z_nd) - 1)
    L_dd = torch.linalg.cholesky(C_dd + EPSILON * torch.eye(len(mean_d), dtype=z_nd.dtype))
    white_dd = torch.linalg.inv(L_dd)
    rows = np.sort(np.random.default_rng(run.recipe.seed).permutation(len(z_nd))[:MOST_CODES])
    known_nd = (z_nd[torch.from_numpy(rows)] - mean_d) @ white_dd.T
    save_tensors(run.path / FILE, {"mean": mean_d, "white": white_dd, "codes": known_nd.float()})


def scale_of(parts: np.ndarray) -> dict[str, list[float]] | None:
    """Mean and deviation of e and k over regular samples (n, 2), for ``scores.json``; None where there is only e."""
    if parts.shape[1] < 2:
        return None
    std = parts.std(0)
    return {"mean": parts.mean(0).tolist(), "std": np.where(std > 0, std, 1.0).tolist()}


def parts_of(run: Run, source: Source, code: np.ndarray | None = None) -> np.ndarray:
    """e, and k where codes are kept, (n, 1) or (n, 2). code: (n, d) of the samples, where it is known already."""
    net = run.net
    assert isinstance(net, Scores)
    e_n1 = each_of(net, source, net.unusual)
    if not (run.path / FILE).is_file() or not isinstance(net, Codes):
        return e_n1
    kept = safetensors.torch.load_file(run.path / FILE)
    K = min(int(getattr(net, "neighbours", 1)), len(kept["codes"]))
    z_nd = torch.from_numpy(each_of(net, source, net.encode) if code is None else code)
    white_nd = ((z_nd - kept["mean"]) @ kept["white"].T).float()
    near = [torch.cdist(part, kept["codes"]).topk(K, largest=False).values.mean(1) for part in white_nd.split(BATCH)]
    return np.column_stack([e_n1, torch.cat(near).double().numpy()])
