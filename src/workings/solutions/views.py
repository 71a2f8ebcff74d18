"""Changes in place, through a view: what PyTorch does to shared memory, said without sharing.

A view and its whole are one memory. When a part v of a whole B is changed, B is another value afterwards, and so is
every other view of it: B′ is B with the part written into it, and a view of B read later is a part of B′. Both are
moves of numbers, so the gradient of each entry goes back to where it was put from.
"""

from __future__ import annotations

import torch
from torch import Tensor


def places(part: Tensor, whole: Tensor) -> Tensor:
    """Which entries of ``whole``, counted as if it were flat, the entries of its view ``part`` are."""
    size = 1 + sum((n - 1) * step for n, step in zip(whole.shape, whole.stride(), strict=True))
    memory = torch.zeros(max(size, 1), dtype=torch.long)
    memory.as_strided(whole.shape, whole.stride()).copy_(torch.arange(whole.numel()).reshape(whole.shape))
    return memory.as_strided(part.shape, part.stride(), part.storage_offset() - whole.storage_offset()).clone()


def part_of(whole: Tensor, places: Tensor) -> Tensor:
    """The entries of a whole at these places, in their shape."""
    return whole.reshape(-1)[places]


def written_into(whole: Tensor, part: Tensor, places: Tensor) -> Tensor:
    """The whole with a part put at these places."""
    flat = whole.reshape(-1).index_put((places.reshape(-1),), part.reshape(-1))
    return flat.reshape(whole.shape)


def changed_through_detach(before: Tensor, now: Tensor) -> Tensor:
    """Other numbers, set behind the back of autograd (through ``detach()``): the gradient goes through as it comes."""
    return now + before - before.detach()
