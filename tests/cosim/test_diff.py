# SPDX-License-Identifier: Apache-2.0
"""The first difference is the earliest that was planted, and its text says where it is."""

from dataclasses import replace

import numpy as np
import pytest

from networks import GRAPHS, random_graph_network, random_images, random_network
from scaledrop.engine import infer
from scaledrop_cosim.diff import first_difference

NETWORK = random_network(3, (6, 5, 4, 3), input_bits=2)
IMAGES, PASSES = 3, 4
MASKS = np.random.default_rng(1).integers(0, 2, (IMAGES, PASSES, 3))
RECORD = infer(NETWORK, random_images(4, NETWORK, IMAGES), MASKS)


def plant(record, field, at, layer=None):
    """A copy of a record with one value changed; a bit is turned, a number grows by one."""
    stored = getattr(record, field)
    values = (stored if layer is None else stored[layer]).copy()
    values[at] = 1 - values[at] if field in ("masks", "hidden") else values[at] + 1
    if layer is not None:
        values = (*stored[:layer], values, *stored[layer + 1 :])
    return replace(record, **{field: values})


FAULTS = {
    "masks": (RECORD.masks.shape, None),
    "hidden 0": (RECORD.hidden[0].shape, 0),
    "hidden 1": (RECORD.hidden[1].shape, 1),
    "logits": (RECORD.logits.shape, None),
    "sums": (RECORD.sums.shape, None),
    "votes": (RECORD.votes.shape, None),
    "squares": (RECORD.squares.shape, None),
}
AFTERWARDS = {"sums": 3, "votes": 4, "squares": 5}


def place(kind, at):
    """(image, pass, layer, kind, channel) of a fault, in the order of computation."""
    if kind == "masks":
        return (at[0], at[1], at[2], 0, 0)
    if kind.startswith("hidden"):
        return (at[0], at[1], int(kind[-1]), 1, at[2])
    if kind == "logits":
        return (at[0], at[1], 2, 2, at[2])
    return (at[0], 2**31, 2, AFTERWARDS[kind], at[1])


def place_of(difference):
    one = difference
    return (one.image, one.pass_index, one.layer, one.kind, one.channel)


def test_equal_records_do_not_differ():
    assert first_difference(NETWORK, RECORD, RECORD) is None


@pytest.mark.parametrize("kind", FAULTS)
def test_every_single_fault_is_found_at_its_place(kind):
    shape, layer = FAULTS[kind]
    for at in np.ndindex(shape):
        found = first_difference(NETWORK, RECORD, plant(RECORD, kind.split()[0], at, layer))
        assert place_of(found) == place(kind, at)
        assert found.layer_name == f"dense{found.layer + 1}"


def value(record, kind, at):
    stored = getattr(record, kind.split()[0])
    return int((stored if kind[-1] not in "01" else stored[int(kind[-1])])[at])


@pytest.mark.parametrize(
    ("kind", "at", "text"),
    [
        ("masks", (1, 2, 1), "image 1, pass 2, layer 1 (dense2): mask bit"),
        ("hidden 0", (0, 3, 4), "image 0, pass 3, layer 0 (dense1), channel 4: hidden bit"),
        ("hidden 1", (2, 0, 3), "image 2, pass 0, layer 1 (dense2), channel 3: hidden bit"),
        ("logits", (2, 1, 2), "image 2, pass 1, layer 2 (dense3), class 2: logit"),
        ("sums", (1, 0), "image 1, class 0: sum of logits"),
        ("votes", (2, 1), "image 2, class 1: votes"),
        ("squares", (0, 2), "image 0, class 2: sum of squares"),
    ],
)
def test_the_text_names_the_place_and_both_values(kind, at, text):
    changed = plant(RECORD, kind.split()[0], at, FAULTS[kind][1])
    expected, found = value(RECORD, kind, at), value(changed, kind, at)
    said = str(first_difference(NETWORK, RECORD, changed))
    assert said == f"{text} is {found}, expected {expected}"


@pytest.mark.parametrize("seed", range(30))
def test_the_earliest_of_several_is_found(seed):
    rng = np.random.default_rng(seed)
    changed, places = RECORD, []
    for kind in rng.permutation(list(FAULTS))[: rng.integers(2, 7)]:
        shape, layer = FAULTS[kind]
        at = tuple(int(rng.integers(size)) for size in shape)
        changed = plant(changed, kind.split()[0], at, layer)
        places.append(place(kind, at))
    assert place_of(first_difference(NETWORK, RECORD, changed)) == min(places)


def test_the_earliest_of_all_values_is_the_first_mask_bit():
    changed = RECORD
    for kind, (shape, layer) in FAULTS.items():
        for at in np.ndindex(shape):
            changed = plant(changed, kind.split()[0], at, layer)
    assert place_of(first_difference(NETWORK, RECORD, changed)) == (0, 0, 0, 0, 0)


def test_maps_have_a_position():
    shape, nodes = GRAPHS["unet"]
    network = random_graph_network(1, shape, nodes)
    masks = np.random.default_rng(1).integers(0, 2, (2, 3, len(network.layers)))
    record = infer(network, random_images(4, network, 2), masks)
    found = first_difference(network, record, plant(record, "hidden", (1, 2, 0, 3, 4), 2))
    assert (found.layer_name, found.channel, found.position) == (network.layers[2].name, 0, (3, 4))
    assert str(found).startswith("image 1, pass 2, layer 2 (down2a), channel 0 at 3, 4: hidden bit")
    found = first_difference(network, record, plant(record, "logits", (1, 0, 5, 6, 2)))
    assert (found.channel, found.position) == (2, (5, 6))
    found = first_difference(network, record, plant(record, "votes", (0, 5, 6, 1)))
    assert (found.channel, found.position) == (1, (5, 6))
