"""The stream of training batches: every epoch a new order, every batch full, nothing to remember.

Row number s of the stream is row s mod n of the permutation of epoch s // n, and step t takes rows tB … (t+1)B−1.
So batches run on over the end of an epoch: no batch is short, no row is dropped, each row is seen equally often,
and the batch of any step can be found from (seed, t) alone, which makes resuming exact.
"""

from __future__ import annotations

import torch
from torch import Tensor


class Stream:
    """Batches of row indices.

    n: rows. batch: B, at most n. weights: (n,) to draw rows with replacement in proportion to them (weighted
    sampling against imbalance), or None for permutations. shuffle: False keeps the rows' own order.
    """

    def __init__(self, n: int, batch: int, seed: int, weights: Tensor | None = None, shuffle: bool = True) -> None:
        assert 0 < batch <= n
        self.n = n
        self.batch = batch
        self.seed = seed
        self.weights = weights
        self.shuffle = shuffle
        self._orders: dict[int, Tensor] = {}

    def order(self, epoch: int) -> Tensor:
        """The rows of one epoch, (n,) int64."""
        if epoch not in self._orders:
            self._orders = {e: order for e, order in self._orders.items() if e >= epoch - 1}
            self._orders[epoch] = self._draw(epoch)
        return self._orders[epoch]

    def _draw(self, epoch: int) -> Tensor:
        if not self.shuffle:
            return torch.arange(self.n)
        generator = torch.Generator().manual_seed((self.seed * 1_000_003 + epoch) % 2**63)
        if self.weights is not None:
            return torch.multinomial(self.weights, self.n, replacement=True, generator=generator)
        return torch.randperm(self.n, generator=generator)

    def rows(self, step: int, steps: int) -> Tensor:
        """The rows of ``steps`` batches from ``step`` on, (steps · B,) int64."""
        start, stop = step * self.batch, (step + steps) * self.batch
        pieces = []
        while start < stop:
            epoch, offset = divmod(start, self.n)
            take = min(stop - start, self.n - offset)
            pieces.append(self.order(epoch)[offset : offset + take])
            start += take
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces)

    def epoch_of(self, step: int) -> int:
        """How many whole epochs were seen after ``step`` steps."""
        return step * self.batch // self.n
