# SPDX-License-Identifier: Apache-2.0
"""Differentiable masks: their distance, their saliency, what they keep."""

import pytest
import torch

from scaledrop.errors import UserError
from scaledrop.methods.masks import (
    MaskNet,
    discrepancy,
    kept_channels,
    mean_saliency,
    similarity,
)
from scaledrop.nn.config import NetworkConfig


def numbers(count: int, seed: int) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.randn(count, generator=random, dtype=torch.float64)


def net(members: int = 3) -> MaskNet:
    config = NetworkConfig("t", (8, 8), 3, widths=(5, 4))
    return MaskNet(config, 0, members, torch.Generator().manual_seed(2))


def test_the_kernel_of_two_numbers_by_hand():
    a, b = torch.tensor([0.0, 2.0]).double(), torch.tensor([1.0, 1.0]).double()
    assert torch.allclose(similarity(a, b), torch.full((2,), -0.5).double().exp())
    assert torch.allclose(similarity(a, a), torch.full((2,), -1.0).double().exp())


def test_the_discrepancy_is_zero_for_equal_masks_and_not_symmetric():
    a, b = numbers(9, 0), numbers(9, 1) + 1
    assert float(discrepancy(a, a)) == pytest.approx(0, abs=1e-15)
    there, back = float(discrepancy(a, b)), float(discrepancy(b, a))
    assert 0 < there < back


def test_to_first_order_it_is_the_distance_of_the_means_and_blind_to_order():
    a, b = numbers(500, 0), numbers(500, 1) + 0.7
    first_order = 2 * (a.mean() - b.mean()) ** 2 / 500
    assert float(discrepancy(a, b)) == pytest.approx(float(first_order), rel=0.02)
    assert float(discrepancy(a, b.flip(0))) == pytest.approx(float(discrepancy(a, b)), rel=1e-9)


def test_the_saliency_of_a_quadratic_is_its_slope():
    # L = sum_c k_c m_c^2 / 2 for two mini-batches: the slopes are k_c m_c.
    masks = torch.tensor([1.0, -2.0, 3.0], requires_grad=True)
    steep = torch.tensor([[1.0, 2.0, 0.0], [3.0, -2.0, 0.0]])
    losses = ((k * masks.square()).sum() / 2 for k in steep)
    (found,) = mean_saliency(losses, [masks])
    assert found.tolist() == [2.0, 4.0, 0.0]
    assert masks.grad is None


def test_channels_at_or_above_the_quantile_of_all_layers_stay():
    saliency = {"a": torch.tensor([5.0, 1.0, 4.0]), "b": torch.tensor([2.0, 3.0, 0.0])}
    kept = kept_channels(saliency, 0.5)
    assert {name: rows.tolist() for name, rows in kept.items()} == {"a": [0, 2], "b": [1]}
    kept = kept_channels(saliency, 0.5, per_layer=True)
    assert {name: rows.tolist() for name, rows in kept.items()} == {"a": [0, 2], "b": [0, 1]}
    assert [len(rows) for rows in kept_channels(saliency, 0.0).values()] == [3, 3]


def test_the_best_of_a_layer_stay_in_any_case():
    saliency = {"a": torch.tensor([5.0, 6.0, 7.0]), "b": torch.tensor([0.1, 0.3, 0.2])}
    assert kept_channels(saliency, 0.8)["b"].tolist() == [1]
    assert kept_channels(saliency, 0.8, least=2)["b"].tolist() == [1, 2]
    assert kept_channels(saliency, 0.8, least=9)["b"].tolist() == [0, 1, 2]


def test_a_quantile_of_one_is_refused():
    with pytest.raises(UserError) as found:
        kept_channels({"a": torch.ones(3)}, 1.0)
    assert str(found.value) == "quantile: must be 0 to below 1, not 1.0; 1 - 1/M is usual"


def test_masks_act_behind_the_activation_and_not_on_the_head():
    one = net()
    assert {name: masks.shape for name, masks in one.masks.items()} == {
        "dense0": (3, 5),
        "dense1": (3, 4),
    }
    site = one.sites["dense0"]
    one.choose(2)
    codes = torch.tensor([[1.0, -1, 1, 1, -1]])
    assert torch.equal(site.outputs(codes), codes * one.masks["dense0"][2])


def test_members_differ_and_their_gradients_are_apart():
    one, pixels = net().train(), torch.randint(0, 256, (16, 8, 8))
    logits = []
    for member in range(3):
        one.choose(member)
        logits.append(one(pixels))
    assert not torch.equal(logits[0], logits[1])
    logits[1].square().sum().backward()
    slopes = one.masks["dense0"].grad
    assert slopes[0].abs().sum() == 0 and slopes[2].abs().sum() == 0
    assert slopes[1].abs().sum() > 0


def test_the_diversity_is_the_sum_over_pairs_and_layers():
    one = net()
    masks = [masks.detach() for masks in one.masks.values()]
    pairs = [(0, 1), (0, 2), (1, 2)]
    expected = sum(float(discrepancy(m[i], m[j])) for m in masks for i, j in pairs)
    assert float(one.diversity().detach()) == pytest.approx(expected, rel=1e-5)


def test_residual_networks_are_refused():
    config = NetworkConfig("t", (3, 8, 8), 3, "resnet20", widths=(4,))
    with pytest.raises(UserError) as found:
        MaskNet(config, 0, 2, torch.Generator().manual_seed(0))
    assert str(found.value) == (
        "layers.stem: feeds a residual addition, whose channels cannot be removed; a structured "
        "ensemble needs a network without residuals"
    )
