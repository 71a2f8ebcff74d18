"""Being told of every ``backward``, by whoever calls it.

``Tensor.backward`` looks ``torch.autograd.backward`` up on every call, so a function put there sees all of them. It is
put there once however many watches are open, and taken away with the last.
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
_plain: Callable[..., Any] = torch.autograd.backward


def _told(tensors: Any, *args: Any, **kwargs: Any) -> Any:
    loss = tensors if isinstance(tensors, Tensor) else next(iter(tensors), None)
    if isinstance(loss, Tensor):
        for listener in _listeners:
            listener.before_backward(loss)
    given = _plain(tensors, *args, **kwargs)
    for listener in _listeners:
        listener.after_backward()
    return given


def listen(listener: Listener) -> Callable[[], None]:
    """The listener is told of every ``backward`` from now on; returns how to stop it."""
    global _plain
    if not _listeners and torch.autograd.backward is not _told:
        _plain = torch.autograd.backward
        torch.autograd.backward = _told
    _listeners.append(listener)

    def stop() -> None:
        if listener in _listeners:
            _listeners.remove(listener)
        # Where somebody else has put a function over this one, it stays below and does nothing.
        if not _listeners and torch.autograd.backward is _told:
            torch.autograd.backward = _plain

    return stop
