"""The recurrent nets in plain torch: its own layer, then a dense one from the last step."""

from __future__ import annotations

import torch
from recurrent_settings import RecurrentSetting
from torch import Tensor, nn


class Recurrent(nn.Module):
    """x (B, T, D) → logits (B, K)."""

    def __init__(self, setting: RecurrentSetting) -> None:
        super().__init__()
        layer = nn.LSTM if setting.kind == "lstm" else nn.GRU
        self.layer = layer(setting.inputs, setting.width, batch_first=True)
        self.output = nn.Linear(setting.width, setting.outputs)
        H = setting.width
        inner = self.layer.bias_hh_l0
        kept = torch.zeros_like(inner)
        if setting.kind == "gru":
            kept[2 * H :] = 1  # within the candidate it is no second bias
        with torch.no_grad():
            inner *= kept
        # The second bias stays 0 and so learns what one alone would; it is computed all the same.
        inner.register_hook(lambda g: g * kept)

    def forward(self, x: Tensor) -> Tensor:
        h, _ = self.layer(x)
        return self.output(h[:, -1])

    def in_our_order(self) -> list[Tensor]:
        """The parameters in the order in which Workings has them."""
        layer = self.layer
        found = [layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0]
        if isinstance(layer, nn.GRU):
            found.append(layer.bias_hh_l0[2 * layer.hidden_size :])
        return [*found, *self.output.parameters()]
