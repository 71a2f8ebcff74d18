"""The variational autoencoder against closed forms, sums over many draws, and integrals over the whole code."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Bernoulli, Normal, kl_divergence
from torch.func import functional_call

from workings import nets
from workings.base.errors import UserError
from workings.base.form import Form
from workings.nets.vae import VariationalAutoencoder, kl_of_units

TABLE = Form(columns=(1, 0, 3, 1))


def make(shape: tuple[int, ...] = (1, 2, 3), form: Form | None = None, **settings: Any) -> VariationalAutoencoder:
    """A tiny net in float64, its weights large enough that codes differ."""
    torch.manual_seed(3)
    net = nets.build("vae", shape, 1, form or Form(), **{"hidden": (4,), "code": 2, "activation": "tanh"} | settings)
    assert isinstance(net, VariationalAutoencoder)
    with torch.no_grad():
        for p in net.parameters():
            p.mul_(2)
    return net.double()


def pixels(n: int = 5, shape: tuple[int, ...] = (1, 2, 3)) -> Tensor:
    """Samples of 0 and 1."""
    return (torch.rand(n, *shape, generator=torch.Generator().manual_seed(8)) > 0.5).double()


def rows(n: int = 5) -> Tensor:
    """Rows of a number, a yes or no, a category of three, a number."""
    draw = torch.Generator().manual_seed(9)
    k = torch.randint(0, 3, (n,), generator=draw)
    yes = torch.randint(0, 2, (n, 1), generator=draw)
    numbers = torch.randn(n, 2, generator=draw, dtype=torch.float64)
    return torch.cat([numbers[:, :1], yes, torch.nn.functional.one_hot(k, 3), numbers[:, 1:]], 1)


def test_kl_is_that_of_torch_and_of_many_draws() -> None:
    """KL_j in closed form equals torch's, and the mean of ln q(z)/p(z) over draws of z."""
    mu, log_var = torch.tensor([[0.0, 1.5, -0.4]]).double(), torch.tensor([[0.0, -2.0, 0.7]]).double()
    q, p = Normal(mu, (0.5 * log_var).exp()), Normal(torch.zeros(1, 3).double(), torch.ones(1, 3).double())
    torch.testing.assert_close(kl_of_units(mu, log_var), kl_divergence(q, p))
    torch.manual_seed(0)
    z = q.sample((200_000,))
    torch.testing.assert_close(kl_of_units(mu, log_var), (q.log_prob(z) - p.log_prob(z)).mean(0), rtol=0, atol=0.02)


@pytest.mark.parametrize("beta", [0.0, 1.0, 4.0])
def test_the_objective_is_the_equation(beta: float) -> None:
    """−ln p(x|z) + β KL, for the z = μ + σε of the global generator, computed with torch's distributions."""
    net, x = make(beta=beta), pixels()
    torch.manual_seed(5)
    found = net.objective(net(x), x)
    torch.manual_seed(5)
    mu, log_var = net.encoder(x).chunk(2, 1)
    sigma = (0.5 * log_var).exp()
    o = net.decoder(mu + sigma * torch.randn_like(mu))
    missed = -Bernoulli(logits=o).log_prob(x.flatten(1)).sum(1)
    kl = kl_divergence(Normal(mu, sigma), Normal(torch.zeros_like(mu), torch.ones_like(mu))).sum(1)
    torch.testing.assert_close(found, (missed + beta * kl).mean())


def test_a_table_is_scored_by_column() -> None:
    """A number by a Gaussian of its own learnt s, a yes or no by Bernoulli, a category by its probability."""
    net, x = make((6,), TABLE), rows()
    assert net.spread is not None
    with torch.no_grad():
        net.spread.copy_(torch.tensor([0.03, -0.1]))
    s = 0.05 + torch.nn.functional.softplus(10 * net.spread)
    z = torch.randn(5, 2, dtype=torch.float64)
    o = net.decoder(z)
    hand = Normal(o[:, 0], s[0]).log_prob(x[:, 0]) + Normal(o[:, 5], s[1]).log_prob(x[:, 5])
    hand = hand + Bernoulli(logits=o[:, 1]).log_prob(x[:, 1]) + (o[:, 2:5].log_softmax(1) * x[:, 2:5]).sum(1)
    torch.testing.assert_close(net.log_p(x, z), hand)


def test_a_given_spread_is_kept_and_a_learnt_one_begins_at_1() -> None:
    """s given is no parameter; s learnt is one number, or one for each column that is a number."""
    assert make((6,), spread=0.3).spread is None
    z, x = torch.zeros(5, 2).double(), torch.rand(5, 6).double()
    for net, s in ((make((6,), spread=0.3), 0.3), (nets.build("vae", (6,), 1, hidden=(4,), code=2).double(), 1.0)):
        assert isinstance(net, VariationalAutoencoder)
        hand = Normal(net.decoder(z), torch.tensor(s).double()).log_prob(x).sum(1)
        torch.testing.assert_close(net.log_p(x, z), hand, rtol=1e-6, atol=1e-6)
    learnt = make((6,), TABLE).spread
    assert learnt is not None
    assert learnt.shape == (2,)


@torch.no_grad()
@pytest.mark.parametrize("d", [1, 2])
def test_the_bound_lies_above_the_likelihood(d: int) -> None:
    """−ELBO ≥ −ln p(x), p(x) = ∫ p(x|z) p(z) dz on a grid; their difference is KL(q(z|x) ‖ p(z|x)) on that grid."""
    net, x = make(code=d), pixels()
    axis = torch.linspace(-9, 9, 181, dtype=torch.float64)
    grid = torch.cartesian_prod(*[axis] * d).reshape(-1, d)
    cell = math.log(float(axis[1] - axis[0])) * d
    prior = Normal(0.0, 1.0).log_prob(grid).sum(1)
    mu, log_var = net.q(x)
    for i in range(len(x)):
        log_p = net.log_p(x[i : i + 1].expand(len(grid), *x.shape[1:]), grid)
        log_px = (log_p + prior + cell).logsumexp(0)
        q = Normal(mu[i], (0.5 * log_var[i]).exp()).log_prob(grid).sum(1)
        elbo = (q.exp() * (log_p + prior - q)).sum() * math.exp(cell)
        torch.testing.assert_close((q + cell).logsumexp(0), torch.zeros(()).double(), rtol=0, atol=1e-5)
        gap = (q.exp() * (q - (log_p + prior - log_px))).sum() * math.exp(cell)
        assert elbo <= log_px
        torch.testing.assert_close(log_px - elbo, gap, rtol=0, atol=1e-4)
        torch.manual_seed(0)
        many = x[i : i + 1].expand(20_000, *x.shape[1:])
        net.eval()
        torch.testing.assert_close(-net.objective(net(many), many), elbo, rtol=0, atol=0.05)


@torch.no_grad()
def test_beta_rises_with_the_steps_of_training_alone() -> None:
    """β_t = β min(1, t/T) at the t-th step from 0; in evaluation it is β, and no step counts."""
    net, x = make(beta=3.0, annealing=4), pixels()
    told = []
    for _ in range(6):
        told.append(float(net(x)[0, -2]))
        net.eval()
        assert float(net(x)[0, -2]) == 3.0
        net.train()
    assert told == [0.0, 0.75, 1.5, 2.25, 3.0, 3.0]


def test_free_bits_are_free() -> None:
    """A unit whose KL is below λ nats on the mean of the batch counts as λ and has no gradient from it; in evaluation
    it counts as it is. Weights are those of the samples."""
    net, x = make(free_bits=0.5), pixels()
    with torch.no_grad():  # the first unit carries little, the second much
        net.get_parameter("encoder.output.weight").zero_()
        net.get_parameter("encoder.output.bias").copy_(torch.tensor([0.1, 2.0, 0.0, 0.0]))
    w = torch.tensor([1.0, 0.0, 2.0, 1.0, 1.0]).double()
    out = net(x).detach().requires_grad_()
    missed = net._terms(out, x)[0]
    expected = (w * missed).sum() / w.sum() + 0.5 + 2.0
    torch.testing.assert_close(net.objective(out, x, w), expected)
    (g,) = torch.autograd.grad(net.objective(out, x, w), out)
    at = out.shape[1] - 6
    assert torch.equal(g[:, at], torch.zeros(5).double())
    torch.testing.assert_close(g[:, at + 1], 2.0 * w / w.sum())
    net.eval()
    torch.testing.assert_close(net._terms(net(x), x)[1].sum(1), torch.full((5,), 0.005 + 2.0).double())
    torch.manual_seed(1)
    out = net(x)
    torch.testing.assert_close(net.objective(out, x), net.per_sample(out, x).mean())


@pytest.mark.parametrize("settings", [{"free_bits": 0.3}, {"beta": 0.5, "likelihood": "gaussian"}])
def test_gradients_of_the_batch_equal_differences(settings: dict[str, Any]) -> None:
    """With ε held, the derivative by every parameter, through the drawn z, is the one by small differences."""
    net, x = make(**settings), pixels()
    names = [name for name, _ in net.named_parameters()]

    def objective(*parameters: Tensor) -> Tensor:
        torch.manual_seed(2)
        return net.objective(functional_call(net, dict(zip(names, parameters, strict=True)), (x,)), x)

    assert torch.autograd.gradcheck(objective, tuple(p.detach().requires_grad_() for p in net.parameters()))


@torch.no_grad()
def test_unusual_is_the_bound_at_the_mean_code() -> None:
    """−ln p(x|z) + KL at z = μ; the global generator is not asked."""
    for net, x in ((make(beta=7.0), pixels()), (make((6,), TABLE), rows())):
        before = torch.get_rng_state()
        found = net.unusual(x)
        assert torch.equal(before, torch.get_rng_state())
        mu, log_var = net.q(x)
        torch.testing.assert_close(found, -net.log_p(x, mu) + kl_of_units(mu, log_var).sum(1))


@torch.no_grad()
def test_drawn_rows_can_be_rows() -> None:
    """Of a table, draws are draws: 0 or 1, one category of three, numbers that scatter by s round what the code says;
    their mean is what many codes say."""
    net = make((6,), TABLE)
    x = net.draw(20_000, torch.Generator().manual_seed(0))
    assert set(x[:, 1].tolist()) == {0.0, 1.0}
    assert torch.equal(x[:, 2:5].sum(1), torch.ones(20_000).double())
    assert torch.equal(x[:, 2:5].amax(1), torch.ones(20_000).double())
    z = torch.randn(20_000, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    mean = net.decode(z)
    torch.testing.assert_close(x.mean(0), mean.mean(0), rtol=0, atol=0.04)
    s = net._spread(1)
    assert s is not None
    torch.testing.assert_close(x[:, 0].var(), mean[:, 0].var() + s[0, 0] ** 2, rtol=0.05, atol=0)


@torch.no_grad()
def test_drawn_images_are_means() -> None:
    """Of images, draws are what the decoder says of z ~ N(0, I): between 0 and 1, not speckled."""
    net = make()
    x = net.draw(4, torch.Generator().manual_seed(0))
    z = torch.randn(4, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(x, torch.sigmoid(net.decoder(z)).reshape(4, 1, 2, 3))


def test_bernoulli_of_a_table_is_refused() -> None:
    """The columns of a table have a likelihood of their own kind."""
    with pytest.raises(UserError, match="each column of a table"):
        nets.build("vae", (6,), 1, TABLE, likelihood="bernoulli")
