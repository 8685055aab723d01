# SPDX-License-Identifier: Apache-2.0
"""A frozen network refuses every wrong field by its name."""

from dataclasses import replace

import numpy as np
import pytest

from networks import random_network
from scaledrop.errors import UserError
from scaledrop.frozen import FrozenLayer, FrozenNetwork, Head, Threshold
from scaledrop.numbers import MAX_GAIN_FRAC_BITS, MAX_OFFSET, Coding

GOOD = random_network(1, (6, 4, 3), input_bits=2)
HIDDEN, LAST = GOOD.layers
THAW = "; freeze the network again"
LETTERS = "must be 1 to 64 letters, digits, '-' and '_' only"
BOUND = 6 * 3 * 255


def network(**changes):
    return lambda: replace(GOOD, **changes)


def layer(index, **changes):
    layers = list(GOOD.layers)
    layers[index] = replace(layers[index], **changes)
    return network(nodes=tuple(layers))


def output(index, **changes):
    return layer(index, output=replace(GOOD.layers[index].output, **changes))


def with_value(values, value):
    """A copy whose last element is ``value``."""
    changed = values.astype(np.int64)
    changed.flat[-1] = value
    return changed


WRONG = [
    (network(name=""), f"name: '' {LETTERS}"),
    (network(name="a b"), f"name: 'a b' {LETTERS}"),
    (network(name="a\nb"), f"name: 'a\\nb' {LETTERS}"),
    (network(name="a\n"), f"name: 'a\\n' {LETTERS}"),
    (network(name="../a"), f"name: '../a' {LETTERS}"),
    (network(name="\u00e9"), f"name: '\u00e9' {LETTERS}"),
    (network(name="x" * 65), f"name: '{'x' * 65}' {LETTERS}"),
    (network(name=7), f"name: 7 {LETTERS}"),
    (network(input_shape=(-2, -3)), "input_shape: must be 1 to 1048576, not -2"),
    (network(input_shape=(6, 0)), "input_shape: must be 1 to 1048576, not 0"),
    (network(input_shape=(6.0,)), "input_shape: must be 1 to 1048576, not 6.0"),
    (network(input_shape=(6, True)), "input_shape: must be 1 to 1048576, not True"),
    (network(input_shape=(2**20 + 1,)), "input_shape: must be 1 to 1048576, not 1048577"),
    (network(input_bits=2.0), "input_bits: must be 1 to 16, not 2.0"),
    (network(scale_bits=True), "scale_bits: must be 1 to 16, not True"),
    (network(input_bits=0), "input_bits: must be 1 to 16, not 0"),
    (network(input_bits=17), "input_bits: must be 1 to 16, not 17"),
    (network(scale_bits=0), "scale_bits: must be 1 to 16, not 0"),
    (network(scale_bits=17), "scale_bits: must be 1 to 16, not 17"),
    (
        network(scale_frac_bits=-1),
        "scale_frac_bits: must be 0 to 7 so that 1.0 is exact, not -1",
    ),
    (network(scale_frac_bits=8), "scale_frac_bits: must be 0 to 7 so that 1.0 is exact, not 8"),
    (network(nodes=()), "layers: a network needs at least one layer"),
    (
        layer(1, name="dense1"),
        "layers: names must be unique and not 'input', but are ['dense1', 'dense1']",
    ),
    (network(input_shape=(7,)), "layers[0].weights: takes 6 inputs but gets 7"),
    (network(input_shape=(2, 2)), "layers[0].weights: takes 6 inputs but gets 4"),
    (network(input_bits=3), "layers[0].planes: must be 3 unsigned, not 2 unsigned"),
]
WRONG_LAYERS = [
    (layer(1, weights=np.ones((3, 5), np.uint8)), "1].weights: takes 5 inputs but gets 4"),
    (layer(0, weights=np.ones(6, np.uint8)), "0].weights: shape must be (out, in), not (6,)"),
    (
        layer(0, weights=np.ones((0, 6), np.uint8)),
        "0].weights: shape must be (out, in), not (0, 6)",
    ),
    (layer(0, weights=with_value(HIDDEN.weights, 2)), f"0].weights: 2 is outside 0 to 1{THAW}"),
    (layer(0, weights=with_value(HIDDEN.weights, -1)), f"0].weights: -1 is outside 0 to 1{THAW}"),
    (
        layer(0, weights=HIDDEN.weights.astype(float)),
        f"0].weights: must hold integers, not float64{THAW}",
    ),
    (layer(0, planes=1), "0].planes: must be 2 unsigned, not 1 unsigned"),
    (layer(0, coding=Coding.BIPOLAR), "0].planes: must be 2 unsigned, not 2 bipolar"),
    (layer(1, coding=Coding.UNSIGNED), "1].planes: must be 1 bipolar, not 1 unsigned"),
    (layer(1, planes=2), "1].planes: must be 1 bipolar, not 2 bipolar"),
    (layer(0, scale=with_value(HIDDEN.scale, 256)), f"0].scale: 256 is outside 0 to 255{THAW}"),
    (layer(1, scale=with_value(LAST.scale, -1)), f"1].scale: -1 is outside 0 to 255{THAW}"),
    (layer(0, scale=HIDDEN.scale[:3]), f"0].scale: shape must be (4,), not (3,){THAW}"),
    (layer(0, scale=HIDDEN.scale / 2), f"0].scale: must hold integers, not float64{THAW}"),
    (layer(0, drop_code=-1), "0].drop_code: must be 0 to 65535, not -1"),
    (layer(1, drop_code=65536), "1].drop_code: must be 0 to 65535, not 65536"),
    (layer(0, drop_code=1.5), "0].drop_code: must be 0 to 65535, not 1.5"),
    (layer(0, drop_code=True), "0].drop_code: must be 0 to 65535, not True"),
    (layer(0, name="a\nb"), f"0].name: 'a\\nb' {LETTERS}"),
    (layer(1, name=None), f"1].name: None {LETTERS}"),
    (layer(0, output=LAST.output), "0].output: the last layer, and only that one, has a head"),
    (layer(1, output=HIDDEN.output), "1].output: the last layer, and only that one, has a head"),
    (layer(0, output=None), "0].output: the last layer, and only that one, has a head"),
    (layer(1, output=None), "1].output: the last layer, and only that one, has a head"),
]
THRESHOLD, FLIP = HIDDEN.output.threshold, HIDDEN.output.flip
WRONG_OUTPUTS = [
    (
        output(0, threshold=with_value(THRESHOLD, BOUND + 1)),
        f"0].threshold: {BOUND + 1} is outside {-BOUND} to {BOUND}{THAW}",
    ),
    (
        output(0, threshold=with_value(THRESHOLD, -BOUND - 1)),
        f"0].threshold: {-BOUND - 1} is outside {-BOUND} to {BOUND}{THAW}",
    ),
    (output(0, threshold=THRESHOLD[:1]), f"0].threshold: shape must be (4,), not (1,){THAW}"),
    (output(0, flip=with_value(FLIP, 2)), f"0].flip: 2 is outside 0 to 1{THAW}"),
    (output(0, flip=FLIP[None]), f"0].flip: shape must be (4,), not (1, 4){THAW}"),
    (output(1, gain_bits=1), "1].gain_bits: must be 2 to 24, not 1"),
    (output(1, gain_bits=25), "1].gain_bits: must be 2 to 24, not 25"),
    (output(1, gain_bits=12.0), "1].gain_bits: must be 2 to 24, not 12.0"),
    (output(1, gain_frac_bits=-1), "1].gain_frac_bits: must be 0 to 40, not -1"),
    (output(1, gain_frac_bits=41), "1].gain_frac_bits: must be 0 to 40, not 41"),
    (
        output(1, gain=with_value(LAST.output.gain, 2048)),
        f"1].gain: 2048 is outside -2047 to 2047{THAW}",
    ),
    (
        output(1, gain=with_value(LAST.output.gain, -2048)),
        f"1].gain: -2048 is outside -2047 to 2047{THAW}",
    ),
    (output(1, gain=LAST.output.gain[:2]), f"1].gain: shape must be (3,), not (2,){THAW}"),
    (
        output(1, offset=with_value(LAST.output.offset, MAX_OFFSET + 1)),
        f"1].offset: {MAX_OFFSET + 1} is outside {-MAX_OFFSET} to {MAX_OFFSET}{THAW}",
    ),
    (
        output(1, offset=LAST.output.offset.astype(np.float32)),
        f"1].offset: must hold integers, not float32{THAW}",
    ),
]
ALL_WRONG = WRONG + [(make, f"layers[{text}") for make, text in WRONG_LAYERS + WRONG_OUTPUTS]


@pytest.mark.parametrize(("make", "text"), ALL_WRONG, ids=[text for _, text in ALL_WRONG])
def test_a_wrong_field_is_named(make, text):
    with pytest.raises(UserError) as caught:
        make()
    assert str(caught.value) == text


@pytest.mark.parametrize(
    "make",
    [
        network(name="a-b_9"),
        network(name="x" * 64),
        layer(0, name="x" * 64),
        network(input_shape=(2, 3)),
        layer(0, drop_code=0),
        layer(0, drop_code=65535),
        layer(0, scale=with_value(HIDDEN.scale, 255)),
        output(0, threshold=with_value(THRESHOLD, BOUND)),
        output(0, threshold=with_value(THRESHOLD, -BOUND)),
        output(1, gain=with_value(LAST.output.gain, -2047)),
        output(1, offset=with_value(LAST.output.offset, -MAX_OFFSET)),
        output(1, gain_frac_bits=0),
        output(1, gain_frac_bits=MAX_GAIN_FRAC_BITS),
    ],
)
def test_the_ends_of_every_range_are_accepted(make):
    assert make().classes == 3


def single_layer(fan_in, input_bits, scale_bits, gain_bits, gain, offset=0):
    head = Head(np.array([gain]), np.array([offset]), gain_bits, 0)
    weights = np.ones((1, fan_in), dtype=np.uint8)
    only = FrozenLayer("only", weights, np.array([0]), 0, Coding.UNSIGNED, input_bits, head)
    return FrozenNetwork("wide", (fan_in,), input_bits, scale_bits, 0, (only,))


def test_logits_that_overflow_64_bits_are_refused():
    with pytest.raises(UserError) as caught:
        single_layer(4096, 16, 16, 24, 2**23 - 1)
    assert str(caught.value) == "layers[0]: logits of 68 bits; at most 62 are supported"


def test_logits_are_supported_up_to_62_bits_and_no_further():
    assert single_layer(1, 16, 16, 24, 2**23 - 1).logit_width == 56
    widest = single_layer(64, 16, 16, 24, 2**23 - 1, MAX_OFFSET)
    assert (widest.logit_width, widest.sum_width, widest.scaled_width) == (62, 23, 39)
    with pytest.raises(UserError, match=r"^layers\[0\]: logits of 63 bits; at most 62"):
        single_layer(128, 16, 16, 24, 2**23 - 1, -MAX_OFFSET)


def test_widths_and_bounds_follow_from_the_fields():
    assert [one.sum_bound for one in GOOD.layers] == [18, 4]
    assert (GOOD.sum_width, GOOD.scaled_width) == (6, 14)
    gain, offset = LAST.output.gain.tolist(), LAST.output.offset.tolist()
    assert GOOD.logit_bound == max(
        abs(g * shat + o) for g, o in zip(gain, offset, strict=True) for shat in (-1020, 1020)
    )
    assert 2 ** (GOOD.logit_width - 2) <= GOOD.logit_bound < 2 ** (GOOD.logit_width - 1)
    assert (GOOD.logit_frac_bits, GOOD.classes, GOOD.input_size) == (16, 3, 6)
    assert GOOD.head is LAST.output and isinstance(HIDDEN.output, Threshold)


def test_drop_probability_is_the_code_over_65536():
    assert layer(0, drop_code=16384)().layers[0].drop_probability == 0.25


def test_shape_whose_product_wraps_is_refused():
    with pytest.raises(UserError) as caught:
        replace(GOOD, input_shape=(33, 1117984489315730401, 6))  # 6 modulo 2**64
    assert str(caught.value) == "input_shape: must be 1 to 1048576, not 1117984489315730401"


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.uint64, bool])
def test_integers_of_any_type_are_stored_in_64_bits(dtype):
    one, flip = np.ones(4, dtype), np.array([0, 1, 1, 0], dtype)
    found = layer(0, scale=one, output=Threshold(one, flip))().layers[0]
    for array in (found.scale, found.output.threshold, found.output.flip):
        assert array.dtype == np.int64
    assert found.scale.tolist() == [1] * 4 and found.output.flip.tolist() == [0, 1, 1, 0]


def test_unsigned_integers_beyond_64_bits_are_refused_not_wrapped():
    with pytest.raises(UserError) as caught:
        layer(0, scale=np.array([1, 1, 1, 2**64 - 1], np.uint64))()
    assert str(caught.value) == f"layers[0].scale: {2**64 - 1} is outside 0 to 255{THAW}"
