# SPDX-License-Identifier: Apache-2.0
"""Full-size networks from shapes: weights and multiply-adds as the literature has them."""

import numpy as np
import pytest

from networks import GRAPHS
from scaledrop.array_shape import ArrayShape
from scaledrop.errors import UserError
from scaledrop.graph import Graph
from scaledrop.layout import NetworkLayout
from scaledrop.shapes import INPUTS, full_size, shape_network

# Multiply-adds of a CIFAR-sized ResNet-18 with projections (0.56 G), ResNet-20 without (41 M, He et
# al. 2016), VGG-small (0.61 G), LeNet-5 for padded 28 x 28 maps.
KNOWN = {
    "lenet5": (61_470, 416_520),
    "vgg_small": (4_656_512, 607_600_640),
    "resnet18": (11_164_352, 555_422_720),
    "resnet20": (268_336, 40_551_040),
}


@pytest.mark.parametrize("name", KNOWN)
def test_weights_and_multiply_adds(name):
    layout = NetworkLayout(shape_network(full_size(name)), ArrayShape())
    weights = sum(entry.layer.weights.size for entry in layout.layers)
    assert (weights, sum(entry.macs for entry in layout.layers)) == KNOWN[name]


@pytest.mark.parametrize("name", INPUTS)
def test_weights_take_no_memory(name):
    network = shape_network(full_size(name))
    assert {layer.weights.strides for layer in network.layers} == {(0, 0)}
    assert len({layer.drop_code for layer in network.layers}) == 1


@pytest.mark.parametrize("name", GRAPHS)
def test_every_small_graph_keeps_its_shape(name):
    graph = Graph(GRAPHS[name][0], 3, tuple(GRAPHS[name][1]))
    network = shape_network(graph, [0.1] * len(graph.layers))
    assert network.graph == graph and network.input_bits == 3
    assert np.unique([layer.drop_code for layer in network.layers]) == round(0.1 * 2**16)


def test_other_shapes():
    graph = full_size("unet", (1, 64, 64), 3, (4, 8), planes=2, input_bits=4)
    assert graph.logits.shape == (3, 64, 64) and graph.layers[0].planes == 2
    assert full_size("mlp", (9,), 4, (5,)).logits.shape == (4,)


@pytest.mark.parametrize(
    ("run", "text"),
    [
        (
            lambda: full_size("alexnet"),
            "network: must be one of mlp, lenet5, vgg_small, resnet18, ",
        ),
        (lambda: full_size("mlp"), "network: mlp needs input_shape, classes and widths"),
        (
            lambda: shape_network(full_size("lenet5"), [0.1, 0.2]),
            "drop: must have one value per layer, 5, not 2; or give one number",
        ),
        (
            lambda: shape_network(full_size("lenet5"), 1.0),
            "drop[0]: dropout probability must be in [0, 1), not 1.0; give for example 0.1",
        ),
    ],
)
def test_refusals_of_shapes(run, text):
    with pytest.raises(UserError) as caught:
        run()
    assert str(caught.value).startswith(text)
