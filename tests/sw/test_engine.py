# SPDX-License-Identifier: Apache-2.0
"""The golden model against a triple loop over plain integers."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from networks import random_images, random_network
from scaledrop.engine import check_images, check_masks, infer
from scaledrop.errors import UserError
from scaledrop.frozen import FrozenLayer, FrozenNetwork, Head, Threshold
from scaledrop.numbers import Coding
from scaledrop.record import PassRecord

NETWORK = random_network(1, (6, 4, 3), input_bits=2)


def naive_sum(weights, inputs, coding):
    total = 0
    for weight, value in zip(weights, inputs, strict=True):
        driven = value if coding is Coding.UNSIGNED else (1 if value else -1)
        total += driven if weight else -driven
    return total


def naive_layer(layer, inputs, keep, frac):
    outputs = []
    for channel, weights in enumerate(layer.weights.tolist()):
        shat = naive_sum(weights, inputs, layer.coding)
        shat *= int(layer.scale[channel]) if keep else 2**frac
        stage = layer.output
        if isinstance(stage, Threshold):
            bit = shat >= int(stage.threshold[channel])
            outputs.append(int(bit != bool(stage.flip[channel])))
        else:
            outputs.append(int(stage.gain[channel]) * shat + int(stage.offset[channel]))
    return outputs


def naive_pass(network, pixels, keep):
    """Outputs of every layer for one image and one pass."""
    values, outputs = pixels, []
    for layer, bit in zip(network.layers, keep, strict=True):
        values = naive_layer(layer, values, bit, network.scale_frac_bits)
        outputs.append(values)
    return outputs


def all_masks(network, images):
    masks = np.array(list(itertools.product((0, 1), repeat=len(network.layers))))
    return np.repeat(masks[None], images, axis=0)


@pytest.mark.parametrize(
    ("sizes", "input_bits"),
    [((5, 3), 8), ((1, 1), 1), ((6, 4, 3), 2), ((9, 7, 5, 4), 8), ((4, 3, 3, 2, 2), 16)],
)
@pytest.mark.parametrize("seed", range(3))
def test_every_value_equals_the_triple_loop_under_every_mask(sizes, input_bits, seed):
    network = random_network(seed, sizes, input_bits)
    images = random_images(seed + 50, network, 3)
    masks = all_masks(network, len(images))
    record = infer(network, images, masks)
    assert np.array_equal(record.masks, masks)
    for image, index in np.ndindex(masks.shape[:2]):
        expected = naive_pass(network, images[image].tolist(), masks[image, index].tolist())
        hidden = [layer[image, index].tolist() for layer in record.hidden]
        assert [*hidden, record.logits[image, index].tolist()] == expected


def test_sums_and_votes_follow_from_the_logits():
    images = random_images(2, NETWORK, 5)
    record = infer(NETWORK, images, all_masks(NETWORK, 5))
    for image, logits in enumerate(record.logits.tolist()):
        winners = [row.index(max(row)) for row in logits]
        assert record.votes[image].tolist() == [winners.count(k) for k in range(3)]
        assert record.sums[image].tolist() == [sum(column) for column in zip(*logits, strict=True)]
    assert (record.images, record.passes) == (5, 4)


def test_a_tied_vote_goes_to_the_lowest_class():
    logits = np.array([[[7, 7, 7], [1, 2, 2], [0, 0, 1]]])
    record = PassRecord.of_passes(np.ones((1, 3, 1), np.uint8), (), logits)
    assert record.votes.tolist() == [[1, 1, 1]] and record.sums.tolist() == [[8, 9, 10]]


def test_a_pass_depends_on_no_other_pass_or_image():
    images, masks = random_images(3, NETWORK, 4), all_masks(NETWORK, 4)
    whole = infer(NETWORK, images, masks)
    turned = infer(NETWORK, images[::-1], masks[:, ::-1])
    assert np.array_equal(turned.logits, whole.logits[::-1, ::-1])
    alone = infer(NETWORK, images[2:3], masks[2:3, 1:2])
    assert alone.logits.tolist() == whole.logits[2:3, 1:2].tolist()


def test_results_are_bits_and_64_bit_integers():
    record = infer(NETWORK, random_images(1, NETWORK, 2), all_masks(NETWORK, 2).astype(bool))
    assert [record.masks.dtype, *(h.dtype for h in record.hidden)] == [np.uint8] * 2
    assert {record.logits.dtype, record.sums.dtype, record.votes.dtype} == {np.dtype(np.int64)}
    assert record.hidden[0].max() <= 1


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int64, np.uint64])
def test_images_come_in_any_integer_type_and_either_shape(dtype):
    images = np.arange(12).reshape(2, 6) % 4
    assert check_images(NETWORK, images.astype(dtype)).tolist() == images.tolist()
    square = random_network(1, (4, 2), input_bits=2)
    assert check_images(square, images[:, :4].astype(dtype)).dtype == np.int64


def test_images_come_in_the_shape_that_users_hold():
    network = random_network(1, (6, 2), input_bits=2)
    object.__setattr__(network, "input_shape", (2, 3))
    images = np.arange(12).reshape(2, 2, 3) % 4
    assert check_images(network, images).tolist() == images.reshape(2, 6).tolist()


@pytest.mark.parametrize(
    ("images", "text"),
    [
        (np.zeros(6, int), "images: shape must be (N, 6), not (6,)"),
        (np.zeros((2, 5), int), "images: shape must be (N, 6), not (2, 5)"),
        (np.zeros((2, 2, 3), int), "images: shape must be (N, 6), not (2, 2, 3)"),
        (np.zeros((2, 6)), "images: must be integers of 2 bits, not float64"),
        (np.zeros((2, 6), bool), "images: must be integers of 2 bits, not bool"),
        (np.zeros((2, 6), object), "images: must be integers of 2 bits, not object"),
        (np.full((2, 6), 4), "images: pixels must be 0 to 3, not 4"),
        (np.full((2, 6), -1), "images: pixels must be 0 to 3, not -1"),
    ],
)
def test_wrong_images_are_refused(images, text):
    with pytest.raises(UserError) as caught:
        infer(NETWORK, images, np.ones((2, 1, 2), int))
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("masks", "text"),
    [
        (np.ones((2, 2), int), "masks: shape must be (2, T, 2), not (2, 2)"),
        (np.ones((3, 1, 2), int), "masks: shape must be (2, T, 2), not (3, 1, 2)"),
        (np.ones((2, 1, 3), int), "masks: shape must be (2, T, 2), not (2, 1, 3)"),
        (np.ones((2, 0, 2), int), "passes: must be 1 or more, not 0"),
        (np.full((2, 1, 2), 2), "masks: must be 0 or 1"),
        (np.full((2, 1, 2), -1), "masks: must be 0 or 1"),
        (np.full((2, 1, 2), 0.5), "masks: must be 0 or 1"),
    ],
)
def test_wrong_masks_are_refused(masks, text):
    with pytest.raises(UserError) as caught:
        infer(NETWORK, np.zeros((2, 6), int), masks)
    assert str(caught.value) == text


def test_masks_come_back_as_bits():
    masks = check_masks(NETWORK, np.array([[[True, False]]]), 1)
    assert masks.tolist() == [[[1, 0]]] and masks.dtype == np.uint8


def wide(gain):
    layer = FrozenLayer(
        "l",
        np.ones((1, 1024), np.uint8),
        np.array([65535]),
        0,
        Coding.UNSIGNED,
        16,
        Head(np.array([gain]), np.array([0]), 24, 0),
    )
    return FrozenNetwork("wide", (1024,), 16, 16, 0, (layer,))


def test_sums_over_passes_do_not_wrap():
    network = wide(2**18 - 1)
    assert network.logit_width == 61
    images = np.full((1, 1024), 65535)
    logit = (2**18 - 1) * 1024 * 65535 * 65535
    assert infer(network, images, np.ones((1, 3, 1), int)).sums.tolist() == [[3 * logit]]
    for passes in (4, 64):
        with pytest.raises(UserError) as caught:
            infer(network, images, np.ones((1, passes, 1), int))
        assert str(caught.value) == (
            f"passes: sums of {passes} logits of 61 bits do not fit 63 bits; "
            "use fewer passes or a lower gain_bits"
        )


def test_uint64_gain_keeps_integers():
    head = replace(NETWORK.head, gain=abs(NETWORK.head.gain).astype(np.uint64))
    network = replace(NETWORK, nodes=(NETWORK.layers[0], replace(NETWORK.layers[1], output=head)))
    record = infer(network, np.zeros((1, 6), int), np.ones((1, 1, 2), int))
    assert record.logits.dtype == np.int64


def test_no_images_are_an_empty_batch():
    assert check_images(NETWORK, np.zeros((0, 6), int)).shape == (0, 6)


def test_negative_pixel_is_named():
    with pytest.raises(UserError, match=r"^images: pixels must be 0 to 3, not -1$"):
        check_images(NETWORK, np.array([[-1, 0, 0, 0, 0, 2]]))
