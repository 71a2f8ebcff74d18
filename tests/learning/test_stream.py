"""The stream of batches."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from workings.learning.loop import CHUNK, plan_steps
from workings.learning.stream import Stream

SIZES = st.tuples(st.integers(1, 60), st.integers(1, 60)).map(lambda pair: (max(pair), min(pair)))


@given(SIZES, st.integers(0, 2**32))
def test_every_epoch_holds_every_row_once(sizes: tuple[int, int], seed: int) -> None:
    """However the batch divides the rows, n consecutive places of the stream are a permutation."""
    n, batch = sizes
    stream = Stream(n, batch, seed)
    rows = stream.rows(0, 3 * n)[: 3 * n]
    for epoch in range(3):
        assert sorted(rows[epoch * n : (epoch + 1) * n].tolist()) == list(range(n))


@given(SIZES, st.integers(0, 50), st.integers(1, 20))
def test_any_batch_is_found_without_the_ones_before(sizes: tuple[int, int], step: int, steps: int) -> None:
    """A stream that starts in the middle gives the batches of one that came there, which makes resuming exact."""
    n, batch = sizes
    fresh, used = Stream(n, batch, 5), Stream(n, batch, 5)
    used.rows(0, step + 1)
    assert torch.equal(fresh.rows(step, steps), used.rows(0, step + steps)[step * batch :])


def test_weighted_sampling_draws_by_weight() -> None:
    """With weights a class of a tenth of the rows fills half of the batches."""
    y = torch.arange(1000) % 10 == 0
    weights = torch.where(y, 1 / 100.0, 1 / 900.0).double()
    rows = Stream(1000, 100, 1, weights).rows(0, 100)
    assert 0.45 < float(y[rows].double().mean()) < 0.55


@given(st.integers(1, 100_000), st.integers(1, 512), st.floats(0.1, 50))
def test_looks_and_ends_fall_between_chunks(n: int, batch: int, epochs: float) -> None:
    """Where epochs are long, steps and looks come in whole chunks, so no lane changes how many steps are done."""
    batch = min(batch, n)
    steps, every = plan_steps(n, batch, epochs)
    assert 1 <= every <= steps
    assert steps >= epochs * n / batch - 1e-6 or steps == 1
    if n / batch >= 8 * CHUNK:
        assert steps % CHUNK == 0
        assert every % CHUNK == 0
