"""What happens inside a net during one forward and backward pass, seen from outside and changed in nothing.

Operations are seen at the level at which models are written (``F.linear``, ``torch.relu``) by a torch function mode,
so an activation called in ``forward`` is seen like one that is a module. The modules' paths, recurrent layers and
attention need hooks. Everything measured stays a tensor until ``Tap.read``: one stacked read for the whole net, so that
a device is waited for once.

Neutral: statistics are computed without gradient and without random numbers; hooks return nothing. Traps: with a mode
or with hooks, torch does not take the fast paths of its attention, which it takes in evaluation only, and which round
otherwise; so ``Tap`` must be entered around forward passes of training only (``fast_path``). A compiled part would be
compiled again under a mode; do not enter it there (``compiled``).

Legend: B batch, T steps, U units.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from workings.watching import operations as known
from workings.watching.recurrent import Recurrent
from workings.watching.statistics import (
    RARE,
    Measured,
    activity,
    entropy_of_rows,
    of_input,
    of_numbers,
    read,
    rms,
    scores,
    scores_of_heads,
    some,
)

WINDOW = 8  # looks over which a unit must stay silent to be called dead


class Tap(TorchFunctionMode):
    """Looks while it is entered (``with tap.looking(): forward``), and at gradients until ``read``.

    net: the model. alive: units seen to give something other than 0, by place, over the last looks; changed here.
    """

    def __init__(self, net: nn.Module, alive: dict[str, list[Tensor]] | None = None) -> None:
        super().__init__()
        self.net = net
        self.alive = {} if alive is None else alive
        self.found: list[Measured] = []
        self.order: list[str] = []
        self.affine = self.nonlinear = 0  # operations seen
        self.drops = False  # whether dropout is called as a function, so that the net depends on its mode
        self.recurrent = Recurrent(self._careful)
        self.seconds, self.calls = 0.0, 0  # what looking took, as far as it is measured; how many operations came by
        self.error: Exception | None = None  # what looking stumbled over: after it nothing more is looked at
        self._path: list[str] = []
        self._uses: dict[str, int] = {}
        self._paused = False

    # -------------------------------------------------------------------------------------- operations

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        self.calls += 1
        if self._paused:
            return func(*args, **kwargs)
        name = known.plain(name)
        watched = name in known.ACTIVATIONS or name in known.AFFINE or name in known.NORMS or name in known.SELDOM
        if not watched:
            if name in known.ATTENTIONS:
                with self._quiet():
                    self._careful(self._scaled if name == known.ATTENTIONS[0] else self._many_headed, args, kwargs)
            self._count(name, args, kwargs)
            return func(*args, **kwargs)
        with self._quiet():
            out = func(*args, **kwargs)
            if isinstance(out, Tensor):
                self._careful(self._look, name, out, args, kwargs)
            self._count(name, args, kwargs)
        return out

    def _careful(self, look: Callable[..., None], *given: Any) -> None:
        """The model must never stop because it is looked at: tensors may be of kinds that nobody thought of."""
        if self.error is not None:
            return
        began = time.perf_counter()
        try:
            with torch.no_grad():
                look(*given)
        except Exception as error:  # noqa: BLE001 - kept, and told by whoever looks
            self.error = error
        self.seconds += time.perf_counter() - began

    def _count(self, name: str, args: Any, kwargs: Any) -> None:
        if name in known.AFFINE or name in known.PRODUCTS:
            self.affine += 1
        elif name in known.ACTIVATIONS or name in known.SELDOM[1:] or name in known.NOT_LINEAR:
            self.nonlinear += 1
        elif name in known.DROPOUTS:
            self.drops = self.drops or bool(_argument(args, kwargs, 1, "p") or 0.5)

    def _look(self, name: str, out: Tensor, args: Any, kwargs: Any) -> None:
        if not out.is_floating_point() or not out.numel() or inside_a_transform(out):
            return
        where = self._place(name)
        o = some(out.detach())
        self.found += of_numbers(where, o, known.ACTIVATIONS.get(name))
        if name == "relu":
            self._units(where, o)
        elif name in known.ACTIVATIONS:
            self.found.append((where, "zero", 1 - o.count_nonzero() / o.numel()))
        elif name == "embedding":
            self._rows(where, args, kwargs)
        elif name == "batch_norm" and _argument(args, kwargs, 5, "training"):
            self.found.append((where, "normed_over", out.numel() / out.shape[1]))
        if out.requires_grad:
            out.register_hook(lambda δ: self._delta(where, δ))

    def _units(self, where: str, o: Tensor) -> None:
        """Shares of units that gave 0 for every sample of the last looks, and that are seldom active."""
        activity_U = activity(o)
        active_U = activity_U > 0
        self.found += [
            (where, "zero", 1 - activity_U.mean()),
            (where, "rare", (activity_U < RARE).float().mean()),
        ]
        seen = self.alive.setdefault(where, [])
        if seen and len(seen[0]) != len(active_U):
            seen.clear()
        seen.append(active_U)
        del seen[:-WINDOW]
        self.found.append((where, "dead", 1 - torch.stack(seen).any(0).float().mean()))

    def _rows(self, where: str, args: Any, kwargs: Any) -> None:
        tokens, table = _argument(args, kwargs, 0, "input"), _argument(args, kwargs, 1, "weight")
        if isinstance(tokens, Tensor) and isinstance(table, Tensor):
            asked = torch.zeros(len(table), dtype=torch.bool, device=tokens.device)
            self.found.append((where, "rows_used", asked.index_fill_(0, tokens.reshape(-1), True).sum()))
            self.found.append((where, "rows", float(len(table))))

    def _scaled(self, args: Any, kwargs: Any) -> None:
        q, k, mask = (_argument(args, kwargs, i, n) for i, n in ((0, "query"), (1, "key"), (3, "attn_mask")))
        causal, scale = bool(_argument(args, kwargs, 5, "is_causal")), _argument(args, kwargs, 6, "scale")
        if isinstance(q, Tensor) and isinstance(k, Tensor) and not inside_a_transform(q):
            self.attention(scores(q.detach(), k.detach(), mask, causal, scale))

    def _many_headed(self, args: Any, kwargs: Any) -> None:
        given = dict(zip(known.MANY_HEADED, args, strict=False)) | kwargs
        if isinstance(given.get("query"), Tensor) and not inside_a_transform(given["query"]):
            self.attention(scores_of_heads(given))

    def attention(self, e: Tensor | None) -> None:
        """Scores of one attention (…, T_q, T_k), −∞ where hidden."""
        if e is not None:
            entropy, largest = entropy_of_rows(e)
            where = self._place("attention")
            self.found += [(where, "entropy", entropy), (where, "largest", largest)]

    def _delta(self, where: str, δ: Tensor) -> None:
        with self._quiet():
            self._careful(lambda: self.found.append((where, "delta", rms(some(δ)))))

    # ----------------------------------------------------------------------------------------- modules

    @contextmanager
    def looking(self) -> Iterator[Tap]:
        """Looking, with the modules' paths known."""
        with self.paths(), self:
            yield self

    @contextmanager
    def paths(self) -> Iterator[None]:
        """The modules say where the forward pass is."""
        handles: list[Any] = []
        began = time.perf_counter()

        def before(path: str) -> Callable[..., None]:
            return lambda module, args: self._path.append(path)

        def after(module: nn.Module, args: Any, out: Any) -> None:
            if self._path:
                self._path.pop()

        for path, module in self.net.named_modules():
            handles.append(module.register_forward_pre_hook(before(path)))
            handles.append(module.register_forward_hook(after, always_call=True))
            if self.recurrent.sees(module):
                handles.append(module.register_forward_hook(self._layer(path), with_kwargs=True))
        self.seconds += 2 * (time.perf_counter() - began)  # taking them away takes as long
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _layer(self, path: str) -> Callable[..., None]:
        def hook(module: nn.Module, args: Any, kwargs: Any, out: Any) -> None:
            if self._paused:
                return
            where = f"{path}·{type(module).__name__.lower()}"
            self.keep_order(where)
            self.nonlinear += 1
            with self._quiet():
                self._careful(self._recurrent, where, module, args, kwargs, out)

        return hook

    def _recurrent(self, where: str, *given: Any) -> None:
        with torch.enable_grad():
            self.found += self.recurrent.look(where, *given)

    def given(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """What the net is given; of floating point its first tensor is "input"."""
        x = next((each for each in (*args, *kwargs.values()) if isinstance(each, Tensor)), None)
        if x is not None and x.is_floating_point() and x.ndim > 1 and x.numel() and not inside_a_transform(x):
            self.keep_order("input")
            with self._quiet(), torch.no_grad():
                self.found += of_input(x)

    def _place(self, name: str) -> str:
        """``path·operation``, numbered from the second use on."""
        where = f"{self._path[-1] if self._path else ''}·{name}"
        self._uses[where] = self._uses.get(where, 0) + 1
        if self._uses[where] > 1:
            where = f"{where}#{self._uses[where]}"
        self.keep_order(where)
        return where

    def keep_order(self, where: str) -> None:
        """A place, in the order of the forward pass."""
        if where not in self.order:
            self.order.append(where)

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        before, self._paused = self._paused, True
        try:
            yield
        finally:
            self._paused = before

    # -------------------------------------------------------------------------------------------- read

    def read(self, more: list[Measured] | None = None) -> list[tuple[str, str, float]]:
        """Everything measured, and ``more``, in one read. Numbers that are not finite are kept as they are."""
        found = [*self.found, *self.recurrent.read(), *(more or [])]
        self.found = []
        return read(found)


def _argument(args: tuple[Any, ...], kwargs: dict[str, Any], i: int, name: str) -> Any:
    return args[i] if len(args) > i else kwargs.get(name)


def inside_a_transform(x: Tensor) -> bool:
    """Whether a tensor belongs to ``torch.func``'s vmap, grad …: it means nothing outside."""
    return bool(torch._C._functorch.is_functorch_wrapped_tensor(x))  # pyright: ignore[reportAttributeAccessIssue]
