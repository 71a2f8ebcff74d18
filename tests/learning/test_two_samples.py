"""Distances between two sets of samples, against sums written out and cases worked by hand."""

from __future__ import annotations

import numpy as np
import torch

from workings.learning.two_samples import energy_distance, manifolds


def test_energy_distance_is_its_sum() -> None:
    """Every pair once, no sample with itself."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(7, 3)).astype(np.float32), rng.normal(size=(5, 3)).astype(np.float32)

    def mean(a: np.ndarray, b: np.ndarray, same: bool) -> float:
        pairs = [(i, j) for i in range(len(a)) for j in range(len(b)) if not (same and i == j)]
        return float(np.mean([np.linalg.norm(a[i] - b[j]) for i, j in pairs]))

    expected = 2 * mean(x, y, False) - mean(x, x, True) - mean(y, y, True)
    assert abs(energy_distance(torch.tensor(x), torch.tensor(y)) - expected) < 1e-5


def test_energy_distance_knows_alike_from_apart() -> None:
    """About 0 of two draws of one distribution; more where a mode is missing, and where all is blurred."""
    g = torch.Generator().manual_seed(0)
    here = torch.cat([torch.randn(400, 2, generator=g) - 4, torch.randn(400, 2, generator=g) + 4])
    alike = torch.cat([torch.randn(400, 2, generator=g) - 4, torch.randn(400, 2, generator=g) + 4])
    one_mode = torch.randn(800, 2, generator=g) - 4
    middle = 0.1 * torch.randn(800, 2, generator=g)
    assert abs(energy_distance(here, alike)) < 0.05
    assert energy_distance(here, one_mode) > 1
    assert energy_distance(here, middle) > 1


def test_manifolds_of_points_on_a_line() -> None:
    """Real at 0, 1, 2, 3 and 10; drawn at 0.5, 1.5, 2.5, 20 and 40; balls to the first neighbour."""
    real = torch.tensor([0.0, 1, 2, 3, 10])[:, None]
    drawn = torch.tensor([0.5, 1.5, 2.5, 20, 40])[:, None]
    found = manifolds(real, drawn, k=1, k_covered=1)
    # Real balls: radius 1 round 0, 1, 2, 3, radius 7 round 10: from 3 to 17, so 20 and 40 lie in none.
    assert found.precise.tolist() == [True, True, True, False, False]
    # Drawn balls: radius 1 round 0.5, 1.5, 2.5; 17.5 round 20, from 2.5; 20 round 40.
    assert found.recalled.tolist() == [True, True, True, True, True]
    # The ball of 10 holds no draw.
    assert found.covered.tolist() == [True, True, True, True, False]


def test_a_draw_alone_far_away_recalls_all_but_covers_nothing() -> None:
    """Why coverage stands beside recall: one outlier's ball may hold everything."""
    g = torch.Generator().manual_seed(0)
    real = torch.randn(20, 2, generator=g)
    drawn = 1000 + torch.randn(20, 2, generator=g)
    drawn[0] = torch.tensor([-3000.0, -3000.0])
    found = manifolds(real, drawn)
    assert found.recalled.all()
    assert not found.covered.any()
    assert not found.precise.any()
