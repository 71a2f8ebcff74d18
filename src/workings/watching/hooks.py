"""Hooks that leave no trace: what is called when a model is, or an optimiser steps.

Trap: hooks that stay on a module make each of its calls a little dearer, and turn off fast paths of attention in
evaluation; so they are there while a look is taken only, unless the model depends on its mode and must be seen always.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from workings.watching import operations as known


class Hook:
    """A function as a hook, of which copies and pickles of the module keep one that does nothing."""

    def __init__(self, call: Callable[..., None] | None = None) -> None:
        self.call = call

    def __call__(self, *args: Any) -> None:
        """Hooks return nothing, so that they change nothing."""
        if self.call is not None:
            self.call(*args)

    def __deepcopy__(self, memo: Any) -> Hook:
        return Hook()

    def __reduce__(self) -> tuple[type[Hook], tuple[()]]:
        return Hook, ()


class Steps(Hook):
    """A hook after an optimiser's steps that sleeps through steps of which nothing is wanted.

    gone: steps since it called last. wait: at this one it calls again; 1: at each.
    """

    def __init__(self, call: Callable[..., None] | None = None) -> None:
        super().__init__(call)
        self.gone, self.wait = 0, 1

    def __call__(self, *args: Any) -> None:
        """Count the step, and mostly no more."""
        if self.gone + 1 < self.wait:
            self.gone += 1
        elif self.call is not None:
            self.call(*args)


def seconds_of_a_call() -> float:
    """How long calling a hook takes on this machine, now."""
    hook = Hook(lambda *given: None)
    began = time.perf_counter()
    for _ in range(64):
        hook(None, None, None)
    return (time.perf_counter() - began) / 64


class Roots:
    """The modules whose calls are a model's forward passes: the model, or its parts where it is never called itself.

    told: called with (module, args, kwargs) before each. not_seen: called with what cannot be seen, in words.
    """

    def __init__(
        self, model: nn.Module, told: Callable[[nn.Module, Any, Any], None], not_seen: Callable[[str], None]
    ) -> None:
        self.model = model
        self.told = told
        self.not_seen = not_seen
        self.modules = self._seen([model])
        self._handles: list[Any] = []

    def _seen(self, modules: list[nn.Module]) -> list[nn.Module]:
        seen = []
        for module in modules:
            if isinstance(module, (*known.FAST_PATHS, torch.jit.ScriptModule)):
                # Any hook would turn torch's fast path off in evaluation, and change results by rounding.
                self.not_seen(f"forward passes of {type(module).__name__}")
            else:
                seen.append(module)
        return seen

    def look(self) -> None:
        """Be told of forward passes from now on."""
        if not self._handles:
            hook = Hook(self.told)
            self._handles = [each.register_forward_pre_hook(hook, with_kwargs=True) for each in self.modules]

    def rest(self) -> None:
        """No more."""
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def parts(self) -> None:
        """The model as a whole is not called: its parts are."""
        children = [child for child in self.model.children() if any(True for _ in child.parameters())]
        if children:
            self.rest()
            self.modules = self._seen(children)


def compiled(parts: list[nn.Module]) -> bool:
    """Whether any of a net's modules is compiled: what happens inside is not seen, and no mode may be entered."""
    return any(
        hasattr(module, "_orig_mod")
        or getattr(module, "_compiled_call_impl", None) is not None
        or isinstance(module, torch.jit.ScriptModule)
        for module in parts
    )


def fast_path(parts: list[nn.Module]) -> bool:
    """Whether a forward pass with gradients may take a fast path of torch's attention: a part that is in evaluation
    mode and frozen. Looking would turn it off, and change the result by rounding."""
    return any(
        isinstance(module, known.FAST_PATHS)
        and not module.training
        and not any(p.requires_grad for p in module.parameters())
        for module in parts
    )
