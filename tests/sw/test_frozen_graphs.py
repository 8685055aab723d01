# SPDX-License-Identifier: Apache-2.0
"""Frozen graphs in their file: there and back, and every wrong field named."""

import json

import numpy as np
import pytest

from networks import GRAPHS, random_graph_network, random_images
from scaledrop.engine import infer
from scaledrop.errors import UserError
from scaledrop.frozen_file import SEAL, decode, encode


def refusal(data):
    with pytest.raises(UserError) as caught:
        decode(data)
    return str(caught.value)


@pytest.mark.parametrize("name", GRAPHS)
def test_every_graph_survives_the_file(name):
    shape, nodes = GRAPHS[name]
    network = random_graph_network(5, shape, nodes)
    data = encode(network)
    again = decode(data)
    assert encode(again) == data and again.graph == network.graph
    images = random_images(6, network, 2)
    masks = np.random.default_rng(7).integers(0, 2, (2, 3, len(network.layers)))
    np.testing.assert_array_equal(
        infer(again, images, masks).logits, infer(network, images, masks).logits
    )


def graph_body(name):
    shape, nodes = GRAPHS[name]
    return json.loads(encode(random_graph_network(5, shape, nodes)).split(b"\n", 1)[1])


WRONG = {
    "layers[0].weights: takes 25 inputs but gets 36": (
        "lenet5",
        ("layers", 0, "window", "size", 6),
    ),
    "layers[0].window.stride: must be 1 to 64, not 0": (
        "lenet5",
        ("layers", 0, "window", "stride", 0),
    ),
    "layers.pool1.size: must be 1 to 28, not 0": ("lenet5", ("layers", 1, "size", 0)),
    "layers[1].channels: is missing": ("lenet5", ("layers", 1, "kind", "layer")),
    "stream_bits: must be 2 to 32, not 99": ("resnet, projections", ("stream_bits", 99)),
    "layers[0].stream: must be 1 or missing": ("resnet, projections", ("layers", 0, "stream", 2)),
    "layers[16].addends: must be 25, not 3": ("resnet, projections", ("layers", -1, "addends", 3)),
    "layers[0].threshold: must be lists of as many integers each": (
        "dense, 3-bit",
        ("layers", 0, "threshold", 0, [1, 2]),
    ),
    "layers[4]: unknown field 'sources'; is the file newer?": (
        "unet",
        ("layers", 4, "sources", ["nobody"]),
    ),
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_field_of_a_graph_is_named(text):
    name, change = WRONG[text]
    body = graph_body(name)
    *path, last, value = change
    at = body
    for key in path:
        at = at[key]
    at[last] = value
    written = json.dumps(body, sort_keys=True, separators=(",", ":")) + "\n"
    assert refusal(SEAL.close(written.encode())[0]) == text
