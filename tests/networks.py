# SPDX-License-Identifier: Apache-2.0
"""Random frozen networks for tests: every field drawn, none trained."""

from itertools import pairwise

import numpy as np

from scaledrop.frozen import FrozenLayer, FrozenNetwork, Head, Stream, Threshold
from scaledrop.graph import Graph, Kind, Layer, MaxPool, Upsample, Window
from scaledrop.numbers import Coding, drop_code, scaled_bound, sum_bound
from scaledrop.topologies import lenet5, mlp, resnet, unet, vgg_small

SCALE_BITS, SCALE_FRAC_BITS, GAIN_BITS = 8, 6, 12


def _threshold(rng, fan_in, out_features, input_bits, first):
    """Thresholds where sums really fall, so that both outcomes occur."""
    planes = input_bits if first else 1
    bound = scaled_bound(sum_bound(fan_in, planes), SCALE_BITS)
    spread = int(fan_in**0.5 * 100 * ((1 << planes) / 2 if first else 1))
    values = np.clip(rng.integers(-spread, spread + 1, out_features), -bound, bound)
    return Threshold(values, rng.integers(0, 2, out_features))


def random_network(seed, sizes, input_bits=8, p=0.4):
    """A dense network of the given layer sizes; ``p`` for every layer."""
    rng = np.random.default_rng(seed)
    layers = []
    for index, (fan_in, out) in enumerate(pairwise(sizes)):
        first, last = index == 0, index == len(sizes) - 2
        if last:
            gain, offset = rng.integers(-2000, 2001, out), rng.integers(-(10**5), 10**5, out)
            output = Head(gain, offset, GAIN_BITS, 10)
        else:
            output = _threshold(rng, fan_in, out, input_bits, first)
        layers.append(
            FrozenLayer(
                name=f"dense{index + 1}",
                weights=rng.integers(0, 2, (out, fan_in), dtype=np.uint8),
                scale=rng.integers(0, 1 << SCALE_BITS, out),
                drop_code=drop_code(p),
                coding=Coding.UNSIGNED if first else Coding.BIPOLAR,
                planes=input_bits if first else 1,
                output=output,
            )
        )
    return FrozenNetwork(
        f"random{seed}", (sizes[0],), input_bits, SCALE_BITS, SCALE_FRAC_BITS, tuple(layers)
    )


def random_images(seed, network, count):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 1 << network.input_bits, (count, network.input_size))


def _frozen(rng, network_graph, node, p):
    """A layer of a graph with every number drawn, thresholds and gains where sums really fall."""
    value = network_graph.input_of(node)
    out, fan_in = network_graph.weight_shape(node)
    bound = scaled_bound(network_graph.sum_bound(node), SCALE_BITS)
    spread = max(1, int(fan_in**0.5 * 60 * value.addends**0.5 * ((1 << value.planes) - 1)))
    if node.output is Kind.CODES:
        shape = (out,) if node.planes == 1 else (out, (1 << node.planes) - 1)
        flip = rng.integers(0, 2, out)
        levels = np.sort(np.clip(rng.integers(-spread, spread + 1, shape), -bound, bound), axis=-1)
        if node.planes == 1:
            levels = np.clip(rng.integers(-spread, spread + 1, shape), -bound, bound)
        output = Threshold(levels, flip)
    elif node.output is Kind.STREAM:
        largest = min(2000, max(2, 2**24 // spread))
        gain = rng.integers(-largest, largest + 1, out)
        output = Stream(gain, rng.integers(-(2**20), 2**20, out), GAIN_BITS, 15)
    else:
        gain, offset = rng.integers(-2000, 2001, out), rng.integers(-(10**5), 10**5, out)
        output = Head(gain, offset, GAIN_BITS, 10)
    return FrozenLayer(
        name=node.name,
        weights=rng.integers(0, 2, (out, fan_in), dtype=np.uint8),
        scale=rng.integers(0, 1 << SCALE_BITS, out),
        drop_code=drop_code(p),
        coding=Coding.UNSIGNED if value.kind is Kind.PIXELS else Coding.BIPOLAR,
        planes=value.planes,
        output=output,
        window=node.window,
        addends=value.addends,
        source=node.source,
    )


def random_graph_network(seed, input_shape, nodes, input_bits=8, p=0.4):
    """A network of any graph, every number drawn."""
    rng = np.random.default_rng(seed)
    graph = Graph(input_shape, input_bits, tuple(nodes))
    frozen = [_frozen(rng, graph, node, p) if isinstance(node, Layer) else node for node in nodes]
    return FrozenNetwork(
        f"random{seed}", input_shape, input_bits, SCALE_BITS, SCALE_FRAC_BITS, tuple(frozen)
    )


GRAPHS = {
    "dense": ((6, 6), mlp(5, (9, 7))),
    "dense, 3-bit": ((6, 6), mlp(5, (9, 7), planes=3)),
    "lenet5": ((28, 28), lenet5(10, (3, 4, 12, 8))),
    "lenet5, 2-bit": ((28, 28), lenet5(10, (3, 4, 12, 8), planes=2)),
    "vgg_small": ((3, 16, 16), vgg_small(4, (4, 5, 6))),
    "resnet, shortcuts without weights": ((3, 8, 8), resnet(4, (4, 6), 1, projection=False)),
    "resnet, projections": ((3, 9, 9), resnet(4, (4, 6), 1, projection=True)),
    "resnet, 2-bit": ((3, 8, 8), resnet(4, (3, 4), 1, projection=True, planes=2)),
    "unet": ((12, 12), unet(3, (3, 4, 5))),
    "strides and rests": (
        (2, 11, 13),
        (
            Layer("a", 5, Window(4, stride=2, padding=1)),
            MaxPool("b", 2),
            Layer("c", 4, Window(2)),
            Upsample("d", 3),
            Layer("e", 3, Window(3, stride=3)),
            Layer("f", 6),
            Layer("g", 3, output=Kind.LOGITS),
        ),
    ),
}
"""Small graphs that have every node and every kind of value in them."""
