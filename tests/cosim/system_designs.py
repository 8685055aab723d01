# SPDX-License-Identifier: Apache-2.0
"""The two systems that these tests build, and what a faultless device would send."""

from golden_frames import golden_frames
from networks import random_graph_network, random_network
from scaledrop.graph import Kind, Layer, MaxPool, Window
from scaledrop.mapping import ArrayShape

__all__ = ["DESIGNS", "golden_frames"]

MAPS = (
    Layer("a", 5, Window(3, padding=1), planes=2),
    MaxPool("b", 2),
    Layer("c", 6, Window(2)),
    Layer("d", 4, output=Kind.LOGITS),
)


def _dense(seed, p):
    return random_network(seed, [13, 30, 24, 4], p=p)


def _maps(seed, p):
    return random_graph_network(seed, (2, 6, 6), MAPS, input_bits=10, p=p)


DESIGNS = {
    "dense": {
        "network": _dense(26, 0.4),
        "other": _dense(28, 0.2),
        "array": ArrayShape(32, 8),
        "pixel_bits": 32,
        "datapath": "reference",
    },
    "maps": {
        "network": _maps(13, 0.4),
        "other": _maps(6, 0.1),
        "array": ArrayShape(8, 4, 2),
        "pixel_bits": 16,
        "datapath": "folded",
    },
}
"""``other`` is a network of the same structure that fits into the device of ``network``."""
