# SPDX-License-Identifier: Apache-2.0
"""Random chains of layers on random arrays: everything that the accelerator takes, small."""

import numpy as np

from networks import random_graph_network
from scaledrop.graph import Kind, Layer, MaxPool, Window
from scaledrop.layer_mapping import Method
from scaledrop.mapping import ArrayShape, NetworkMapping

__all__ = ["METHODS", "SEEDS", "mapping_of", "random_mapping"]

ARRAYS = [
    *((1, 1, 0), (4, 4, 0), (8, 12, 4), (8, 12, 2)),
    *((6, 3, 1), (16, 4, 4), (10, 5, 0), (12, 6, 3)),
]
"""Rows, columns, lanes."""
METHODS = ("unrolled", "taps", "mixed")
"""Ways of the convolutions; ``mixed`` is one and the other in turn."""
SEEDS = range(16)
MOST = 600
"""Crossbar activations of one visit of every layer together, at most."""


class _Mixed(NetworkMapping):
    """What ``auto`` makes of kernels some of which are too large to unroll."""

    def _method(self, layer):
        if layer.window is None:
            return Method.DENSE
        return (Method.UNROLLED, Method.TAPS)[self.network.layers.index(layer) % 2]


def mapping_of(seed, input_shape, nodes, array, convolution, input_bits=3):
    """Random weights for given nodes, on an array (rows, columns, lanes)."""
    network = random_graph_network(seed, input_shape, nodes, input_bits)
    if convolution == "mixed":
        return _Mixed(network, ArrayShape(*array))
    return NetworkMapping(network, ArrayShape(*array), convolution)


def _image_shape(rng, maps):
    if not maps:
        return (int(rng.integers(1, 20)),)
    height, width = (int(edge) for edge in rng.integers(4, 10, 2))
    return (height, width) if rng.random() < 0.3 else (int(rng.integers(1, 6)), height, width)


def _window(rng, edges):
    while True:
        size = int(rng.integers(1, 5))
        window = Window(size, int(rng.choice([1, 1, 2, 3])), int(rng.integers(size)))
        if min(window.outputs(edge) for edge in edges) > 0:
            return window


def _nodes(rng, edges, convolutions):
    """Convolutions with pools behind some of them, dense layers, a head."""
    nodes = []
    for at in range(convolutions):
        window, planes = _window(rng, edges), int(rng.integers(1, 4))
        nodes.append(Layer(f"conv{at}", int(rng.integers(1, 10)), window, planes=planes))
        edges = [window.outputs(edge) for edge in edges]
        size = int(rng.integers(1, 4))
        if size <= min(edges) and rng.random() < 0.8:
            nodes.append(MaxPool(f"pool{at}", size))
            edges = [edge // size for edge in edges]
    for at in range(int(rng.integers(3))):
        nodes.append(Layer(f"dense{at}", int(rng.integers(1, 14)), planes=int(rng.integers(1, 4))))
    return [*nodes, Layer("head", int(rng.integers(1, 8)), output=Kind.LOGITS)]


def random_mapping(seed, convolution):
    """A mapped network of ``seed mod 4`` convolutions, the same one for all METHODS."""
    rng, convolutions = np.random.default_rng(seed), seed % 4
    while True:
        shape, bits = _image_shape(rng, convolutions or rng.random() < 0.5), int(rng.integers(1, 4))
        nodes = _nodes(rng, shape[-2:], convolutions)
        array = ARRAYS[rng.integers(len(ARRAYS))]
        every = [mapping_of(seed, shape, nodes, array, method, bits) for method in METHODS]
        if all(sum(entry.activations for entry in one.layers) <= MOST for one in every):
            return every[METHODS.index(convolution)]
