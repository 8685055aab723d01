# SPDX-License-Identifier: Apache-2.0
"""Random frozen networks for tests, and small graphs that have everything in them."""

from scaledrop.graph import Kind, Layer, MaxPool, Upsample, Window
from scaledrop.topologies import lenet5, mlp, resnet, unet, vgg_small
from scaledrop_flow.fuzz.networks import random_graph_network, random_images, random_network

__all__ = ["GRAPHS", "random_graph_network", "random_images", "random_network"]

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
