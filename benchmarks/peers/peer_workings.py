"""Workings, through what ``workings train`` runs: a settled recipe, ``Fit``, the measured lane, the loop.

The net must learn what the plain loop learns: before anything is timed, both do the same 24 steps from equal weights
on equal batches, and their losses are compared. The recipe asks for so many epochs that compiling is worth while;
the loop is then timed on a part of them.
"""

from __future__ import annotations

import time
from typing import Any

import torch
from attention_settings import AttentionSetting
from recurrent_settings import RecurrentSetting
from settings import LEARNING_RATE, AnySetting
from torch_net import in_our_order, make_loss, make_net, tensors
from worker import Worker

from workings.base.events import silent
from workings.base.form import Form
from workings.data.source import MemorySource
from workings.learning.gradient import GradientRule
from workings.learning.loop import CHUNK, put_back
from workings.learning.loop_state import LoopState
from workings.nets import build, registry
from workings.runs.fit import Fit
from workings.runs.machine import keep_freed_memory, steady
from workings.runs.recipe import Recipe

CHECKED_STEPS = 3 * CHUNK


def net_of(setting: AnySetting) -> tuple[str, dict[str, Any]]:
    """The name of the net, and its settings."""
    if isinstance(setting, AttentionSetting):
        sizes = {"layers": setting.layers, "width": setting.width, "heads": setting.heads, "positions": "learned"}
        return "gpt" if setting.kind == "gpt" else "transformer-encoder", sizes | {"dropout": 0.0}
    if isinstance(setting, RecurrentSetting):
        return setting.kind, {"width": setting.width, "dropout": 0.0, "pooling": "last"}
    if setting.channels:
        return "cnn", {"channels": list(setting.channels), "dense": list(setting.hidden)}
    return "mlp", {"hidden": list(setting.hidden)}


def form_of(setting: AnySetting) -> Form:
    """What the samples are."""
    if isinstance(setting, AttentionSetting):
        return Form(vocabulary=setting.vocabulary, each_step=setting.kind == "gpt")
    return Form()


def recipe_of(setting: AnySetting, epochs: int, threads: int, lane: str) -> Recipe:
    """The setting as a recipe in which nothing is left open but the lane."""
    net, net_settings = net_of(setting)
    written = net == "gpt"
    return Recipe(
        net=net,
        net_settings=net_settings,
        task="language" if written else "regression" if setting.regression else "multiclass",
        loss="token_cross_entropy" if written else "mse" if setting.regression else "cross_entropy",
        optimiser="adam",
        optimiser_settings={"weight_decay": 0.0},
        learning_rate=LEARNING_RATE,
        schedule="constant",
        warmup=0.0,
        average=0.0,
        epochs=epochs,
        batch_size=setting.batch,
        val_fraction=0.0,
        lane=lane,
        threads=threads,
    )


class Workings(Worker):
    """A variant is a lane: the one chosen by measuring, and others to compare with it."""

    def prepare(self, setting: AnySetting, threads: list[int], epochs: int) -> dict[str, Any]:  # type: ignore[override]
        x, y = tensors(setting)
        self.source = MemorySource(x, y.squeeze(1) if setting.regression else y)
        self.epochs, self.threads = epochs, max(threads)
        self.fits: dict[str, tuple[Fit, dict[str, torch.Tensor]]] = {}
        began = time.perf_counter()
        chosen = self._fit("auto")
        seconds = time.perf_counter() - began
        to_be_had = [m.lane for m in chosen.lanes if not m.refused]  # fastest first
        float32 = [lane for lane in to_be_had if not lane.startswith("bf16")]
        variants = [float32[0], *(lane for lane in to_be_had if lane.startswith("bf16"))]
        if setting.name == "small" and float32[0].startswith("compiled"):  # what a run too short to compile for gets
            variants += [lane for lane in float32 if lane.startswith("eager")][:1]
        return {
            "parameters": sum(p.numel() for p in chosen.net.parameters()),
            "variants": variants,
            "reason": chosen.recipe.reasons["lane"],
            "settle_seconds": seconds,
            "compile_seconds": {m.lane: m.compile_seconds for m in chosen.lanes if m.compile_seconds},
            "microseconds": {m.lane: m.microseconds for m in chosen.lanes if not m.refused},
            "refused": {m.lane: m.refused for m in chosen.lanes if m.refused},
            "deviation": {variant: self._deviation(variant) for variant in variants},
        }

    def train(self, variant: str, rows: int, epochs: int) -> float:
        fit = self._ready(variant)
        fit.steps = self.setting.steps(rows) * epochs
        with steady(self.threads), keep_freed_memory():
            began = time.perf_counter()
            fit.run()
            return time.perf_counter() - began

    def _fit(self, lane: str) -> Fit:
        """A settled fit with the plain net's first weights."""
        setting = self.setting
        recipe = recipe_of(setting, self.epochs, self.threads, lane)
        with steady(self.threads), keep_freed_memory():
            shape = tuple(self.source.x(torch.zeros(1, dtype=torch.int64)).shape[1:])
            net_settings = registry.settle(recipe.net, recipe.net_settings)
            net = build(recipe.net, shape, setting.outputs, form_of(setting), **net_settings)
            with torch.no_grad():
                for own, plain in zip(net.parameters(), in_our_order(make_net(setting)), strict=True):
                    own.copy_(plain)
            fit = Fit(net, recipe.task or "", recipe, self.source, None, silent)
            fit.settle()
        assert isinstance(fit.rule, GradientRule)
        self.fits[fit.rule.runner.lane.name] = fit, {name: each.clone() for name, each in fit.rule.tensors().items()}
        return fit

    def _ready(self, variant: str) -> Fit:
        """The fit of a lane, put back to its first weights."""
        if variant not in self.fits:
            self._fit(variant)
        fit, first = self.fits[variant]
        put_back(fit.rule, first)
        fit.state = LoopState()
        return fit

    def _deviation(self, variant: str) -> float:
        """The largest relative difference between our losses and the plain loop's over ``CHECKED_STEPS`` steps."""
        setting = self.setting
        fit = self._ready(variant)
        rule = fit.rule
        assert isinstance(rule, GradientRule)
        net, loss_function = make_net(setting), make_loss(setting)
        optimiser = torch.optim.Adam(net.parameters(), lr=LEARNING_RATE)
        worst = 0.0
        with steady(self.threads), keep_freed_memory():
            fit.net.train()
            rule.runner.enter()
            for step in range(0, CHECKED_STEPS, CHUNK):
                x, y, weight = fit.batches(step, CHUNK)
                ours = rule.advance(x, y, weight, step).tolist()
                for k in range(CHUNK):
                    optimiser.zero_grad()
                    loss = loss_function(net(x[k]), y[k].view(-1, 1) if setting.regression else y[k])
                    loss.backward()
                    optimiser.step()
                    worst = max(worst, abs(ours[k] - loss.item()) / abs(loss.item()))
        return worst


if __name__ == "__main__":
    Workings().serve()
