"""What nets that learn from samples alone offer, beyond ``forward``.

``forward(x)`` gives whatever the objective needs, (B, P). What else a net can do, it says by having the method:
reconstruct samples, give codes for them and samples for codes, draw new samples, say how unusual a sample is.

Legend: B batch, D numbers of a sample, d of a code.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn


class Unsupervised(nn.Module):
    """A net with an objective of its own.

    ``objective`` has the form of every loss, (out, y, w) → (), so every lane can execute it; y is the sample itself.
    by_gradient: whether that is how it learns; a net with a rule of its own says no, and names it in ``runs.fit``.
    judged_by_draws: whether its loss says little of how good it is, so that what it draws is compared with validation
        samples, too.
    """

    by_gradient = True
    judged_by_draws = False

    def per_sample(self, out: Tensor, x: Tensor) -> Tensor:
        """What is minimised, (B,), of each sample; ``out`` is what ``forward(x)`` gave."""
        raise NotImplementedError

    def objective(self, out: Tensor, x: Tensor, w: Tensor | None = None) -> Tensor:
        """The mean over the batch, weighted by w (B,) where given."""
        each = self.per_sample(out, x)
        return each.mean() if w is None else (each * w).sum() / w.sum()


@runtime_checkable
class Reconstructs(Protocol):
    """A net that rebuilds what it is given."""

    def reconstruct(self, x: Tensor) -> Tensor:
        """(B, *shape) → (B, *shape), without randomness."""
        ...


@runtime_checkable
class Codes(Protocol):
    """A net with a code for each sample, and a sample for each code."""

    code: int  # d

    def encode(self, x: Tensor) -> Tensor:
        """(B, *shape) → (B, d), without randomness: the mean, where the code is random."""
        ...

    def decode(self, z: Tensor) -> Tensor:
        """(B, d) → (B, *shape): the mean of what the code says."""
        ...


@runtime_checkable
class Draws(Protocol):
    """A net that makes new samples."""

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, *shape): new samples, equal for equal generators."""
        ...


@runtime_checkable
class Scores(Protocol):
    """A net that says how unusual a sample is."""

    def unusual(self, x: Tensor) -> Tensor:
        """(B,): the higher, the more unusual; without randomness."""
        ...


@runtime_checkable
class Looks(Protocol):
    """A net with more to be watched in training than its loss."""

    def looks(self, x: Tensor) -> dict[str, Tensor]:
        """Values (B,) of the samples, by name; random numbers are drawn from torch's own generator."""
        ...


@runtime_checkable
class Explains(Protocol):
    """A net that says which columns of a row make it unusual."""

    def unusual_columns(self, x: Tensor) -> Tensor:
        """(B, C): what each of the C columns of ``Form.columns`` adds to the score, or costs beside what the others
        would have there; the rest belongs to no column."""
        ...
