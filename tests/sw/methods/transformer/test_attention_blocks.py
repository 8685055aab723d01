# SPDX-License-Identifier: Apache-2.0
"""Closed forms of the blocks: dual placement, branches, attention dropout, one-bit activations."""

import dataclasses
import math

import pytest
import torch

from scaledrop.methods.transformer.block import Attention, AttentionDropout, Mlp
from scaledrop.methods.transformer.config import TransformerConfig, Treatment
from scaledrop.methods.transformer.linear import BinaryMap, Maker
from scaledrop.methods.transformer.source import BitSource

CONFIG = TransformerConfig((8, 8), 10, patch=2, width=12, heads=3, hidden=10, planes=4)


def maker(on=False, seed=0, **changes):
    config = dataclasses.replace(CONFIG, **changes)
    bits = BitSource(torch.Generator().manual_seed(seed), on)
    return Maker(config, bits, torch.Generator().manual_seed(1))


def shaken(part, seed=2):
    """The same part with scale vectors that are not 1."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in part.named_parameters():
            if "alpha" in name:
                value.copy_(0.5 + torch.rand(value.shape, generator=random))
    return part


def tokens(samples=4, channels=12, seed=3):
    return torch.randn(samples, 16, channels, generator=torch.Generator().manual_seed(seed))


def test_a_binary_map_is_signs_times_quantised_inputs():
    one = maker().linear(12, 7)
    x = tokens()
    codes = (torch.floor(x * 8) + 8).clamp(0, 15) * 2 - 15
    signs = one.crossbar.binary_weight()
    assert set(signs.unique().tolist()) == {-1.0, 1.0}
    assert torch.allclose(one(x), codes / 15 @ signs.T / math.sqrt(12), atol=1e-6)
    assert torch.equal(maker().linear(12, 7, planes=0).quantised(x), x)


def test_dual_placement_is_a_rank_one_scale_of_the_weights():
    make = maker(planes=0, treatment=Treatment(placement="dual"))
    mlp = shaken(Mlp(make))
    (u,), (v,) = mlp.up_out.gammas(), mlp.norm.gammas()
    x = tokens()
    weights = mlp.up.crossbar.binary_weight() * torch.outer(u, v)
    plain = torch.nn.functional.rms_norm(x, (12,), eps=1e-6)
    found = mlp.up_out(mlp.up(mlp.norm(x)))
    assert torch.allclose(found, plain @ weights.T / math.sqrt(12), atol=1e-5)


def test_dual_placement_with_a_norm_normalises_between():
    mlp = shaken(Mlp(maker(treatment=Treatment(placement="dual-norm"))))
    found = mlp.up_out(mlp.up(mlp.norm(tokens()))) / mlp.up_out.gammas()[0]
    assert torch.allclose(found.square().mean(dim=-1), torch.ones(4, 16), atol=1e-4)


@pytest.mark.parametrize(("placement", "more"), [("input", 0), ("dual", 1), ("dual-norm", 1)])
def test_the_placement_adds_a_vector_behind_v_and_the_first_map_alone(placement, more):
    make = maker(treatment=Treatment(placement=placement))
    attention, mlp = Attention(make), Mlp(make)
    assert sum("alpha" in name for name, _ in attention.named_parameters()) == 3 + more
    assert sum("alpha" in name for name, _ in mlp.named_parameters()) == 2 + more


@pytest.mark.parametrize("randomness", ["none", "scale"])
def test_branches_with_equal_vectors_are_one_vector_exactly(randomness):
    one = shaken(Attention(maker(True, randomness=randomness, p=0.3)))
    treatment = Treatment(branches=True)
    three = Attention(maker(True, randomness=randomness, p=0.3, treatment=treatment))
    state = one.state_dict()
    state |= {f"norm.vectors.{i}.alpha": state["norm.vectors.0.alpha"] for i in (1, 2)}
    three.load_state_dict(state)
    assert torch.equal(one(tokens()), three(tokens()))


def test_branches_may_part():
    attention = Attention(maker(treatment=Treatment(branches=True)))
    before = attention(tokens())
    with torch.no_grad():
        attention.norm.vectors[2].alpha.mul_(0.5)
    x = attention.norm(tokens())
    q, k, v = attention.norm.scaled(tokens())
    assert torch.equal(q, x) and torch.equal(k, x) and torch.equal(v, 0.5 * x)
    assert not torch.equal(attention(tokens()), before)


def test_attention_is_the_softmax_of_scaled_products_by_head():
    attention = shaken(Attention(maker()))
    x = tokens()
    n = attention.norm(x)
    q, k, v = attention.q(n), attention.k(n), attention.v(n)
    heads = []
    for head in range(3):
        part = slice(4 * head, 4 * head + 4)
        weights = attention.q_norm(q[..., part]) @ attention.k_norm(k[..., part]).mT / 2
        heads.append(weights.softmax(dim=-1) @ v[..., part])
    wanted = x + attention.out(torch.cat(heads, dim=-1))
    assert torch.allclose(attention(x), wanted, atol=1e-5)


def test_attention_dropout_keeps_the_expected_attention():
    passes, p = 4000, 0.25
    dropout = AttentionDropout(p, BitSource(torch.Generator().manual_seed(0), on=True))
    weights = torch.rand(3, 5, 5, generator=torch.Generator().manual_seed(1)).softmax(dim=-1)
    drawn = dropout(weights.expand(passes, 3, 5, 5))
    kept = drawn != 0
    assert torch.allclose(drawn[kept], (weights / 0.75).expand(passes, 3, 5, 5)[kept])
    # The variance of one weight w is w^2 p / (1 - p).
    deviation = weights * math.sqrt(p / (1 - p) / passes)
    assert bool(((drawn.mean(dim=0) - weights).abs() < 5 * deviation).all())


def test_attention_dropout_draws_a_bit_for_each_weight():
    bits = BitSource(torch.Generator().manual_seed(0), on=True)
    drawn = AttentionDropout(0.5, bits)(torch.ones(2, 3, 4, 4))
    same = BitSource(torch.Generator().manual_seed(0)).keep(2**15, 2, 3, 4, 4)
    assert torch.equal(drawn != 0, same)
    bits.on = False
    assert torch.equal(AttentionDropout(0.5, bits)(torch.ones(1, 1, 2, 2)), torch.ones(1, 1, 2, 2))


@pytest.mark.parametrize(("planes", "changes"), [(1, False), (4, True)])
def test_scales_in_front_of_signs_do_nothing(planes, changes):
    """Why the activations have four bits here: sign(gamma x) = sign(x) for gamma above 0."""
    mlp = Mlp(maker(planes=planes))
    before = mlp.up(mlp.norm(tokens()))
    shaken(mlp)
    assert torch.equal(mlp.up(mlp.norm(tokens())), before) != changes


def test_gradients_reach_every_parameter():
    make = maker(treatment=Treatment(branches=True, placement="dual-norm", form="product"))
    net = torch.nn.Sequential(Attention(make), Mlp(make))
    target = torch.randn(4, 16, 12, generator=torch.Generator().manual_seed(8))
    (net(tokens()) * target).sum().backward()
    for name, value in net.named_parameters():
        assert value.grad is not None and bool(value.grad.abs().sum() > 0), name
    assert sum(isinstance(part, BinaryMap) for part in net.modules()) == 6
