"""One step of contrastive divergence on a restricted Boltzmann machine, with the samples that were drawn.

    positive    p⁰ = σ(c + W v⁰),  h⁰ = [u < p⁰] with u uniform, or the chains that the step before left
    negative    k times:  vʲ ~ p(v | hʲ⁻¹),  pʲ = σ(c + W vʲ),  hʲ = [u < pʲ]
    gradient    dW = ⟨p v⟩⁰ − ⟨p v⟩ᵏ,  db = ⟨v⟩⁰ − ⟨v⟩ᵏ,  dc = ⟨p⟩⁰ − ⟨p⟩ᵏ
    update      U⁺ = μU + dW − λW + s(q − q̂⁺)⟨v⁰⟩,  W⁺ = W + ηU⁺;  for b and c alike, without decay

The number above a symbol counts steps of Gibbs sampling. Hinton 2002, 2012; Tieleman 2008.

Legend: B batch, M chains, V visible units, H hidden units.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from workings.learning.contrastive_rule import ContrastiveRule
from workings.solutions.alone import drawn_from
from workings.solutions.expressions import Expr, Joined, Number, Quantity, Symbol
from workings.solutions.learners.gibbs import Machine, Phase, drawn_phases, negative, positive, rows
from workings.solutions.learners.working import worked
from workings.solutions.rounding import POLICY
from workings.solutions.rules.base import Index
from workings.solutions.solving import Detail, choose
from workings.solutions.steps import Solution, Step
from workings.solutions.sums import products, sum_of

_OWN = "the run's own rule"
_NAMES = ("weight", "visible_bias", "hidden_bias")
_VELOCITIES = ("U", "Ub", "Uc")
Three = tuple[Quantity, Quantity, Quantity]  # of W, b and c


def contrastive_solution(
    rule: ContrastiveRule,
    v: Tensor,
    eta: float,
    seed: int,
    title: str,
    facts: list[tuple[str, str]],
    detail: Detail,
    below: Step | None = None,
) -> Solution:
    """The step on v (B, V). rule: in float64, with its memory; it is moved by the step. below: what led to v."""
    net = rule.net
    memory = {name: tensor.clone() for name, tensor in rule.tensors().items()}
    chain = memory["optimiser.chain"] if net.chains else None
    with drawn_from(seed):
        phases = drawn_phases(net, v, chain)
    own = [Quantity(letter, "", memory[name]) for letter, name in zip("Wbc", _NAMES, strict=True)]
    g = _differences(phases, v)
    machine = Machine(own[0], own[1], own[2], detail, *_units(g[0].data, detail))
    rule.schedule = lambda step: eta
    with drawn_from(seed):
        L = rule.advance(v[None], v[None], None, 0)[0].detach()
    real = rule.tensors()

    sections = [] if below is None else [below]
    sections += [positive(machine, phases[0], chain is not None)]
    sections += [negative(machine, net, phases, j) for j in range(1, len(phases))]
    sections[-1].remarks.append(
        "The chains go on from these states h in the next step."
        if chain is not None
        else "The means take the probabilities p for the states h: that varies less from draw to draw."
    )
    sections.append(_gradient(machine, phases, g, chain is not None))
    told, g = _penalties(machine, rule, phases[0], g, memory, real)
    sections += [] if told is None else [told]
    sections += [_update(machine, rule, g, eta, memory, real), _told(rule, v, L, detail)]
    return Solution(title, facts, sections, POLICY.format(digits=detail.digits), detail.digits)


def _differences(phases: list[Phase], v: Tensor) -> Three:
    """dW, db, dc: means over the batch minus means over the chains."""
    first, last = phases[0], phases[-1]
    B, M = len(v), len(last.v)
    dW = first.p.T @ v / B - last.p.T @ last.v / M
    db, dc = v.sum(0) / B - last.v.sum(0) / M, first.p.sum(0) / B - last.p.sum(0) / M
    return Quantity("dW", "", dW), Quantity("db", "", db), Quantity("dc", "", dc)


def _units(dW: Tensor, detail: Detail) -> tuple[list[int], list[int]]:
    """Hidden and visible units that are worked out: of the weights that move most, or those asked for."""
    if detail.unit is not None:
        j = min(detail.unit[0], len(dW)) - 1
        return [j], [min(detail.unit[1], dW.shape[1]) - 1 if len(detail.unit) > 1 else int(dW[j].abs().argmax())]
    chosen, _ = choose(dW, dW, Detail(detail.digits, units=2, few=2))
    return sorted({place[0] for place in chosen}), sorted({place[1] for place in chosen})


def _gradient(machine: Machine, phases: list[Phase], g: Three, chained: bool) -> Step:
    k, S, D = len(phases) - 1, Symbol, machine.detail
    p0, v0 = rows(phases[0].p, "p", 0), rows(phases[0].v, "v", 0)
    pk, vk = rows(phases[-1].p, "p", k), rows(phases[-1].v, "v", k)
    B, M, n = len(v0.data), len(vk.data), str(k)

    def of_weight(i: Index) -> Expr:
        data = products([(p0[m, i[0]], v0[m, i[1]]) for m in range(B)])
        return _mean(data, B) - _mean(products([(pk[m, i[0]], vk[m, i[1]]) for m in range(M)]), M)

    def of(a: Quantity, z: Quantity) -> Callable[[Index], Expr]:
        def difference(i: Index) -> Expr:
            return _mean(sum_of([a[m, i[0]] for m in range(B)]), B) - _mean(sum_of([z[m, i[0]] for m in range(M)]), M)

        return difference

    def mean_of(step: str, *letters: str) -> Expr:
        return Joined((S("⟨"), Joined(tuple(S(each, step) for each in letters)), S("⟩")), "")

    dW, db, dc = g
    steps = [
        worked("weights", dW, of_weight, D, chosen=machine.places,
               equation=(S("dW"), mean_of("0", "p", "v") - mean_of(n, "p", "v"))),
        worked("visible biases", db, of(v0, vk), D, chosen=[(i,) for i in machine.visible],
               equation=(S("db"), mean_of("0", "v") - mean_of(n, "v"))),
        worked("hidden biases", dc, of(p0, pk), D, chosen=[(j,) for j in machine.hidden],
               equation=(S("dc"), mean_of("0", "p") - mean_of(n, "p"))),
    ]  # fmt: skip
    over = f"{M:,} {'chain' if chained else 'sample'}{'s' * (M != 1)}"
    samples = f"the mean over {B:,} sample{'s' * (B != 1)}"
    told = f"⟨p⁽⁰⁾ v⁽⁰⁾⟩ is {samples}, that of step {k} over {over}. It is to be added: the likelihood rises along it."
    return Step("Gradient of the log-likelihood, estimated", children=steps, remarks=[told])


def _mean(total: Expr, n: int) -> Expr:
    return total if n == 1 else total / n


def _penalties(
    machine: Machine, rule: ContrastiveRule, first: Phase, g: Three, memory: dict[str, Tensor], real: dict[str, Tensor]
) -> tuple[Step | None, Three]:
    """Weight decay and the target for how often units are on: what is added to dW and dc."""
    net, lam, D = rule.net, rule.weight_decay, machine.detail
    if not lam and not net.sparsity_cost:
        return None, g
    S, step, (dW, db, dc) = Symbol, Step("Weight decay and sparsity"), g
    new_W, new_c, units = dW.data - lam * machine.W.data, dc.data, [(j,) for j in machine.hidden]
    said: Expr = S("dW") - S("λ") * S("W") if lam else S("dW")
    r = mean_v = dc
    if net.sparsity_cost:
        p0, B, old = rows(first.p, "p", 0), len(first.p), Quantity("q̂", "", memory["optimiser.often"])
        often = Quantity("q̂", "", 0.9 * old.data + 0.1 * first.p.mean(0), new=True)
        r = Quantity("r", "", net.sparsity_cost * (net.sparsity - often.data))
        mean_v = Quantity("⟨v⟩", "", first.v.mean(0))
        new_W, new_c = new_W + torch.outer(r.data, mean_v.data), new_c + r.data
        said = said + Joined((S("r"), S("⟨v⟩ᵀ")))

        def of_often(i: Index) -> Expr:
            return Number(0.9) * old[i] + Number(0.1) * _mean(sum_of([p0[m, i[0]] for m in range(B)]), B)

        def of_pull(i: Index) -> Expr:
            return Number(net.sparsity_cost) * (Number(net.sparsity) - often[i])

        step.children += [
            worked("how often each hidden unit is on", often, of_often, D, chosen=units,
                   against=(_OWN, real["optimiser.often"])),
            worked("how strongly it is drawn to its share", r, of_pull, D, chosen=units,
                   equation=(S("r"), S("s") * (S("q") - S("q̂", new=True)))),
        ]  # fmt: skip
    left_W, left_c = Quantity("d̃W", "", new_W), Quantity("d̃c", "", new_c)

    def of_weight(i: Index) -> Expr:
        e: Expr = dW[i]
        e = e - Number(lam) * machine.W[i] if lam else e
        return e + r[(i[0],)] * mean_v[(i[1],)] if net.sparsity_cost else e

    step.children.append(worked("weights", left_W, of_weight, D, chosen=machine.places, equation=(S("d̃W"), said)))
    if not net.sparsity_cost:
        return step, (left_W, db, dc)
    step.children.append(worked("hidden biases", left_c, lambda i: dc[i] + r[i], D, chosen=units,
                                equation=(S("d̃c"), S("dc") + S("r"))))  # fmt: skip
    return step, (left_W, db, left_c)


def _update(
    machine: Machine, rule: ContrastiveRule, g: Three, eta: float, memory: dict[str, Tensor], real: dict[str, Tensor]
) -> Step:
    """Velocities and new parameters, held against those of the rule itself."""
    step = Step("Update")
    chosen = (machine.places, [(i,) for i in machine.visible], [(j,) for j in machine.hidden])
    for name, q, letter, d, places in zip(
        _NAMES, (machine.W, machine.b, machine.c), _VELOCITIES, g, chosen, strict=True
    ):
        old = Quantity(letter, "", memory[f"optimiser.{name}"])
        step.children += _moved(name, q, old, d, rule.momentum, eta, places, machine.detail, real)
    return step


def _moved(
    name: str,
    q: Quantity,
    old: Quantity,
    d: Quantity,
    mu: float,
    eta: float,
    places: list[Index],
    detail: Detail,
    real: dict[str, Tensor],
) -> list[Step]:
    S = Symbol
    title = {"weight": "weights", "visible_bias": "visible biases", "hidden_bias": "hidden biases"}[name]
    U = Quantity(old.letter, "", mu * old.data + d.data, new=True)
    new = Quantity(q.letter, "", q.data + eta * U.data, new=True)
    said: Expr = S("μ") * S(old.letter) + S(d.letter) if mu else S(d.letter)
    return [
        worked(f"{title}: velocity", U, lambda i: Number(mu) * old[i] + d[i] if mu else d[i], detail, chosen=places,
               equation=(S(old.letter, new=True), said), against=(_OWN, real[f"optimiser.{name}"])),
        worked(f"{title}: moved", new, lambda i: q[i] + Number(eta) * U[i], detail, chosen=places,
               equation=(S(q.letter, new=True), S(q.letter) + S("η") * S(old.letter, new=True)),
               against=(_OWN, real[name])),
    ]  # fmt: skip


def _told(rule: ContrastiveRule, v: Tensor, before: Tensor, detail: Detail) -> Step:
    """What training tells: the reconstruction error with probabilities for states, before and after."""
    net = rule.net
    with torch.no_grad():
        after = net.objective(net(v.reshape(-1, *net.shape)), v)
    L, new = Quantity("L", "", before.double()), Quantity("L", "", after.double(), new=True)
    change = Quantity("ΔL", "", new.data - L.data)
    step = worked("Reconstruction error, before and after", change, lambda i: new[i] - L[i], detail)
    step.values = [L, new]
    step.remarks = ["It is watched; what contrastive divergence lowers is −ln p(v), which has no closed form."]
    return step
