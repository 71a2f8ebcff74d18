"""What happens inside a net during one forward and backward pass, seen from outside and changed in nothing.

Operations are seen at the level at which models are written (``F.linear``, ``torch.relu``) by a torch function mode,
so an activation called in ``forward`` is seen like one that is a module. Only the modules' paths need hooks, and fused
recurrent layers, which are one call. Everything measured stays a tensor until ``Tap.read``: one stacked read for the
whole net, so that a device is waited for once.

Neutral: statistics are computed without gradient and without random numbers; hooks return nothing.

Legend: B batch, T steps, U units.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

Measured = tuple[str, str, Tensor]  # where, name, a number as a tensor ()

# Operations that are looked at: the bounds of what they give, where they have some.
ACTIVATIONS: dict[str, tuple[float, float] | None] = {
    "relu": None,
    "relu_": None,
    "relu6": (0.0, 6.0),
    "leaky_relu": None,
    "elu": None,
    "selu": None,
    "gelu": None,
    "silu": None,
    "softplus": None,
    "tanh": (-1.0, 1.0),
    "sigmoid": (0.0, 1.0),
    "hardsigmoid": (0.0, 1.0),
    "hardtanh": (-1.0, 1.0),
}
AFFINE = ("linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "bilinear")
NORMS = ("batch_norm", "layer_norm", "group_norm", "instance_norm", "rms_norm")
CHANNELS_FIRST = ("conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "batch_norm", "group_norm")
LOSSES = (
    "cross_entropy",
    "nll_loss",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "mse_loss",
    "l1_loss",
    "smooth_l1_loss",
    "huber_loss",
    "kl_div",
    "poisson_nll_loss",
    "gaussian_nll_loss",
)
RECURRENT = (nn.RNN, nn.LSTM, nn.GRU)


class Tap(TorchFunctionMode):
    """Looks while it is entered (``with tap.looking(): forward; backward``), then gives what it saw to ``read``.

    net: the model. alive: units seen to give something other than 0, by place, over the last looks; changed here.
    on_loss: called with (name, arguments, keywords) of every loss function of torch's that is called, once.
    """

    def __init__(
        self,
        net: nn.Module,
        alive: dict[str, list[Tensor]] | None = None,
        on_loss: Callable[[str, tuple[Any, ...], dict[str, Any]], None] | None = None,
    ) -> None:
        super().__init__()
        self.net = net
        self.alive = {} if alive is None else alive
        self.on_loss = on_loss
        self.found: list[Measured] = []
        self.order: list[str] = []
        self._path: list[str] = []
        self._uses: dict[str, int] = {}
        self._paused = False

    # -------------------------------------------------------------------------------------- operations

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if self._paused:
            return func(*args, **kwargs)
        name = getattr(func, "__name__", "")
        if name in LOSSES and self.on_loss is not None:
            with self._quiet(), torch.no_grad():
                self.on_loss(name, args, kwargs)
        if name in LOSSES:  # it may call others of them
            with self._quiet():
                return func(*args, **kwargs)
        if name == "scaled_dot_product_attention":
            with self._quiet(), torch.no_grad():
                self._attention(args, kwargs)
            return func(*args, **kwargs)
        watched = name in ACTIVATIONS or name in AFFINE or name in NORMS or name in ("embedding", "softmax")
        if not watched:
            return func(*args, **kwargs)
        with self._quiet():
            out = func(*args, **kwargs)
            self._look(name, out)
        return out

    def _look(self, name: str, out: Tensor) -> None:
        if not out.is_floating_point() or not out.numel():
            return
        where = self._place(name.rstrip("_"))
        with torch.no_grad():
            o = out.detach()
            self._numbers(where, o, ACTIVATIONS.get(name))
            if name in ("relu", "relu_"):
                self._units(where, o)
        if out.requires_grad:
            out.register_hook(lambda δ: self._delta(where, δ))

    def _numbers(self, where: str, o: Tensor, bounds: tuple[float, float] | None) -> None:
        std, mean = torch.std_mean(o.float(), correction=0)
        self.found += [
            (where, "mean", mean),
            (where, "std", std),
            (where, "largest", torch.linalg.vector_norm(o.flatten(), float("inf"))),
            (where, "zero", 1 - o.count_nonzero() / o.numel()),
        ]
        if bounds is not None:
            low, high = bounds
            near = 0.01 * (high - low) / 2
            self.found.append((where, "saturated", ((o <= low + near) | (o >= high - near)).float().mean()))

    def _units(self, where: str, o: Tensor) -> None:
        """Share of units that gave 0 throughout the last looks. Units lie along axis 1 of images, else the last."""
        axis = 1 if o.ndim == 4 else o.ndim - 1
        active_U = (o != 0).any(dim=[d for d in range(o.ndim) if d != axis]) if o.ndim > 1 else o != 0
        seen = self.alive.setdefault(where, [])
        seen.append(active_U)
        del seen[:-WINDOW]
        if len({len(each) for each in seen}) == 1:
            ever_U = torch.stack(seen).any(0)
            self.found.append((where, "dead", 1 - ever_U.float().mean()))

    def _attention(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Entropy of softmax(qkᵀ/√d) along its rows over that of equal shares, of the first sample; nothing masked."""
        q, k = (args[i] if len(args) > i else kwargs.get(n) for i, n in enumerate(("query", "key")))
        if (
            not isinstance(q, Tensor)
            or not isinstance(k, Tensor)
            or k.shape[-2] < 2
            or q.shape[-3:-2] != k.shape[-3:-2]
        ):
            return
        q, k = q.reshape(-1, *q.shape[-3:])[0].float(), k.reshape(-1, *k.shape[-3:])[0].float()
        e = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5
        if kwargs.get("is_causal"):
            e = e.masked_fill(torch.ones_like(e).triu(1).bool(), float("-inf"))
            allowed = torch.arange(1, e.shape[-1] + 1, device=e.device).log()[: e.shape[-2]].clamp_min(1e-9)
        else:
            allowed = torch.full((e.shape[-2],), float(e.shape[-1]), device=e.device).log()
        α = e.softmax(-1)
        entropy = torch.special.entr(α).sum(-1) / allowed
        where = self._place("attention")
        self.found += [(where, "entropy", entropy[..., 1:].mean()), (where, "largest", e[e.isfinite()].abs().max())]

    def _delta(self, where: str, δ: Tensor) -> None:
        with self._quiet(), torch.no_grad():
            self.found.append((where, "delta", rms(δ)))

    # ----------------------------------------------------------------------------------------- modules

    def _recurrent(self, path: str) -> Callable[..., None]:
        def hook(module: Any, args: Any, out: Any) -> None:
            if self._paused or not isinstance(out, tuple) or not isinstance(out[0], Tensor):
                return
            where, h = f"{path}·{type(module).__name__.lower()}", out[0]
            self._keep_order(where)
            axis = 1 if module.batch_first else 0

            def delta(δ: Tensor) -> None:
                self._delta(where, δ)

            with self._quiet(), torch.no_grad():
                self._numbers(where, h.detach(), (-1.0, 1.0) if not isinstance(module, nn.RNN) else None)
            if h.requires_grad and h.ndim == 3 and h.shape[axis] > 1:
                h.register_hook(delta)

        return hook

    @contextmanager
    def looking(self) -> Iterator[Tap]:
        """Looking, with the modules' paths known."""
        handles = []

        def before(path: str) -> Callable[..., None]:
            return lambda module, args: self._path.append(path)

        def after(module: nn.Module, args: Any, out: Any) -> None:
            if self._path:
                self._path.pop()

        for path, module in self.net.named_modules():
            handles.append(module.register_forward_pre_hook(before(path)))
            handles.append(module.register_forward_hook(after, always_call=True))
            if isinstance(module, RECURRENT):
                handles.append(module.register_forward_hook(self._recurrent(path)))
        try:
            with self:
                yield self
        finally:
            for handle in handles:
                handle.remove()

    def _place(self, name: str) -> str:
        """``path·operation``, numbered from the second use on."""
        where = f"{self._path[-1] if self._path else ''}·{name}"
        self._uses[where] = self._uses.get(where, 0) + 1
        if self._uses[where] > 1:
            where = f"{where}#{self._uses[where]}"
        self._keep_order(where)
        return where

    def _keep_order(self, where: str) -> None:
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
        found = [*self.found, *(more or [])]
        self.found = []
        if not found:
            return []
        numbers = torch.stack([value.detach().float().reshape(()) for _, _, value in found]).tolist()
        return [(where, name, number) for (where, name, _), number in zip(found, numbers, strict=True)]


WINDOW = 8  # looks over which a unit must stay silent to be called dead


def rms(x: Tensor) -> Tensor:
    """√(mean of x²), () ."""
    return torch.linalg.vector_norm(x.float()) * max(x.numel(), 1) ** -0.5
