# SPDX-License-Identifier: Apache-2.0
"""Random frozen networks: every number drawn, none trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scaledrop.frozen import FrozenLayer, FrozenNetwork, Head, Stream, Threshold
from scaledrop.graph import Graph, Kind, Layer, Node, Value
from scaledrop.numbers import Coding, drop_code, scaled_bound

__all__ = ["Formats", "random_graph_network", "random_images", "random_network"]


@dataclass(frozen=True)
class Formats:
    """Fixed-point formats of scales and gains; see :class:`scaledrop.frozen.FrozenNetwork`."""

    scale_bits: int = 8
    scale_frac_bits: int = 6
    gain_bits: int = 12
    gain_frac_bits: int = 10

    @property
    def scale(self) -> float:
        """Size of a scaled sum, relative to that with scales of 8 bits."""
        return float(2.0 ** (self.scale_bits - 8))

    def head(self, rng: np.random.Generator, classes: int) -> Head:
        """Gains, and offsets of the size of what they are added to."""
        relative = 2.0 ** (self.gain_bits - 12)
        largest = min(2 ** (self.gain_bits - 1) - 1, max(1, round(2000 * relative)))
        offset = max(1, round(10**5 * relative * self.scale))
        gain = rng.integers(-largest, largest + 1, classes)
        offsets = rng.integers(-offset, offset, classes)
        return Head(gain, offsets, self.gain_bits, self.gain_frac_bits)


DEFAULT = Formats()


def random_network(
    seed: int, sizes: Sequence[int], input_bits: int = 8, p: float = 0.4
) -> FrozenNetwork:
    """A dense network of the given layer sizes; ``p`` for every layer."""
    nodes = [Layer(f"dense{at + 1}", size) for at, size in enumerate(sizes[1:])]
    nodes[-1] = Layer(nodes[-1].name, sizes[-1], output=Kind.LOGITS)
    return random_graph_network(seed, (sizes[0],), nodes, input_bits, p)


def random_images(seed: int, network: FrozenNetwork, count: int) -> npt.NDArray[np.int64]:
    """Uniform pixels (count, input_size)."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 1 << network.input_bits, (count, network.input_size))


def _levels(
    rng: np.random.Generator, node: Layer, out: int, spread: int, bound: int
) -> npt.NDArray[np.int64]:
    shape = (out,) if node.planes == 1 else (out, (1 << node.planes) - 1)
    levels = np.clip(rng.integers(-spread, spread + 1, shape), -bound, bound)
    return levels if node.planes == 1 else np.sort(levels, axis=-1)


def _output(
    rng: np.random.Generator, graph: Graph, node: Layer, value: Value, formats: Formats
) -> Threshold | Stream | Head:
    """Thresholds and gains where sums really fall."""
    out, fan_in = graph.weight_shape(node)
    if node.output is Kind.LOGITS:
        return formats.head(rng, out)
    size = 50 * (fan_in * value.addends) ** 0.5 * (1 << value.planes)
    spread = max(1, int(size * formats.scale))
    if node.output is Kind.CODES:
        bound = scaled_bound(graph.sum_bound(node), formats.scale_bits)
        return Threshold(_levels(rng, node, out, spread, bound), rng.integers(0, 2, out))
    largest = min(2000, max(2, 2**24 // spread))
    gain = rng.integers(-largest, largest + 1, out)
    return Stream(gain, rng.integers(-(2**20), 2**20, out), formats.gain_bits, 15)


def _frozen(
    rng: np.random.Generator, graph: Graph, node: Layer, code: int, formats: Formats
) -> FrozenLayer:
    """A layer of a graph with every number drawn."""
    value = graph.input_of(node)
    out, fan_in = graph.weight_shape(node)
    output = _output(rng, graph, node, value, formats)
    return FrozenLayer(
        name=node.name,
        weights=rng.integers(0, 2, (out, fan_in), dtype=np.uint8),
        scale=rng.integers(0, 1 << formats.scale_bits, out),
        drop_code=code,
        coding=Coding.UNSIGNED if value.kind is Kind.PIXELS else Coding.BIPOLAR,
        planes=value.planes,
        output=output,
        window=node.window,
        addends=value.addends,
        source=node.source,
    )


def random_graph_network(
    seed: int,
    input_shape: tuple[int, ...],
    nodes: Sequence[Node],
    input_bits: int = 8,
    p: float = 0.4,
    codes: Sequence[int] | None = None,
    formats: Formats = DEFAULT,
) -> FrozenNetwork:
    """A network of any graph, every number drawn.

    Args:
        p: dropout probability of every layer, unless ``codes`` gives a drop code for each.
    """
    rng = np.random.default_rng(seed)
    graph = Graph(input_shape, input_bits, tuple(nodes))
    each = iter(codes or [drop_code(p)] * len(graph.layers))
    frozen = [
        _frozen(rng, graph, node, next(each), formats) if isinstance(node, Layer) else node
        for node in nodes
    ]
    return FrozenNetwork(
        f"random{seed}",
        input_shape,
        input_bits,
        formats.scale_bits,
        formats.scale_frac_bits,
        tuple(frozen),
    )
