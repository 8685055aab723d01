# SPDX-License-Identifier: Apache-2.0
"""The folded form equals the reference form on every sum."""

import numpy as np
import pytest

from scaledrop.folding import fold
from scaledrop.frozen_layer import FrozenLayer, Head, Threshold
from scaledrop.numbers import Coding, activation_bit, activation_code, scaled_sum

FRAC = 2


def layer_of(fan_in, output, scale):
    weights = np.ones((len(scale), fan_in), dtype=np.uint8)
    return FrozenLayer("one", weights, scale, 0, Coding.BIPOLAR, 1, output)


@pytest.mark.parametrize("fan_in", [1, 4, 9])
def test_every_scale_threshold_direction_and_sum(fan_in):
    scales = range(8)
    bound = fan_in * 7
    grid = np.array([(a, t, f) for a in scales for t in range(-bound, bound + 1) for f in (0, 1)])
    layer = layer_of(fan_in, Threshold(grid[:, 1], grid[:, 2]), grid[:, 0])
    folded = fold(layer, FRAC)
    assert np.abs(folded.kept).max() <= fan_in + 1 and np.abs(folded.dropped).max() <= fan_in + 1
    for s in range(-fan_in, fan_in + 1):
        for keep, side in ((1, folded.kept), (0, folded.dropped)):
            shat = scaled_sum(np.full(len(grid), s), layer.scale, np.array([keep]), FRAC)
            expected = activation_bit(shat, layer.output.threshold, layer.output.flip)
            np.testing.assert_array_equal(folded.sign * s >= side, expected)


def test_codes_of_more_bits_are_folded_level_by_level():
    rng = np.random.default_rng(0)
    levels, flip = np.sort(rng.integers(-40, 41, (30, 3)), axis=1), rng.integers(0, 2, 30)
    layer = layer_of(6, Threshold(levels, flip), rng.integers(0, 8, 30))
    folded = fold(layer, FRAC)
    for s in range(-6, 7):
        for keep, side in ((1, folded.kept), (0, folded.dropped)):
            shat = scaled_sum(np.full(30, s), layer.scale, np.array([keep]), FRAC)
            expected = activation_code(shat[:, None], levels, flip[:, None])
            found = ((folded.sign * s)[:, None] >= side).sum(axis=1)
            np.testing.assert_array_equal(found, expected)


def test_a_head_has_nothing_to_fold():
    head = Head(np.array([1]), np.array([0]), 8, 0)
    with pytest.raises(TypeError, match="one has no threshold"):
        fold(layer_of(3, head, np.array([4])), FRAC)
