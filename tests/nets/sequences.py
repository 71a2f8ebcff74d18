"""Samples of every form that nets for sequences take, and such nets as functions; four samples of six steps at most."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from workings.base.form import Form
from workings.base.tokens import PAD

K, B, T, V = 3, 4, 6, 11
LENGTHS = (6, 3, 1, 5)
FORMS: dict[str, tuple[Form, tuple[int, ...]]] = {
    "text": (Form(vocabulary=V), (T,)),
    "language": (Form(vocabulary=V, each_step=True), (T,)),
    "frames": (Form(), (T, 2)),
    "tagging": (Form(each_step=True), (T, 2)),
    "series": (Form(horizon=2), (T, 2)),
    "pairs": (Form(vocabulary=(V + 2, V)), (2, T)),
}
Case = tuple[str, str, dict[str, Any]]  # form, net, settings


def case_id(case: Case) -> str:
    form, name, given = case
    return f"{form}-{name}-{'-'.join(f'{key}={value}' for key, value in given.items())}"


def samples(case: Case, dtype: torch.dtype = torch.float64) -> Tensor:
    """Four samples, padded where their form may be; of pairs, the targets are shorter by their turn."""
    form, shape = FORMS[case[0]]
    torch.manual_seed(2)
    beyond = torch.arange(T) >= torch.tensor(LENGTHS)[:, None]
    if case[0] == "pairs":
        return torch.randint(4, V, (B, 2, T)).masked_fill(torch.stack([beyond, beyond.flip(0)], 1), PAD)
    if form.vocabulary is not None:
        return torch.randint(1, V, (B, T)).masked_fill(beyond, PAD)
    x = torch.randn(B, *shape, dtype=dtype)
    return x if form.horizon is not None else x.masked_fill(beyond[..., None], torch.nan)


def forward(net: nn.Module, seed: int = 2) -> Any:
    """The net as a function of its input and its parameters, the same random numbers at every call."""
    names = [name for name, _ in net.named_parameters()]

    def run(x: Tensor, *parameters: Tensor) -> Tensor:
        torch.manual_seed(seed)
        return functional_call(net, dict(zip(names, parameters, strict=True)), (x,))

    return run
