"""Healthy loops that look faulty: looks among the first steps alone, L-BFGS, logits that lie in 0 to 1 by chance."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

import workings


def test_a_net_that_learnt_is_not_called_poor_or_its_labels_wrong_by_its_first_steps() -> None:
    """Three hundred steps of a healthy loop, of which the first eight are looked at."""
    torch.manual_seed(0)
    centres = 2.0 * torch.randn(6, 20)
    y = torch.randint(0, 6, (600,))
    x = centres[y] + torch.randn(600, 20)
    net = nn.Sequential(nn.Linear(20, 64), nn.Tanh(), nn.Linear(64, 6))
    optimizer = torch.optim.Adam(net.parameters(), 5e-4)
    with workings.watch(net, optimizer, budget=1e9) as watch:
        for step in range(300):
            if step == 8:
                watch.budget.share = 1e-9
            rows = torch.randint(0, 600, (64,))
            optimizer.zero_grad()
            F.cross_entropy(net(x[rows]), y[rows]).backward()
            optimizer.step()
    assert len(watch.history.of("right", "output")) < 20
    assert (net(x).argmax(1) == y).float().mean() > 0.95
    assert watch.history.facts["simple"] - watch.history.of("right", "output")[-1][1] > 0.3
    assert watch.findings() == []


def test_long_steps_of_a_line_search_are_no_rate_that_is_too_high() -> None:
    """A regression whose noise leaves half of the loss: one step of L-BFGS makes several, as long as they are good."""
    torch.manual_seed(0)
    x = torch.randn(350, 10)
    y = x @ torch.randn(10) / 3 + torch.randn(350)
    net = nn.Sequential(nn.Linear(10, 12), nn.Tanh(), nn.Linear(12, 1))
    optimizer = torch.optim.LBFGS(net.parameters(), lr=0.5, max_iter=5, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = F.mse_loss(net(x)[:, 0], y) + 0.01 * sum(p.square().sum() for p in net.parameters())
        loss.backward()
        return loss

    with workings.watch(net, optimizer, budget=1e9) as watch:
        for _ in range(15):
            optimizer.step(closure)
    changes = [value for where in watch.history.places("update") for _, value in watch.history.of("update", where)]
    assert max(changes) > 0.15
    assert watch.findings() == []


def test_logits_of_an_affine_layer_that_lie_in_0_to_1_are_no_sigmoid() -> None:
    """As those of a discriminator do over its first steps; behind a sigmoid the same are told."""
    found = {}
    for behind in (nn.Identity(), nn.Sigmoid()):
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(4, 1), behind)
        nn.init.constant_(net[0].bias, 0.5)
        nn.init.normal_(net[0].weight, std=0.01)
        optimizer = torch.optim.SGD(net.parameters(), 1e-4)
        with workings.watch(net, optimizer, budget=1e9) as watch:
            for _ in range(8):
                optimizer.zero_grad()
                F.binary_cross_entropy_with_logits(net(torch.randn(32, 4)), torch.rand(32, 1).round()).backward()
                optimizer.step()
        found[type(behind)] = "double-softmax" in {each.code for each in watch.findings()}
    assert found == {nn.Identity: False, nn.Sigmoid: True}
