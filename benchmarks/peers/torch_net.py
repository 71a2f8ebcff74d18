"""The nets in plain torch, as the plain loop, Lightning and skorch train them."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from attention_net import TokenLoss, make_attention_net
from attention_settings import AttentionSetting
from recurrent_net import Recurrent
from recurrent_settings import RecurrentSetting
from settings import AnySetting
from torch import Tensor, nn


def make_net(setting: AnySetting) -> nn.Module:
    """(B, *shape) → (B, outputs), drawn from a fixed seed."""
    torch.manual_seed(0)
    if isinstance(setting, AttentionSetting):
        return make_attention_net(setting)
    if isinstance(setting, RecurrentSetting):
        return Recurrent(setting)
    layers: list[nn.Module] = []
    for inputs, filters in pairwise((setting.shape[0], *setting.channels)):
        layers += [nn.Conv2d(inputs, filters, 3, padding="same"), nn.ReLU(), nn.MaxPool2d(2)]
    features = setting.shape[0]
    if setting.channels:
        layers.append(nn.Flatten())
        features = setting.channels[-1] * math.prod(setting.shape[1:]) // 4 ** len(setting.channels)
    for inputs, units in pairwise((features, *setting.hidden)):
        layers += [nn.Linear(inputs, units), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(setting.hidden[-1], setting.outputs))


def in_our_order(net: nn.Module) -> list[Tensor]:
    """The parameters in the order in which Workings has them."""
    return net.in_our_order() if hasattr(net, "in_our_order") else list(net.parameters())


def make_loss(setting: AnySetting) -> nn.Module:
    if isinstance(setting, AttentionSetting) and setting.kind == "gpt":
        return TokenLoss()
    return nn.MSELoss() if setting.regression else nn.CrossEntropyLoss()


def tensors(setting: AnySetting) -> tuple[Tensor, Tensor]:
    x, y = setting.data()
    return torch.from_numpy(x), torch.from_numpy(y)


def variants(threads: list[int]) -> list[str]:
    """Threads, and Adam as torch chooses it or in its fused form."""
    return [f"{count} thread{'s' if count > 1 else ''}, {adam}" for count in threads for adam in ("Adam", "fused Adam")]


def apply(variant: str) -> bool | None:
    """Set the threads of a variant; whether its Adam is fused (None: torch's own choice)."""
    torch.set_num_threads(int(variant.split()[0]))
    return True if "fused Adam" in variant else None
