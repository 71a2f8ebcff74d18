"""Writing with a net that was trained to guess the next token: by chance, or always the likeliest.

z are the logits (V,) of the next token, p = softmax(z) its probabilities.

- temperature τ: p = softmax(z/τ). Below 1 the likely becomes likelier; towards 0 it is all that is left (greedy).
- top-k: only the k likeliest tokens may come (Fan et al. 2018).
- top-p: only the fewest tokens that together have probability p or more may come (Holtzman et al. 2020).

They are applied in this order, and what is left is brought to sum 1. Beam search is in ``beam.py``; how a net without
a state of its own is asked for the next token, in ``writers.py``.

Legend: B batch, S source steps, T steps written, V tokens of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from workings.base.errors import UserError
from workings.base.problems import Problem
from workings.base.tokens import BOS, EOS, PAD, UNK
from workings.learning.writers import read_prompt, writing
from workings.nets.sequences import Writes

NEVER = (PAD, UNK, BOS)  # numbers that stand for no text


@dataclass(frozen=True)
class Sampling:
    """How chance is tempered; 0 as temperature takes the likeliest token always.

    Raises:
        UserError: values that no distribution has; all at once.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None

    def __post_init__(self) -> None:
        problems = []
        for name, value, fits, do in (
            ("temperature", self.temperature, 0 <= self.temperature < float("inf"), "0 or more; 1 is as learnt"),
            ("top_k", self.top_k, self.top_k is None or self.top_k >= 1, "a whole number from 1"),
            ("top_p", self.top_p, self.top_p is None or 0 < self.top_p <= 1, "a number above 0 and up to 1"),
        ):
            if not fits:
                problems.append(Problem("error", "bad-value", f"{name} is {value}.", do=f"Give {do}."))
        if problems:
            raise UserError(problems)

    def probabilities(self, z_BV: Tensor) -> Tensor:
        """(B, V) float64, each row of sum 1: from these the next token is drawn."""
        z_BV = z_BV.double()
        if self.temperature == 0:
            return torch.nn.functional.one_hot(z_BV.argmax(1), z_BV.shape[1]).double()
        # The largest is taken off first: z/τ may be beyond what a float holds, and equal infinities have no softmax.
        z_BV = (z_BV - z_BV.max(1, keepdim=True).values) / self.temperature
        if self.top_k is not None and self.top_k < z_BV.shape[1]:
            kept_Bk = z_BV.topk(self.top_k, dim=1).indices
            z_BV = torch.full_like(z_BV, -torch.inf).scatter(1, kept_Bk, z_BV.gather(1, kept_Bk))
        p_BV = torch.softmax(z_BV, 1)
        if self.top_p is not None and self.top_p < 1:
            falling_BV, order_BV = p_BV.sort(dim=1, descending=True, stable=True)
            before_BV = falling_BV.cumsum(1) - falling_BV  # a token is kept while those before it are too few
            falling_BV = falling_BV.where(before_BV < self.top_p, 0.0)
            p_BV = torch.zeros_like(p_BV).scatter(1, order_BV, falling_BV)
            p_BV = p_BV / p_BV.sum(1, keepdim=True)
        return p_BV


@dataclass(frozen=True)
class Written:
    """Tokens (B, T), PAD behind an EOS; ``scores`` (B,): the sum of ln p of what was written, as the net has it."""

    tokens: Tensor
    scores: Tensor

    def texts(self) -> list[list[int]]:
        """The tokens of each text, without EOS and padding."""
        return [[token for token in row if token not in (PAD, EOS)] for row in self.tokens.tolist()]


@torch.no_grad()
def sample(
    net: nn.Module,
    prompt_BT: Tensor,
    length: int,
    how: Sampling,
    generator: torch.Generator,
    *,
    window: int | None = None,
    source_BS: Tensor | None = None,
    never: Sequence[int] = NEVER,
    stop: int | None = EOS,
) -> Written:
    """Go on with each prompt for ``length`` tokens at most, drawing each from ``how`` of what the net expects.

    prompt_BT: at least one token each. window: the most tokens that a net without a state can read at once.
    source_BS: the source texts of pairs. never: tokens that must not come. stop: the token that ends a text.
    """
    with writing(net, window) as writer:
        z_BV, state = read_prompt(writer, source_BS, prompt_BT)
        return _write(writer, z_BV, state, length, how, generator, never, stop)


@torch.no_grad()
def greedy(
    net: nn.Module,
    source_BS: Tensor | None,
    length: int,
    *,
    batch: int = 1,
    start: int = BOS,
    window: int | None = None,
    never: Sequence[int] = NEVER,
) -> Written:
    """The likeliest token at every step, from ``start`` on."""
    count = batch if source_BS is None else len(source_BS)
    device = next((p.device for p in net.parameters()), None)
    prompt_BT = torch.full((count, 1), start, dtype=torch.int64, device=device)
    # Nothing is drawn, but the generator's place is the same.
    chance = torch.Generator().manual_seed(0)
    how = Sampling(temperature=0)
    return sample(net, prompt_BT, length, how, chance, window=window, source_BS=source_BS, never=never)


def _write(
    writer: Writes,
    z_BV: Tensor,
    state: dict[str, Tensor],
    length: int,
    how: Sampling,
    generator: torch.Generator,
    never: Sequence[int],
    stop: int | None,
) -> Written:
    B = len(z_BV)
    tokens: list[Tensor] = []
    scores_B = torch.zeros(B, dtype=torch.float64)
    ended_B = torch.zeros(B, dtype=torch.bool)
    for t in range(length):
        logp_BV = torch.log_softmax(z_BV.double(), 1).cpu()
        allowed_BV = logp_BV.clone()
        allowed_BV[:, list(never)] = -torch.inf
        p_BV = how.probabilities(allowed_BV)
        if how.temperature == 0:
            token_B = p_BV.argmax(1)
        else:
            token_B = torch.multinomial(p_BV, 1, generator=generator)[:, 0]
        scores_B += logp_BV.gather(1, token_B[:, None])[:, 0].where(~ended_B, 0.0)
        token_B = token_B.where(~ended_B, PAD)
        tokens.append(token_B)
        if stop is not None:
            ended_B |= token_B == stop
            if bool(ended_B.all()):
                break
        if t + 1 < length:
            z_BV, state = writer.step(token_B.to(z_BV.device), state)
    if not tokens:
        return Written(torch.zeros(B, 0, dtype=torch.int64), scores_B)
    return Written(torch.stack(tokens, 1), scores_B)
