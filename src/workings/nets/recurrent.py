"""LSTM (thin)."""

from __future__ import annotations

from typing import Annotated

from torch import Tensor, nn

from workings.base.form import Form
from workings.nets.layers import Dropout
from workings.nets.registry import register
from workings.nets.sequences import ToVectors, max_over_steps
from workings.nets.settings import Setting


@register("lstm", "long short-term memory", shapes="sequence", family="recurrent")
class LSTM(nn.Module):
    """Hochreiter and Schmidhuber 1997."""

    def __init__(
        self,
        shape: tuple[int, ...],
        outputs: int,
        *,
        form: Form,
        embedding: Annotated[int, Setting("numbers of a token's vector", low=1)] = 64,
        width: Annotated[int, Setting("units of a layer, each way", low=1)] = 64,
        dropout: Annotated[float, Setting("part set to 0 in training", low=0, high=0.95)] = 0.5,
    ) -> None:
        super().__init__()
        self.form = form
        self.vectors = ToVectors(shape, form, embedding, dropout)
        self.lstm = nn.LSTM(self.vectors.width, width, batch_first=True, bidirectional=True)
        self.dropout = Dropout(dropout)
        self.output = nn.Linear(2 * width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        vectors, real = self.vectors(x)
        h, _ = self.lstm(vectors)
        return self.output(self.dropout(max_over_steps(h, real)))
