# SPDX-License-Identifier: Apache-2.0
"""Where the results of a layer go, in small graphs whose answer is plain to see."""

from scaledrop.graph import (
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
from scaledrop.tails import Delivery, Method, Tail, tails
from scaledrop.topologies import resnet18, unet

CONV = Window(3, padding=1)


def method(layer):
    return Method.DENSE if layer.window is None else Method.UNROLLED


def of(shape, nodes):
    return tails(Graph(shape, 1, tuple(nodes)), method)


def stream(name, channels=4, source="", window=CONV):
    return Layer(name, channels, window, output=Kind.STREAM, source=source)


def head(channels=2):
    return Layer("head", channels, output=Kind.LOGITS)


def shapes(tail):
    return [(one.reader, one.value.shape, one.pool) for one in tail.deliveries]


def test_a_chain_pools_on_the_way():
    nodes = [Layer("a", 3, CONV, planes=2), MaxPool("p", 2), Layer("b", 5, CONV), head()]
    found = of((1, 7, 9), nodes)
    (one,) = found["a"].deliveries
    assert (one.reader, one.method, one.value.shape) == ("b", Method.UNROLLED, (3, 3, 4))
    assert (one.value.planes, one.pool, one.columns, one.positions) == (2, 2, 9, 12)
    assert shapes(found["b"]) == [("head", (5, 3, 4), 1)] and found["head"] == Tail()


def test_codes_with_two_readers_are_written_twice():
    nodes = [
        Layer("a", 3, CONV),
        MaxPool("p", 2),
        Layer("b", 4, CONV),
        Upsample("u", 2),
        Concat("c", ("a", "u")),
        Layer("d", 5, CONV),
        head(),
    ]
    found = of((1, 6, 6), nodes)
    assert shapes(found["a"]) == [("b", (3, 3, 3), 2), ("d", (3, 6, 6), 1)]
    # Upsampling is an address: what is written is the small map.
    assert shapes(found["b"]) == [("d", (4, 3, 3), 1)]


def test_pooling_behind_a_concatenation_is_done_by_each_writer():
    nodes = [
        Layer("a", 3, CONV),
        Layer("b", 4, CONV, source="a"),
        Concat("c", ("a", "b")),
        MaxPool("p", 3),
        head(),
    ]
    found = of((1, 6, 6), nodes)
    assert shapes(found["a"]) == [("b", (3, 6, 6), 1), ("head", (3, 2, 2), 3)]
    assert shapes(found["b"]) == [("head", (4, 2, 2), 3)]


def test_an_identity_shortcut_waits_in_a_buffer():
    nodes = [
        stream("stem"),
        Quantise("q"),
        stream("conv", source="q"),
        Add("sum", ("conv", "stem")),
        Quantise("r", 2),
        SumPool("pool"),
        head(),
    ]
    found = of((1, 5, 6), nodes)
    stem, conv = found["stem"], found["conv"]
    assert (stem.taken, stem.left, stem.added, stem.quantised) == ((), ((4, 5, 6),), 0, 120)
    assert (conv.taken, conv.left, conv.added, conv.quantised) == (((4, 5, 6),), (), 120, 120)
    (one,) = conv.deliveries
    assert (one.value.shape, one.value.addends, one.summed) == ((4,), 30, 4 * 29)


def test_zeros_of_a_subsampled_shortcut_are_not_stored():
    nodes = [
        stream("stem"),
        Quantise("q"),
        Subsample("short", 2, 7, source="stem"),
        stream("conv", 7, source="q", window=Window(3, 2, 1)),
        Add("sum", ("conv", "short")),
        Quantise("r"),
        head(),
    ]
    found = of((1, 5, 6), nodes)
    assert found["stem"].left == ((4, 3, 3),) == found["conv"].taken
    assert (found["stem"].added, found["conv"].added) == (0, 7 * 9)


def test_a_projection_takes_the_convolution_from_a_buffer():
    nodes = [
        stream("stem"),
        Quantise("q"),
        stream("conv", source="q"),
        stream("short", source="q", window=Window(1)),
        Add("sum", ("conv", "short")),
        Quantise("r"),
        head(),
    ]
    found = of((1, 4, 4), nodes)
    assert [one.reader for one in found["stem"].deliveries] == ["conv", "short"]
    assert found["conv"] == Tail(left=((4, 4, 4),)) and found["stem"].left == ()
    assert found["short"].taken == ((4, 4, 4),) and found["short"].added == 64


def test_every_delivery_of_the_large_networks_has_the_shape_that_its_reader_takes():
    for shape, nodes in (((3, 32, 32), resnet18(10)), ((3, 64, 64), unet(2))):
        graph = Graph(shape, 8, nodes)
        found = tails(graph, method)
        given: dict[str, list[Delivery]] = {}
        for tail in found.values():
            for one in tail.deliveries:
                given.setdefault(one.reader, []).append(one)
        for layer in graph.layers[1:]:
            channels = sum(one.channels for one in given[layer.name])
            assert channels == graph.input_of(layer).shape[0]
        assert graph.layers[0].name not in given
