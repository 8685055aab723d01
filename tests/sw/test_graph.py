# SPDX-License-Identifier: Apache-2.0
"""Shapes, bounds and refusals of graphs, the topologies, and their JSON."""

import json

import pytest

from networks import GRAPHS
from scaledrop.errors import UserError
from scaledrop.graph import (
    INPUT,
    Add,
    Concat,
    Graph,
    Kind,
    Layer,
    MaxPool,
    Quantise,
    Subsample,
    SumPool,
    Upsample,
    Window,
)
from scaledrop.graph_json import node_from_json, nodes_from_json, nodes_to_json
from scaledrop.topologies import lenet5, mlp, resnet18, resnet20, unet, vgg_small

HEAD = Layer("head", 3, output=Kind.LOGITS)
STREAM = Layer("a", 4, Window(3, padding=1), output=Kind.STREAM)

SIZES = [
    ("mlp", (8, 8), mlp(10, (128, 128)), 3, (10,), 25856),
    ("lenet5", (28, 28), lenet5(10), 5, (10,), 61470),
    ("vgg_small", (3, 32, 32), vgg_small(10), 7, (10,), 4656512),
    ("resnet18", (3, 32, 32), resnet18(10), 21, (10,), 11164352),
    ("resnet20", (3, 32, 32), resnet20(10), 20, (10,), 268336),
    ("unet", (256, 256), unet(2), 15, (2, 256, 256), 1944928),
]


@pytest.mark.parametrize(
    ("shape", "nodes", "layers", "logits", "weights"),
    [row[1:] for row in SIZES],
    ids=[row[0] for row in SIZES],
)
def test_topologies_have_the_sizes_of_their_papers(shape, nodes, layers, logits, weights):
    graph = Graph(shape, 8, nodes)
    assert len(graph.layers) == layers
    assert graph.logits.shape == logits and graph.logits.kind is Kind.LOGITS
    assert sum(a * b for a, b in map(graph.weight_shape, graph.layers)) == weights


def test_values_of_lenet5():
    graph = Graph((28, 28), 8, lenet5(10))
    shapes = {name: value.shape for name, value in graph.values.items()}
    assert shapes == {
        "input": (1, 28, 28),
        "conv1": (6, 28, 28),
        "pool1": (6, 14, 14),
        "conv2": (16, 10, 10),
        "pool2": (16, 5, 5),
        "dense1": (120,),
        "dense2": (84,),
        "dense3": (10,),
    }
    assert [graph.sum_bound(layer) for layer in graph.layers] == [25 * 255, 150, 400, 120, 84]
    assert graph.peak_size == 6 * 28 * 28 + 6 * 14 * 14
    assert graph.finished["conv2"] == ("pool1",)


def test_a_sum_pool_widens_the_bound_of_the_layer_behind_it():
    nodes = (Layer("a", 4, Window(3), planes=2), SumPool("b"), HEAD)
    graph = Graph((10, 12), 8, nodes)
    assert graph.values["b"].addends == 8 * 10
    assert graph.sum_bound(HEAD) == 4 * 80 * 3


WRONG = {
    "layers: a network needs at least one layer": (MaxPool("a"),),
    "layers: names must be unique and not 'input', but are ['head', 'head']": (
        Layer("head", 3),
        HEAD,
    ),
    "layers.b.source: 'c' is not a node before it": (Layer("b", 3, source="c"), HEAD),
    "layers.b: nobody takes its values; remove it or use it": (
        Layer("a", 3),
        Layer("b", 3),
        Layer("head", 3, output=Kind.LOGITS, source="a"),
    ),
    "layers: the last layer, and only that one, gives logits, not none": (Layer("a", 3),),
    "layers.b: takes stream, not codes; change its source": (Layer("a", 3), Quantise("b"), HEAD),
    "layers.head: takes pixels or codes, not stream; quantise first": (STREAM, HEAD),
    "layers.b: takes codes, not stream; change its source": (STREAM, MaxPool("b"), HEAD),
    "layers.b: takes (C, H, W) maps, not shape (3,); change its source": (
        Layer("a", 3),
        MaxPool("b"),
        HEAD,
    ),
    "layers.c: only a layer can follow a sum pool; change its source": (
        Layer("a", 3, Window(3)),
        SumPool("b"),
        MaxPool("c"),
        HEAD,
    ),
    "layers.b: a convolution takes (C, H, W) maps, not shape (3,)": (
        Layer("a", 3),
        Layer("b", 3, Window(3)),
        HEAD,
    ),
    "layers.a.window: 9 does not fit maps of 8 x 8; use a smaller kernel or more padding": (
        Layer("a", 3, Window(9)),
        HEAD,
    ),
    "layers.b.size: must be 1 to 6, not 7": (Layer("a", 3, Window(3)), MaxPool("b", 7), HEAD),
    "layers.b.factor: must be 1 to 64, not 0": (Layer("a", 3, Window(3)), Upsample("b", 0), HEAD),
    "layers.b.channels: must be 4 to 1048576, not 3": (STREAM, Subsample("b", 2, 3), HEAD),
    "layers.b.sources: must be 2, not 1": (STREAM, Add("b", ("a",)), HEAD),
    "layers.c: streams must have one shape, not (4, 4, 4) and (4, 8, 8); "
    "put a Subsample on the shortcut": (
        STREAM,
        Subsample("b", 2, 4),
        Add("c", ("b", "a")),
        HEAD,
    ),
    "layers.c: maps must agree in height, width and bits, not (3, 6, 6) of 1 and (3, 3, 3) of 1": (
        Layer("a", 3, Window(3)),
        MaxPool("b"),
        Concat("c", ("a", "b")),
        HEAD,
    ),
    "layers.a.planes: must be 1 to 8, not 9": (Layer("a", 3, planes=9), HEAD),
    "layers.a.channels: must be 1 to 1048576, not 0": (Layer("a", 0), HEAD),
    "layers.a.output: must be codes, stream or logits, not pixels": (
        Layer("a", 3, output=Kind.PIXELS),
        HEAD,
    ),
    "layers.a b: 'a b' must be 1 to 64 letters, digits, '-' and '_' only": (Layer("a b", 3), HEAD),
}


@pytest.mark.parametrize("text", WRONG)
def test_what_does_not_fit_is_named(text):
    with pytest.raises(UserError) as caught:
        Graph((8, 8), 8, WRONG[text])
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Window(0), "window.size: must be 1 to 64, not 0"),
        (lambda: Window(3, 0), "window.stride: must be 1 to 64, not 0"),
        (lambda: Window(3, 1, 3), "window.padding: must be 0 to 2, not 3"),
        (lambda: lenet5(10, (6, 16)), "widths: lenet5 takes 4, not 2; see its defaults"),
    ],
)
def test_wrong_sizes_are_named(make, text):
    with pytest.raises(UserError) as caught:
        make()
    assert str(caught.value) == text


@pytest.mark.parametrize("name", GRAPHS)
def test_json_there_and_back(name):
    nodes = tuple(GRAPHS[name][1])
    assert nodes_from_json(json.loads(json.dumps(nodes_to_json(nodes)))) == nodes


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "n: must be an object, not int"),
        (
            {"kind": "gru"},
            "n.kind: 'gru' is not known to this version; it knows dense, conv, add, concat, layer, "
            "maxpool, quantise, subsample, sumpool, upsample",
        ),
        ({"kind": "maxpool", "name": "a", "pad": 1}, "n: unknown field 'pad'; is the file newer?"),
        ({"kind": "maxpool"}, "n.name: is missing"),
        ({"kind": "maxpool", "name": "a", "size": "2"}, "n.size: must be int, not '2'"),
        ({"kind": "maxpool", "name": "a", "size": True}, "n.size: must be int, not True"),
        (
            {"kind": "add", "name": "a", "sources": [1]},
            "n.sources: must be a list of names, not [1]",
        ),
        (
            {"kind": "layer", "name": "a", "channels": 3, "output": "x"},
            "n.output: must be codes, stream or logits, not 'x'",
        ),
        (
            {"kind": "layer", "name": "a", "channels": 3, "window": {"stride": 1}},
            "n.window: must be an object with size, stride, padding",
        ),
    ],
)
def test_wrong_json_is_named(value, text):
    with pytest.raises(UserError) as caught:
        node_from_json(value, "n")
    assert str(caught.value) == text


def test_the_image_may_feed_several_nodes():
    nodes = (
        Layer("a", 2, Window(3, padding=1)),
        Layer("b", 3, Window(5, padding=2), source=INPUT),
        Concat("c", ("a", "b")),
        HEAD,
    )
    graph = Graph((8, 8), 8, nodes)
    assert graph.values["c"].shape == (5, 8, 8) and graph.users[INPUT] == ("a", "b")
