"""From prepared rows to a net, and what batches go through on their way to it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from workings.base.errors import UserError, refuse
from workings.base.problems import Problem
from workings.data.augment import choose_policy, make_augment
from workings.data.images import ImageSource
from workings.data.schema import Task
from workings.data.source import Source
from workings.learning.perceptron import separable
from workings.nets import build, custom, registry
from workings.runs.fit import Fit
from workings.runs.job import Job, Prepared
from workings.runs.settle import Facts, settle


def make_net(job: Job, data: Prepared) -> tuple[nn.Module, dict[str, Any]]:
    """The net and its ``net.json`` (without the layers), and the recipe settled to it."""
    dataset, recipe = data.dataset, job.recipe
    counts = np.bincount(data.train.y.numpy(), minlength=len(dataset.task.classes)) if dataset.task.classes else ()
    shape, form = tuple(data.train.shape), data.train.form
    outs = outputs_of(dataset.task, data.train)
    n_val = 0 if data.val is None else len(data.val)
    facts = Facts(len(data.train), n_val, shape, dataset.task.kind, outs, [int(c) for c in counts], form)
    facts = replace(facts, unlabelled=0 if data.unlabelled is None else len(data.unlabelled))
    rows = facts.n // data.train.stride
    if isinstance(recipe.batch_size, int) and recipe.batch_size > rows:
        raise refuse(
            "batch-larger-than-data",
            f"A batch of {recipe.batch_size:,} rows is larger than the {rows:,} training rows.",
            do=f"Give a batch_size of at most {rows}, or batch_size=all.",
        )
    own = None
    if job.net is not None or custom.is_custom(recipe.net):
        own = custom.load(job.net if job.net is not None else recipe.net, shape, outs, dataset.task.kind, form)
        for problem in own.problems:
            job.notice(problem)
        if dataset.task.kind == "language":
            from workings.runs.language import refuse_reading_ahead

            refuse_reading_ahead(own.net, shape[0], outs)
    if own is None and recipe.net != "auto":
        problems = registry.check_shape(recipe.net, shape, outs, form)
        problems += registry.check_task(recipe.net, dataset.task.kind, registry.kind_of_samples(shape, form))
        if problems:
            raise UserError(problems)
    job.recipe = recipe = settle(recipe, facts, job.emit) if job.resume is None else recipe
    if own is None:
        settings = registry.settle(recipe.net, recipe.net_settings)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            net = build(recipe.net, shape, outs, form, **settings)
        name, source, kind = recipe.net, None, type(net).__name__
    else:
        net, name, source, kind, settings = own.net, "custom", own.source, own.name, {}
    description = {
        "name": name,
        "class": kind,
        "settings": settings,
        "shape": list(shape),
        "outputs": outs,
        "form": form.to_dict(),
        "source": source,
    }
    return net, description


def outputs_of(task: Task, source: Source) -> int:
    """How many numbers a net must give for a sample, or for each step of one."""
    if task.kind == "multiclass":
        return len(task.classes or ())
    if task.kind == "unsupervised":
        return math.prod(source.shape)
    if task.kind == "language":
        assert isinstance(source.form.vocabulary, int)
        return source.form.vocabulary
    if task.kind == "translation":
        assert isinstance(source.form.vocabulary, tuple)
        return source.form.vocabulary[1]
    return source.y.shape[1] if task.kind == "forecast" else 1


def augmentation(job: Job, data: Prepared) -> Any:
    """The augmentation of training batches, chosen from the training images where the recipe leaves it open."""
    source = data.train
    if not isinstance(source, ImageSource):
        if job.recipe.augmentation not in ("auto", "none"):
            raise refuse(
                "augmentation-of-a-table",
                f"The augmentation '{job.recipe.augmentation}' is for images; the samples are none.",
                do="Leave it out; noise=0.1 adds noise to the features instead.",
            )
        return None
    if source.reconstructs and job.recipe.augmentation not in ("auto", "none"):
        raise refuse(
            "augmentation-of-samples",
            f"The augmentation '{job.recipe.augmentation}' changes samples, and the samples are what is learnt.",
            do="Leave it out; noise=0.1 makes an autoencoder a denoising one.",
        )
    if source.reconstructs:
        return None
    if job.recipe.augmentation == "auto":
        policy, reason = choose_policy(source.shape, source)
        job.decide("augmentation", policy, reason)
    return make_augment(job.recipe.augmentation, source.shape, source=source)


def perceptron_verdict(job: Job, fit: Fit) -> None:
    """A perceptron that did not converge: are the classes separable at all? Asked only where it did not."""
    if job.recipe.net != "perceptron" or "converged" in (fit.state.stopped or "") or fit.task != "binary":
        return
    x = fit.train.x(torch.arange(len(fit.train)))
    if x.numel() > 20_000_000:
        return
    answer = separable(x, fit.train.y)
    if answer is False:
        job.notice(
            Problem(
                "warning",
                "not-linearly-separable",
                "The data is not linearly separable: no hyperplane puts the two classes on different sides.",
                why="The perceptron's rule can never stop making mistakes on such data (shown by linear programming).",
                do="Use a net with a hidden layer: --net mlp.",
            )
        )
    elif answer is True:
        job.notice(
            Problem(
                "warning",
                "perceptron-not-converged",
                f"The perceptron did not converge in {job.recipe.epochs:g} epochs, though the classes are separable.",
                do="Give more epochs: a narrow gap between the classes needs many.",
            )
        )
