# SPDX-License-Identifier: Apache-2.0
"""Masks: drawn as the spin unit draws them, all of them, or the most probable first."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from networks import random_network
from scaledrop.errors import UserError
from scaledrop.sampling import Exact, Given, Passes, Probable, in_order
from scaledrop.spin import masks_from_words, uniform_words

CODES = (6554, 0, 32768, 60000, 13107)
TOP = 2**16


def chance(mask, codes):
    result = Fraction(1)
    for bit, code in zip(mask, codes, strict=True):
        result *= Fraction(TOP - code if bit else code, TOP)
    return result


def whole(source, images):
    return source.block(slice(0, images), slice(0, source.passes))


def test_drawn_masks_are_those_of_the_spin_unit_in_any_blocks():
    network = random_network(1, (9, 7, 5, 3), p=0.3)
    codes = tuple(layer.drop_code for layer in network.layers)
    expected = masks_from_words(network, uniform_words(7, 5 * 11 * 3), 5, 11)
    source = Passes(11, seed=7).source(codes, 5)
    np.testing.assert_array_equal(whole(source, 5).bits, expected)
    for images in (slice(0, 2), slice(2, 5), slice(3, 4)):
        for passes in (slice(0, 11), slice(0, 4), slice(4, 11), slice(10, 11)):
            block = source.block(images, passes)
            np.testing.assert_array_equal(block.bits, expected[images, passes])
            assert block.weights.tolist() == [1.0] * (passes.stop - passes.start)
    assert source.bound == 1.0


def test_exact_visits_every_possible_mask_once_with_its_probability():
    source = Exact().source(CODES, 2)
    masks = whole(source, 2)
    seen = {tuple(bits): weight for bits, weight in zip(masks.bits[0], masks.weights, strict=True)}
    expected = {mask: chance(mask, CODES) for mask in product((0, 1), repeat=5)}
    assert seen == {mask: float(p) for mask, p in expected.items() if p}
    assert (masks.bits[0] == masks.bits[1]).all() and source.bound == 0.0
    assert masks.weights.sum() == pytest.approx(1.0, abs=1e-15)


@pytest.mark.parametrize("codes", [CODES, (0, 0), (32768,) * 4, (1, 65535, 40000), (100,)])
def test_masks_come_in_order_of_probability_and_none_is_left_out(codes):
    order = [tuple(mask) for mask in in_order(codes)]
    chances = [chance(mask, codes) for mask in order]
    assert chances == sorted(chances, reverse=True)
    assert len(set(order)) == len(order) and sum(chances) == 1 and min(chances) > 0


@pytest.mark.parametrize("count", [1, 3, 8, 16, 99])
def test_probable_masks_carry_the_mass_that_they_leave_out(count):
    source = Probable(masks=count).source(CODES, 1)
    best = sorted((chance(mask, CODES) for mask in product((0, 1), repeat=5)), reverse=True)
    left = 1 - sum(best[:count])
    assert source.passes == min(count, 16)
    assert left <= source.bound <= left + Fraction(1, 2**50)
    assert (source.bound == 0) == (count >= 16)


def test_probable_stops_at_the_mass():
    source = Probable(masks=1000, mass=0.2).source(CODES, 1)
    assert source.bound <= 0.2
    assert Probable(masks=source.passes - 1).source(CODES, 1).bound > 0.2


@pytest.mark.parametrize(
    ("sampling", "text"),
    [
        (Passes(0), "count: must be a whole number, 1 or more, not 0"),
        (Passes(3, -1), "seed: must be a whole number, 0 or more, not -1"),
        (Passes(2.5), "count: must be a whole number, 1 or more, not 2.5"),
        (Probable(masks=0), "masks: must be a whole number, 1 or more, not 0"),
        (Probable(mass=1.0), "mass: must be in [0, 1), not 1.0"),
        (Given(np.ones((3, 2, 5))), "masks: shape must be (2, T, 5), not (3, 2, 5)"),
        (Given(np.ones((2, 5))), "masks: shape must be (2, T, 5), not (2, 5)"),
        (Given(np.full((2, 1, 5), 2)), "masks: must be 0 or 1"),
    ],
)
def test_wrong_samplings_are_named(sampling, text):
    with pytest.raises(UserError) as caught:
        sampling.source(CODES, 2)
    assert str(caught.value) == text


def test_too_many_layers_for_all_masks():
    with pytest.raises(UserError, match=r"exact: 17 layers have 2\^17 masks, at most 2\^16"):
        Exact().source((1,) * 17, 1)
