"""The stream of training batches: every epoch a new order, every batch full, nothing to remember.

Row number s of the stream is row s mod n of the order of epoch s // n, and step t takes rows tB … (t+1)B−1.
So batches run on over the end of an epoch: no batch is short, no row is dropped, each row is seen equally often,
and the batch of any step can be found from (seed, t) alone, which makes resuming exact.
"""

from __future__ import annotations

import torch
from torch import Tensor

POOL = 50  # batches that are sorted by length together: padding shrinks, and batches stay well mixed


class Stream:
    """Batches of row indices.

    rows: in all. batch: B, at most n. weights: (rows,) to draw rows with replacement in proportion to them (weighted
    sampling against imbalance), or None for permutations. shuffle: False keeps the rows' own order.
    lengths: (rows,); rows of similar length come into one batch. stride: an epoch takes every stride-th row only,
    from a random first one on; n, the rows of an epoch, is then rows // stride.
    """

    def __init__(
        self,
        rows: int,
        batch: int,
        seed: int,
        weights: Tensor | None = None,
        shuffle: bool = True,
        lengths: Tensor | None = None,
        stride: int = 1,
    ) -> None:
        self.n = max(1, rows // stride)
        assert 0 < batch <= self.n
        self._rows = rows
        self.batch = batch
        self.seed = seed
        self.weights = weights
        self.shuffle = shuffle
        self.lengths = lengths
        self.stride = stride
        self._orders: dict[int, Tensor] = {}

    def order(self, epoch: int) -> Tensor:
        """The rows of one epoch, (n,) int64."""
        if epoch not in self._orders:
            self._orders = {e: order for e, order in self._orders.items() if e >= epoch - 1}
            self._orders[epoch] = self._draw(epoch)
        return self._orders[epoch]

    def _draw(self, epoch: int) -> Tensor:
        if not self.shuffle:
            return torch.arange(self.n) * self.stride
        generator = torch.Generator().manual_seed((self.seed * 1_000_003 + epoch) % 2**63)
        if self.weights is not None:
            return torch.multinomial(self.weights, self.n, replacement=True, generator=generator)
        order = torch.randperm(self.n, generator=generator)
        if self.stride > 1:
            last = self._rows - 1 - (self.n - 1) * self.stride
            order = order * self.stride + int(torch.randint(last + 1, (), generator=generator))
        return order if self.lengths is None else self._by_length(order, epoch, generator)

    def _by_length(self, order: Tensor, epoch: int, generator: torch.Generator) -> Tensor:
        """Rows sorted by length within pools of batches; then the batches, cut where steps will cut them, shuffled."""
        assert self.lengths is not None
        first = -epoch * self.n % self.batch  # rows that still belong to the last batch of the epoch before
        pieces = [order[:first]]
        for pool in order[first:].split(POOL * self.batch):
            by_length = pool[torch.argsort(self.lengths[pool], stable=True)]
            whole = len(pool) // self.batch * self.batch
            batches = by_length[:whole].view(-1, self.batch)
            pieces += [batches[torch.randperm(len(batches), generator=generator)].reshape(-1), by_length[whole:]]
        return torch.cat(pieces)

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
