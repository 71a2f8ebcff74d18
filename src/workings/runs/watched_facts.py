"""What holds throughout a run: the findings know a run of Workings by these names only (``watching.history.FACTS``)."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from workings.base.tokens import PAD
from workings.nets.unsupervised import Unsupervised
from workings.watching import operations as known
from workings.watching.dependence import SAMPLES as DEPENDENT
from workings.watching.dependence import told

if TYPE_CHECKING:
    from workings.data.source import Source
    from workings.runs.fit import Fit

SAMPLES = 4_096  # that facts are counted from; sequences: as many answers, roughly
CLASSES = ("binary", "multiclass", "language", "translation")


def facts(fit: Fit) -> dict[str, Any]:
    """What is known before the first step."""
    recipe = fit.recipe
    found: dict[str, Any] = {
        "task": fit.task,
        "net": recipe.net,
        "rows": len(fit.train),
        "batch": fit.stream.batch,
        "steps": fit.steps,
        "optimiser": recipe.optimiser,
        "learning_rate": recipe.learning_rate,
        "schedule": recipe.schedule,
        "loss": None if isinstance(fit.net, Unsupervised) else recipe.loss,
        "reduction": "mean",
        "shuffled": recipe.shuffle,
        "imbalance": recipe.imbalance,
        "weight_decay": recipe.weight_decay,
        "l1": recipe.l1,
        "l2": recipe.l2,
        "clip_norm": recipe.clip_norm,
        "label_smoothing": recipe.label_smoothing,
        "dropout": max(map(known.drops, fit.net.modules())),
        "augmented": fit.augment is not None,
        "parameters": sum(p.numel() for p in fit.net.parameters()),
    }
    return found | told_by_targets(fit) | rows_in_both(fit.train, fit.val) | belonging(fit)


def told_by_targets(fit: Fit) -> dict[str, Any]:
    """Shares of classes, spread of numbers, and the loss of the best constant answer, on training samples."""
    if isinstance(fit.net, Unsupervised) or fit.train.reconstructs or not len(fit.train):
        return {}
    index = torch.arange(0, len(fit.train), max(1, len(fit.train) // SAMPLES))
    y = fit.train.targets(index)
    w = None if fit.train.w is None else fit.train.w[index]
    if y.ndim > 1 and fit.task in CLASSES:  # sequences of answers
        keep = max(1, SAMPLES // y[0].numel())
        y, w = y[:keep], None if w is None else w[:keep]
    found: dict[str, Any] = {}
    if fit.task in CLASSES:
        y_N = (y[y != PAD] if fit.task == "translation" else y).long().flatten()
        counts = y_N.bincount()
        if len(counts) <= 1_000:
            found["class_counts"] = counts.tolist()
        weigh = getattr(fit.loss, "weights", None)
        each = weigh(y, w) if weigh is not None and y.ndim == 1 else None  # class weights count, too
        shares = counts.double() if each is None else y_N.bincount(each.double())
        logits = (shares / shares.sum()).clamp_min(1e-9).log()
        if fit.task == "binary" and len(counts) != 2:
            return found
        out = (logits[1] - logits[0]).expand(len(y), 1) if fit.task == "binary" else logits.expand(*y.shape, -1)
    else:
        numbers = y.double().reshape(len(y), -1)
        found["target_mean"], found["target_std"] = float(numbers.mean()), float(numbers.std(correction=0))
        out = numbers.mean(0).expand_as(numbers)
    with torch.no_grad():
        return found | {"baseline": float(fit.loss(out.float().contiguous(), y, w))}


def belonging(fit: Fit) -> dict[str, Any]:
    """Whether inputs and targets of some training samples depend on each other (``watching.dependence``)."""
    if isinstance(fit.net, Unsupervised) or fit.train.reconstructs or len(fit.train) < 8:
        return {}
    step = max(1, len(fit.train) // DEPENDENT)
    index = torch.arange(0, len(fit.train), step)[:DEPENDENT]
    y = fit.train.targets(index)
    if y.ndim > 1 and not y.is_floating_point():  # a class at each step
        return {}
    return told(fit.train.x(index), y, fit.task in CLASSES)


def rows_in_both(train: Source, val: Source | None) -> dict[str, Any]:
    """Share of validation samples (of some) that are, number by number, training samples too; and of training samples
    that occur twice."""
    if val is None or not len(val) or len(train) > 10 * SAMPLES:
        return {}
    digests = [digest(row) for part in torch.arange(len(train)).split(1_024) for row in train.x(part)]
    times = Counter(digests)
    some = val.x(torch.arange(0, len(val), max(1, len(val) // 256)))
    return {
        "val_in_train": sum(digest(row) in times for row in some) / len(some),
        "twice_in_train": sum(times[each] > 1 for each in digests) / len(digests),
    }


def digest(row: Tensor) -> bytes:
    """The sample's bytes, shortened."""
    return hashlib.blake2b(row.contiguous().numpy().tobytes(), digest_size=12).digest()
