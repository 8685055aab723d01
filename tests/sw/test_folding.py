# SPDX-License-Identifier: Apache-2.0
"""The folded form equals the reference form on every sum."""

import numpy as np
import pytest

from scaledrop.folding import fold, fold_head
from scaledrop.frozen_layer import FrozenLayer, Head, Threshold
from scaledrop.numbers import Coding, activation_bit, activation_code, scaled_sum, signed_width

FRAC = 2


def layer_of(fan_in, output, scale):
    weights = np.ones((len(scale), fan_in), dtype=np.uint8)
    return FrozenLayer("one", weights, scale, 0, Coding.BIPOLAR, 1, output)


def head_of(gain, offset, gain_bits):
    return Head(np.array(gain), np.array(offset), gain_bits, 0)


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
            plain = activation_bit(s, folded.plain(side), layer.output.flip)
            np.testing.assert_array_equal(plain, expected)


def test_codes_of_more_bits_are_folded_level_by_level():
    rng = np.random.default_rng(0)
    levels, flip = np.sort(rng.integers(-42, 44, (60, 3)), axis=1), rng.integers(0, 2, 60)
    layer = layer_of(6, Threshold(levels, flip), rng.integers(0, 8, 60))
    folded = fold(layer, FRAC)
    for s in range(-6, 7):
        for keep, side in ((1, folded.kept), (0, folded.dropped)):
            shat = scaled_sum(np.full(60, s), layer.scale, np.array([keep]), FRAC)
            expected = activation_code(shat[:, None], levels, flip[:, None])
            found = ((folded.sign * s)[:, None] >= side).sum(axis=1)
            np.testing.assert_array_equal(found, expected)
            plain = activation_code(s, folded.plain(side), flip[:, None])
            np.testing.assert_array_equal(plain, expected)


def test_plain_thresholds_fit_one_bit_more_than_the_sums():
    bound = 9 * 7
    for flip in (0, 1):
        ends = Threshold(np.array([-bound, bound, -bound, bound]), np.full(4, flip))
        folded = fold(layer_of(9, ends, np.array([0, 0, 1, 1])), FRAC)
        for side in (folded.kept, folded.dropped):
            assert folded.plain(side).min() >= -9 and folded.plain(side).max() <= 10
        assert folded.plain(folded.kept).tolist() == [-9, 10, -9, 10]


def test_every_gain_and_sum_of_a_head():
    rng = np.random.default_rng(1)
    scale, gain = rng.integers(0, 8, 50), rng.integers(-128, 128, 50)
    layer = layer_of(6, head_of(gain, rng.integers(-999, 999, 50), 8), scale)
    folded = fold_head(layer, 8, FRAC)
    for s in range(-6, 7):
        for keep, side in ((1, folded.kept), (0, folded.dropped)):
            shat = scaled_sum(np.full(50, s), scale, np.array([keep]), FRAC)
            logits = gain * shat + layer.output.offset
            np.testing.assert_array_equal(side * s + folded.offset, logits)


@pytest.mark.parametrize("gain", [0, 1, -5, 127, -127])
@pytest.mark.parametrize("scale", [0, 7, 255])
def test_gain_bits_hold_every_gain_of_the_formats(gain, scale):
    folded = fold_head(layer_of(3, head_of([gain], [0], 8), np.array([scale])), 8, FRAC)
    assert (folded.kept.tolist(), folded.dropped.tolist()) == ([gain * scale], [gain << FRAC])
    assert folded.gain_bits == 8 + 8 == signed_width(127 * 255)


def test_what_has_nothing_to_fold():
    head = layer_of(3, head_of([1], [0], 8), np.array([4]))
    with pytest.raises(TypeError, match="one has no threshold"):
        fold(head, FRAC)
    hidden = layer_of(3, Threshold(np.array([1]), np.array([0])), np.array([4]))
    with pytest.raises(TypeError, match="one has no head"):
        fold_head(hidden, 8, FRAC)
