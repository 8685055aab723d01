# SPDX-License-Identifier: Apache-2.0
"""Sums tile by tile: planes, lossless equality on every graph, and a sum worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from networks import GRAPHS, random_graph_network, random_images, random_network
from scaledrop.array_shape import ArrayShape
from scaledrop.converter import Converter, lossless_converter
from scaledrop.engine import infer
from scaledrop.errors import UserError
from scaledrop.line_planes import line_planes, plane_weights
from scaledrop.numbers import Coding
from scaledrop.tile_sums import tile_sum_rule


def run(network, images, masks, *rule):
    return infer(network, images, masks, tile_sum_rule(network, *rule))


@pytest.mark.parametrize("convolution", ["auto", "taps"])
@pytest.mark.parametrize("name", GRAPHS)
def test_lossless_tiles_add_up_to_the_golden_sums(name, convolution):
    network = random_graph_network(3, *GRAPHS[name])
    images = random_images(4, network, 2)
    masks = np.random.default_rng(5).integers(0, 2, (2, 3, len(network.layers)), dtype=np.uint8)
    expected = infer(network, images, masks)
    shape = ArrayShape(24, 8)
    for converters in (None, lossless_converter(24), [None] * len(network.layers)):
        found = run(network, images, masks, shape, converters, convolution)
        np.testing.assert_array_equal(found.logits, expected.logits)
        for one, other in zip(found.hidden, expected.hidden, strict=True):
            np.testing.assert_array_equal(one, other)
    coarse = run(network, images, masks, shape, Converter(2, 8), convolution)
    assert (coarse.logits != expected.logits).any()


def test_each_tile_and_plane_is_converted_on_its_own():
    network = random_network(1, (5, 3), input_bits=2)
    layer = network.layers[0]
    image = np.array([3, 1, 2, 0, 3])
    cells = 2 * layer.weights.astype(int) - 1
    one, expected = Converter(2, 2), np.zeros(3, dtype=int)
    for weight, plane in ((2, [1, 0, 1, 0, 1]), (1, [1, 1, 0, 0, 1])):
        for rows in (slice(0, 2), slice(2, 4), slice(4, 5)):
            expected += weight * one.value(cells[:, rows] @ np.array(plane)[rows])
    found = tile_sum_rule(network, ArrayShape(2, 4), one)(layer, image[None, None])
    assert found[0, 0].tolist() == expected.tolist()


@given(st.integers(1, 4), st.integers(1, 5), st.sampled_from(Coding), st.data())
def test_planes_make_the_values(planes, addends, coding, data):
    layer = random_network(1, (4, 3)).layers[0]
    layer = replace(layer, planes=planes, addends=addends, coding=coding)
    top = (1 << planes) - 1
    codes = data.draw(st.lists(st.integers(0, top), min_size=addends, max_size=addends))
    value = sum(codes) if coding is Coding.UNSIGNED else sum(2 * code - top for code in codes)
    for number in (value, 0):
        worth = plane_weights(layer)
        lines = [int(plane[0]) for plane in line_planes(layer, np.array([number]))]
        if number == value or coding is Coding.UNSIGNED or addends > 1:
            assert sum(w * p for w, p in zip(worth, lines, strict=True)) == number
        else:
            assert lines == [0] * planes, "padding drives a line"
        assert set(lines) <= {-1, 0, 1}


def test_a_wrong_number_of_converters_is_refused():
    network = random_network(1, (5, 4, 3))
    with pytest.raises(UserError) as error:
        tile_sum_rule(network, ArrayShape(), [None])
    assert str(error.value) == ("converters: must be one, or one for each of the 2 layers, not 1")
