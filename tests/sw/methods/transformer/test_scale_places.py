# SPDX-License-Identifier: Apache-2.0
"""Scale vectors: their forms, and the one bit of each normalisation layer."""

import dataclasses
import math

import pytest
import torch

from scaledrop.methods.transformer.config import TransformerConfig, Treatment
from scaledrop.methods.transformer.scale_vector import Norm, ScaleVector
from scaledrop.methods.transformer.source import BitSource

CONFIG = TransformerConfig((8, 8), 10, patch=2, randomness="scale", p=0.25)


def source(seed=0, on=True):
    return BitSource(torch.Generator().manual_seed(seed), on)


def norm(config=CONFIG, bits=None, count=1, channels=6):
    start = torch.Generator().manual_seed(5)
    return Norm(config, channels, "input", bits or source(), start, count)


def learned(place, seed=1):
    """The same place with vectors that are not 1."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for vector in place.vectors:
            vector.alpha.copy_(1 + torch.rand(vector.alpha.shape, generator=random))
    return place


@pytest.mark.parametrize("form", ["plain", "product", "exponential"])
def test_every_form_starts_at_one(form):
    random = torch.Generator().manual_seed(0)
    vector = ScaleVector(5, form, 0.0, random)
    assert torch.equal(vector(), torch.ones(5))
    assert random.get_state().equal(torch.Generator().manual_seed(0).get_state())


def test_the_forms_are_the_product_of_magnitude_and_direction():
    alpha, random = torch.tensor([1.0, -2.0, 0.5]), torch.Generator()
    for form, beta, factor in (("product", 3.0, 3.0), ("exponential", 0.7, math.exp(0.7))):
        vector = ScaleVector(3, form, 0.0, random)
        with torch.no_grad():
            vector.alpha.copy_(alpha)
            vector.beta.fill_(beta)
        assert torch.allclose(vector(), factor * alpha)


def test_a_spread_start_spreads():
    gamma = ScaleVector(20_000, "plain", 0.3, torch.Generator().manual_seed(3))().detach()
    assert abs(float(gamma.mean()) - 1) < 5 * 0.3 / math.sqrt(20_000)
    assert abs(float(gamma.std()) - 0.3) < 5 * 0.3 / math.sqrt(40_000)


def test_a_normalised_token_has_unit_mean_square_times_gamma():
    place = learned(norm(bits=source(on=False)))
    x = 7 * torch.randn(4, 3, 6, generator=torch.Generator().manual_seed(2))
    y = place(x) / place.gammas()[0]
    assert torch.allclose(y.square().mean(dim=-1), torch.ones(4, 3), atol=1e-5)
    assert torch.allclose(y, x / x.square().mean(dim=-1, keepdim=True).sqrt(), atol=1e-5)


def test_a_dropped_vector_is_one_for_the_whole_sample_and_all_its_branches():
    place = learned(norm(count=3))
    x = torch.randn(200, 5, 6, generator=torch.Generator().manual_seed(2))
    plain = torch.nn.functional.rms_norm(x, (6,), eps=1e-6)
    keep = source().keep(2**14, 200)
    assert 0 < int(keep.sum()) < 200
    for found, gamma in zip(place.scaled(x), place.gammas(), strict=True):
        assert torch.equal(found[keep], plain[keep] * gamma)
        assert torch.equal(found[~keep], plain[~keep])


def test_one_bit_a_sample_is_drawn_and_no_more():
    bits = source(7)
    learned(norm(bits=bits, count=3)).scaled(torch.ones(11, 4, 6))
    other = source(7)
    other.keep(2**14, 11)
    assert bits.generator.get_state().equal(other.generator.get_state())


def test_the_share_of_dropped_samples_is_p():
    keep = source(1).keep(2**14, 40_000)
    assert abs(float((~keep).float().mean()) - 0.25) < 5 * math.sqrt(0.25 * 0.75 / 40_000)
    assert bool(source(1).keep(0, 1000).all())


@pytest.mark.parametrize("randomness", ["none", "attention"])
def test_other_networks_draw_nothing_at_a_normalisation(randomness):
    bits = source(7)
    place = learned(norm(dataclasses.replace(CONFIG, randomness=randomness), bits))
    x = torch.ones(3, 2, 6)
    assert torch.allclose(place(x), place.gammas()[0].expand(3, 2, 6))
    assert bits.generator.get_state().equal(source(7).generator.get_state())


def test_a_treatment_reaches_the_vectors():
    config = dataclasses.replace(CONFIG, treatment=Treatment(form="exponential", start_spread=0.5))
    place = norm(config, channels=100)
    assert place.vectors[0].beta is not None
    assert 0.3 < float(place.gammas()[0].detach().std()) < 0.7
