"""One way to ask any net for the next token, whether it keeps a state or must read what is written each time anew.

A net with ``start`` and ``step`` (``Writes`` in ``nets/sequences.py``) is asked as it is. Any other reads the whole
prefix at every step.

Legend: B batch, S source steps, T steps written, V tokens of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import torch
from torch import Tensor, nn

from workings.base.tokens import PAD
from workings.nets.sequences import Writes


class ByPrefix:
    """``Writes`` for any net: its state is all that was written, and it reads that at every step.

    Nets for pairs take (B, 2, T), source and target padded to one length; others (B, T). window: the most tokens the
    net can read; once there are more, the older half is forgotten. None where it knows no end.
    """

    def __init__(self, net: nn.Module, window: int | None = None) -> None:
        self.net = net
        self.window = window

    def start(self, source_BS: Tensor | None, batch: int) -> dict[str, Tensor]:
        """Nothing written yet."""
        if source_BS is None:
            return {"tokens": torch.zeros(batch, 0, dtype=torch.int64)}
        return {"source": source_BS, "tokens": source_BS.new_zeros(batch, 0)}

    def step(self, token_B: Tensor, state: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """The last step's answer to all tokens so far."""
        tokens_BT = torch.cat([state["tokens"].to(token_B.device), token_B[:, None]], 1)
        if self.window is not None and tokens_BT.shape[1] > self.window:
            tokens_BT = tokens_BT[:, -max(1, self.window // 2) :]
        T = tokens_BT.shape[1]
        x = tokens_BT
        if "source" in state:
            longest = max(T, state["source"].shape[1])
            x = torch.stack([_padded(state["source"], longest), _padded(tokens_BT, longest)], 1)
        return self.net(x)[:, T - 1], {**state, "tokens": tokens_BT}


def _padded(tokens_BT: Tensor, length: int) -> Tensor:
    return nn.functional.pad(tokens_BT, (0, length - tokens_BT.shape[1]), value=PAD)


@contextmanager
def writing(net: nn.Module, window: int | None = None) -> Iterator[Writes]:
    """``net`` as a writer, in evaluation mode for as long as it writes; its mode is put back.

    window: see :class:`ByPrefix`; a net that keeps a state knows its own end.
    """
    mode = net.training
    net.eval()
    try:
        by_itself = hasattr(net, "start") and hasattr(net, "step")
        yield cast(Writes, net) if by_itself else cast(Writes, ByPrefix(net, window))
    finally:
        net.train(mode)


def read_prompt(writer: Writes, source_BS: Tensor | None, prompt_BT: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """The logits (B, V) of the token after the prompts, and the state there."""
    assert prompt_BT.shape[1], "there must be a token to begin with"
    state = writer.start(source_BS, len(prompt_BT))
    z_BV = torch.zeros(0)
    for t in range(prompt_BT.shape[1]):
        z_BV, state = writer.step(prompt_BT[:, t], state)
    return z_BV, state
