# SPDX-License-Identifier: Apache-2.0
"""The seeded stand-in for the spin unit: order, rate and repeatability of its bits."""

from dataclasses import replace
from math import log, sqrt

import numpy as np
import pytest

from networks import random_network
from scaledrop.numbers import DROP_BITS, drop_code
from scaledrop.spin import masks_from_words, uniform_words

IMAGES, PASSES = 3, 4


def network_of(codes):
    """A network whose layers drop with these codes."""
    network = random_network(1, [3] * (len(codes) + 1), input_bits=2)
    layers = zip(network.layers, codes, strict=True)
    return replace(network, nodes=tuple(replace(one, drop_code=code) for one, code in layers))


def test_words_are_taken_by_image_then_pass_then_layer():
    codes = [20000, 40000, 60000]
    words = uniform_words(9, IMAGES * PASSES * 3)
    masks = masks_from_words(network_of(codes), words, IMAGES, PASSES)
    assert masks.shape == (IMAGES, PASSES, 3) and masks.dtype == np.uint8
    stream = iter(words.tolist())
    for image, index, layer in np.ndindex(masks.shape):
        assert masks[image, index, layer] == (next(stream) >= codes[layer])
    assert 0 < masks.sum() < masks.size


@pytest.mark.parametrize("code", [1, 1234, 2**DROP_BITS - 1])
def test_the_device_switches_below_the_code_and_not_at_it(code):
    words = np.array([0, code - 1, code, 2**DROP_BITS - 1], dtype=np.uint16)
    assert masks_from_words(network_of([code]), words, 1, 4).ravel().tolist() == [0, 0, 1, 1]


def test_probability_zero_never_drops():
    every_word = np.arange(2**DROP_BITS, dtype=np.uint16)
    assert masks_from_words(network_of([drop_code(0.0)]), every_word, 1, len(every_word)).all()


@pytest.mark.parametrize("code", [1, 6554, 32768, 65535])
def test_over_all_words_the_rate_is_the_code(code):
    every_word = np.arange(2**DROP_BITS, dtype=np.uint16)
    masks = masks_from_words(network_of([code]), every_word, 1, len(every_word))
    assert (masks == 0).sum() == code


@pytest.mark.parametrize("p", [0.01, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("seed", range(3))
def test_the_empirical_rate_is_within_the_binomial_bound(p, seed):
    """Hoeffding: of n fair draws, P(|drops - n p| >= sqrt(n ln(2 / d) / 2)) <= d; d is 1e-9."""
    count, failure = 100_000, 1e-9
    network = network_of([drop_code(p)])
    masks = masks_from_words(network, uniform_words(seed, count), 1, count)
    expected = count * network.layers[0].drop_probability
    assert abs(int((masks == 0).sum()) - expected) < sqrt(count * log(2 / failure) / 2)


def test_layers_of_one_network_do_not_share_bits():
    """Two fair independent bits agree half the time, within the same bound."""
    count = 50_000
    masks = masks_from_words(network_of([2**15] * 2), uniform_words(5, 2 * count), 1, count)
    agree = int((masks[0, :, 0] == masks[0, :, 1]).sum())
    assert abs(agree - count / 2) < sqrt(count * log(2e9) / 2)


def test_the_same_seed_gives_the_same_words():
    words = uniform_words(11, 1000)
    assert np.array_equal(words, uniform_words(11, 1000)) and words.dtype == np.uint16
    assert np.array_equal(words[:501], uniform_words(11, 501))


def test_words_depend_on_the_seed():
    assert len({uniform_words(seed, 8).tobytes() for seed in range(200)}) == 200


def test_the_words_of_a_seed_never_change():
    assert uniform_words(1, 6).tolist() == [58623, 31010, 48627, 33542, 43110, 49490]
