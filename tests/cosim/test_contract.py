# SPDX-License-Identifier: Apache-2.0
"""A workload refuses what no back end could run, and says what its mode makes of the words."""

from dataclasses import replace

import numpy as np
import pytest

from networks import random_network
from scaledrop.device.loop import SpinLoop
from scaledrop.errors import UserError
from scaledrop.spin import masks_from_words
from scaledrop.walk import MASS, Inference, Mode, leaves
from scaledrop_cosim.contract import Workload

NETWORK = random_network(1, (6, 4, 3), input_bits=2)
DEEP = random_network(2, (6, 4, 5, 4, 3), input_bits=2, p=0.2)
IMAGES = np.zeros((3, 6), int)


def exact(network, masks=0):
    return Workload(network, IMAGES, 7, 0, inference=Inference(Mode.EXACT, masks=masks))


def refused(*values, **named):
    with pytest.raises(UserError) as caught:
        Workload(*values, **named)
    return str(caught.value)


def test_no_images():
    message = "images: at least one is needed"
    assert refused(NETWORK, np.zeros((0, 6), int), 1, 0) == message


def test_a_number_of_passes_that_is_out_of_range_or_not_that_of_the_inference():
    assert refused(NETWORK, IMAGES, 0, 0) == "passes: must be 1 to 65535, not 0"
    message = refused(NETWORK, IMAGES, 5, 0, inference=Inference(Mode.SHARED, 4))
    assert message == "passes: must be those of inference (4), not 5"
    assert exact(NETWORK).passes == 7


def test_more_masks_than_can_be_visited():
    network = random_network(3, [3] * 18, input_bits=1)
    with pytest.raises(UserError) as caught:
        Workload(network, np.zeros((1, 3), int), 1, 0, inference=Inference(Mode.EXACT))
    assert str(caught.value) == "masks: must be 1 to 65536 for 17 layers, not 0"
    limited = Inference(Mode.EXACT, masks=9)
    workload = Workload(network, np.zeros((1, 3), int), 1, 0, inference=limited)
    assert 1 <= workload.leaves_per_image <= 9


def test_masks_have_one_bit_per_layer_and_pass():
    workload = Workload(NETWORK, IMAGES, 5, 0)
    assert workload.inference == Inference(Mode.PASSES, 5)
    assert workload.masks.shape == (3, 5, 2) and workload.bits == len(workload.words) == 30
    assert np.array_equal(workload.masks, masks_from_words(NETWORK, workload.words, 3, 5))


@pytest.mark.parametrize("mode", [Mode.PASSES, Mode.SHARED])
def test_drawn_masks_are_those_of_the_walk_of_each_image(mode):
    workload = Workload(DEEP, IMAGES, 6, 3, inference=Inference(mode, 6))
    assert workload.bits == len(workload.words) == 3 * 6 * 4
    assert workload.weights.tolist() == [1] * 6 and workload.leaves_per_image == 6
    assert workload.covered == 1.0 and workload.cutoff == 0
    words = iter(workload.words.tolist())
    for image, visits in enumerate(workload.walks):
        assert visits is workload.visits(image)
        assert np.array_equal(leaves(visits, 4)[0], workload.masks[image])
        for visit in visits:
            code = DEEP.layers[visit.layer].drop_code
            assert visit.bits == tuple(int(next(words) >= code) for _ in visit.bits)
    assert next(words, None) is None


def test_the_two_drawn_modes_use_the_same_words_in_another_order():
    one = Workload(DEEP, IMAGES, 6, 3)
    other = Workload(DEEP, IMAGES, 6, 3, inference=Inference(Mode.SHARED, 6))
    assert np.array_equal(one.words, other.words)
    assert not np.array_equal(one.masks, other.masks)


@pytest.mark.parametrize("masks", [0, 1, 5])
def test_exact_draws_no_bits_and_gives_every_image_the_same_leaves(masks):
    workload = exact(DEEP, masks)
    assert workload.bits == len(workload.words) == 0
    assert workload.visits(0) is workload.visits(2)
    found, weights = leaves(workload.visits(0), 4)
    assert workload.leaves_per_image == len(found) == len(weights) <= (masks or 16)
    assert workload.masks.shape == (3, len(found), 4)
    assert all(np.array_equal(one, found) for one in workload.masks)
    assert np.array_equal(workload.weights, weights)
    assert workload.covered == weights.sum() / MASS
    assert (workload.covered == 1.0) == (masks == 0) == (workload.cutoff == 0)


def test_codes_are_those_of_the_network():
    layers = [replace(layer, drop_code=at) for at, layer in enumerate(NETWORK.layers)]
    assert Workload(replace(NETWORK, nodes=tuple(layers)), IMAGES, 1, 0).codes == (0, 1)


@pytest.mark.parametrize("mode", [Mode.PASSES, Mode.SHARED])
def test_a_device_goes_on_from_image_to_image(mode):
    """Its next bit depends on its last one, the first one of the next image too."""
    codes = tuple(layer.drop_code for layer in DEEP.layers)
    # Half of the words switch it, but after a switch none does.
    tables = np.array([[[0, 1 << 31], [0, 0]]], dtype=np.uint32)
    spin = SpinLoop((1 << 15,) * len(codes), tables, 1, {})
    workload = Workload(DEEP, IMAGES, 6, 3, inference=Inference(mode, 6), spin=spin)
    assert workload.codes == codes and workload.drive_codes == spin.codes
    assert workload.words.dtype == np.uint32 and workload.bits == len(workload.words) == 3 * 6 * 4
    drawn = [1 - bit for visits in workload.walks for visit in visits for bit in visit.bits]
    expected, last = [], 0
    for word in workload.words.tolist():
        last = int(not last and word < 1 << 31)
        expected.append(last)
    assert drawn == expected and 20 < sum(drawn) < 30
    for image, visits in enumerate(workload.walks):
        assert np.array_equal(workload.masks[image], leaves(visits, 4)[0])


def test_no_device_where_no_bits_are_drawn():
    spin = SpinLoop((0, 0), np.zeros((1, 2, 2), np.uint32), 1, {})
    message = "spin: mode exact draws no bits; use passes or shared"
    assert refused(NETWORK, IMAGES, 1, 0, inference=Inference(Mode.EXACT), spin=spin) == message
