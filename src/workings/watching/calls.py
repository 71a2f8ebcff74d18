"""Being told of every ``backward``, by whoever calls it.

``Tensor.backward`` looks ``torch.autograd.backward`` up on every call, so a function put there sees all of them. It is
put there once however many watches are awake, and taken away with the last.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor


class Listener(Protocol):
    """What is told."""

    def before_backward(self, loss: Tensor) -> None:
        """``backward`` is about to be called on ``loss``."""

    def after_backward(self) -> None:
        """It is done."""


_listeners: list[Listener] = []
_torchs: Callable[..., Any] = torch.autograd.backward
_plain = _torchs
_over: Callable[..., Any] | None = None  # somebody else's function, which calls the one here


def _told(tensors: Any, *args: Any, **kwargs: Any) -> Any:
    loss = tensors if isinstance(tensors, Tensor) else next(iter(tensors), None)
    if isinstance(loss, Tensor):
        for listener in _listeners:
            listener.before_backward(loss)
    given = _plain(tensors, *args, **kwargs)
    for listener in _listeners:
        listener.after_backward()
    return given


class Listening:
    """A listener that is told of every ``backward`` while it is awake."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.awake = False

    def wake(self) -> None:
        """It is told from now on."""
        global _plain
        if not self.awake:
            self.awake = True
            _listeners.append(self.listener)
            now = torch.autograd.backward
            if now is not _told and now is not _over:
                _plain = now
                torch.autograd.backward = _told

    def sleep(self) -> None:
        """It is told no more. Where somebody else has put a function over this one, it stays below and does nothing."""
        global _over
        if self.awake:
            self.awake = False
            _listeners.remove(self.listener)
            now = torch.autograd.backward
            if now is not _told:
                _over = None if now is _torchs else now
            elif not _listeners:
                torch.autograd.backward = _plain
