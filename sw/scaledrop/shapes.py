# SPDX-License-Identifier: Apache-2.0
"""Networks of full size without training: a graph and its formats, every weight the same.

Counts, cycles, widths and memories follow from shapes and formats alone, so such a network has
those of any trained one of its shape. Its weights take no memory; its predictions mean nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from scaledrop.errors import UserError
from scaledrop.frozen import FrozenLayer, FrozenNetwork, Head, Stream, Threshold
from scaledrop.graph import Graph, Kind, Layer
from scaledrop.numbers import Coding, drop_code
from scaledrop.topologies import TOPOLOGIES

__all__ = ["INPUTS", "drop_codes", "full_size", "shape_network"]

INPUTS: Mapping[str, tuple[tuple[int, ...], int]] = MappingProxyType(
    {
        "lenet5": ((28, 28), 10),
        "vgg_small": ((3, 32, 32), 10),
        "resnet18": ((3, 32, 32), 10),
        "resnet20": ((3, 32, 32), 10),
        "unet": ((3, 128, 128), 2),
    }
)
"""Topology -> shape of an image and classes, as the literature on binary networks has them: MNIST,
CIFAR-10, and for U-Net a tile of an image in two classes."""

SCALE_BITS, SCALE_FRAC_BITS, GAIN_BITS, GAIN_FRAC_BITS = 8, 6, 12, 10


def full_size(
    topology: str,
    input_shape: Sequence[int] = (),
    classes: int = 0,
    widths: Sequence[int] = (),
    planes: int = 1,
    input_bits: int = 8,
) -> Graph:
    """A well-known topology as a graph.

    Args:
        topology: key of :data:`INPUTS`, or any of :data:`scaledrop.topologies.TOPOLOGIES` with
            ``input_shape``, ``classes`` and ``widths``.
        input_shape, classes: those of :data:`INPUTS` when not given.
        widths: the topology's own when not given.
        planes: bits of a hidden activation.

    Raises:
        UserError: an unknown topology, or one that needs shapes and has none.
    """
    if topology not in TOPOLOGIES:
        raise UserError(f"network: must be one of {', '.join(TOPOLOGIES)}, not {topology!r}")
    shape, count = INPUTS.get(topology, ((), 0))
    shape, count = tuple(input_shape) or shape, classes or count
    if not shape or not count or (topology == "mlp" and not widths):
        raise UserError(f"network: {topology} needs input_shape, classes and widths")
    given = (tuple(widths),) if widths else ()
    return Graph(shape, input_bits, TOPOLOGIES[topology](count, *given, planes=planes))


def drop_codes(drop: float | Sequence[float], layers: int) -> list[int]:
    """Drop codes of so many layers from one probability, or from one for each.

    Raises:
        UserError: a probability out of range, or not one per layer.
    """
    each = [drop] * layers if isinstance(drop, int | float) else list(drop)
    if len(each) != layers:
        raise UserError(
            f"drop: must have one value per layer, {layers}, not {len(each)}; or give one number"
        )
    return [drop_code(p, f"drop[{at}]") for at, p in enumerate(each)]


def _output(node: Layer) -> Threshold | Stream | Head:
    channels = node.channels
    zeros = np.zeros(channels, dtype=np.int64)
    if node.output is Kind.CODES:
        levels = (1 << node.planes) - 1
        shape = (channels,) if levels == 1 else (channels, levels)
        return Threshold(np.zeros(shape, dtype=np.int64), zeros)
    # The largest gain makes logits as wide as those of a trained network.
    gain = np.full(channels, (1 << (GAIN_BITS - 1)) - 1)
    stage = Head if node.output is Kind.LOGITS else Stream
    return stage(gain, zeros, GAIN_BITS, GAIN_FRAC_BITS)


def shape_network(
    graph: Graph, drop: float | Sequence[float] = 0.15, name: str = "shapes"
) -> FrozenNetwork:
    """A frozen network of the graph's shapes: scales of 1, weights of -1, thresholds of 0.

    Formats are the defaults of training: scales of 8 bits with 6 fraction bits, gains of 12,
    streams of 16 with 8.

    Args:
        drop: probability that a layer's scale is dropped, for all layers or by layer.

    Raises:
        UserError: a probability out of range, or not one per layer.
    """
    names = [layer.name for layer in graph.layers]
    codes = dict(zip(names, drop_codes(drop, len(names)), strict=True))

    def frozen(node: Layer) -> FrozenLayer:
        value = graph.input_of(node)
        return FrozenLayer(
            name=node.name,
            weights=np.broadcast_to(np.uint8(0), graph.weight_shape(node)),
            scale=np.full(node.channels, 1 << SCALE_FRAC_BITS),
            drop_code=codes[node.name],
            coding=Coding.UNSIGNED if value.kind is Kind.PIXELS else Coding.BIPOLAR,
            planes=value.planes,
            output=_output(node),
            window=node.window,
            addends=value.addends,
            source=node.source,
        )

    return FrozenNetwork(
        name=name,
        input_shape=graph.input_shape,
        input_bits=graph.input_bits,
        scale_bits=SCALE_BITS,
        scale_frac_bits=SCALE_FRAC_BITS,
        nodes=tuple(frozen(node) if isinstance(node, Layer) else node for node in graph.nodes),
    )
