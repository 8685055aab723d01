# SPDX-License-Identifier: Apache-2.0
"""The shape of a network: which node feeds which, and what kind of value flows between them.

Training configurations and frozen networks are walks over the same nodes, so a topology that can be
trained can be frozen. Every :class:`Layer` draws one stochastic bit per pass; the other nodes move,
combine or reduce values without weights and without randomness.

The values:

=========  ========================================================================================
pixels     unsigned integers of ``planes`` bits, as users hold them
codes      activations of k = ``planes`` bits: code c stands for the odd integer ``2c - (2^k - 1)``,
           so that k = 1 gives -1 and +1. ``addends`` > 1 says that so many were added (SumPool)
stream     signed fixed point of the network's stream format: what residual additions work on
logits     the output of the head
=========  ========================================================================================
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from scaledrop.errors import UserError
from scaledrop.names import check_name

__all__ = [
    "INPUT",
    "Add",
    "Concat",
    "Graph",
    "Kind",
    "Layer",
    "MaxPool",
    "Node",
    "Quantise",
    "Subsample",
    "SumPool",
    "Upsample",
    "Value",
    "Window",
]

INPUT = "input"
"""Name of the image among the sources."""

MAX_PLANES = 8
MAX_SIZE = 2**20


class Kind(StrEnum):
    """What flows along an edge."""

    PIXELS = "pixels"
    CODES = "codes"
    STREAM = "stream"
    LOGITS = "logits"


@dataclass(frozen=True)
class Value:
    """What one node hands to the next.

    Attributes:
        kind: see the module.
        shape: (F,) or (C, H, W).
        planes: bits of an element, for pixels and codes.
        addends: activations added into one element; 1 but behind a :class:`SumPool`.
    """

    kind: Kind
    shape: tuple[int, ...]
    planes: int = 0
    addends: int = 1

    @property
    def size(self) -> int:
        return math.prod(self.shape)


def _check_size(value: Any, low: int, high: int, where: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise UserError(f"{where}: must be {low} to {high}, not {value!r}")


def _expect(value: Value, kind: Kind, dims: int | None, where: str) -> None:
    if value.kind is not kind:
        raise UserError(f"{where}: takes {kind.value}, not {value.kind.value}; change its source")
    if value.addends != 1:
        raise UserError(f"{where}: only a layer can follow a sum pool; change its source")
    if dims is not None and len(value.shape) != dims:
        raise UserError(
            f"{where}: takes (C, H, W) maps, not shape {value.shape}; change its source"
        )


@dataclass(frozen=True)
class Window:
    """Kernel of a convolution: square, with zero padding (rows that are not driven).

    Attributes:
        size: K, rows and columns of the kernel.
        stride: step between windows, both ways.
        padding: rows and columns added at each edge; less than ``size``.
    """

    size: int
    stride: int = 1
    padding: int = 0

    def __post_init__(self) -> None:
        _check_size(self.size, 1, 64, "window.size")
        _check_size(self.stride, 1, 64, "window.stride")
        _check_size(self.padding, 0, self.size - 1, "window.padding")

    def outputs(self, length: int) -> int:
        """Windows along an edge of ``length``; 0 or less when the kernel does not fit."""
        return (length + 2 * self.padding - self.size) // self.stride + 1


@dataclass(frozen=True)
class Layer:
    """A crossbar with its scale, its one stochastic bit and its output stage.

    Attributes:
        channels: outputs of a dense layer, output channels of a convolution.
        window: None for a dense layer, which takes all that its source gives, (C, H, W) flattened.
        output: codes (hidden), stream (feeds residual additions) or logits (the head).
        planes: bits of its codes; 1 is sign.
        source: name of the node that feeds it; the node before when empty.
    """

    name: str
    channels: int
    window: Window | None = None
    output: Kind = Kind.CODES
    planes: int = 1
    source: str = ""

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source,)

    def fan_in(self, value: Value) -> int:
        """Rows of the unrolled crossbar."""
        return value.size if self.window is None else value.shape[0] * self.window.size**2

    def result(self, values: tuple[Value, ...], at: str) -> Value:
        (value,) = values
        _check_size(self.channels, 1, MAX_SIZE, f"{at}.channels")
        _check_size(self.planes, 1, MAX_PLANES, f"{at}.planes")
        if value.kind not in (Kind.PIXELS, Kind.CODES):
            raise UserError(f"{at}: takes pixels or codes, not {value.kind.value}; quantise first")
        if self.output is Kind.PIXELS:
            raise UserError(f"{at}.output: must be codes, stream or logits, not pixels")
        planes = self.planes if self.output is Kind.CODES else 0
        return Value(self.output, (self.channels, *self._positions(value, at)), planes)

    def _positions(self, value: Value, at: str) -> tuple[int, ...]:
        if self.window is None:
            return ()
        if len(value.shape) != 3:
            raise UserError(f"{at}: a convolution takes (C, H, W) maps, not shape {value.shape}")
        edges = tuple(self.window.outputs(edge) for edge in value.shape[1:])
        if min(edges) < 1:
            raise UserError(
                f"{at}.window: {self.window.size} does not fit maps of "
                f"{value.shape[1]} x {value.shape[2]}; use a smaller kernel or more padding"
            )
        return edges


@dataclass(frozen=True)
class MaxPool:
    """Largest code of each ``size`` x ``size`` window; OR for 1-bit codes. What is left over at the
    right and the bottom is dropped."""

    name: str
    size: int = 2
    source: str = ""

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source,)

    def result(self, values: tuple[Value, ...], at: str) -> Value:
        (value,) = values
        _expect(value, Kind.CODES, 3, at)
        channels, height, width = value.shape
        _check_size(self.size, 1, min(height, width), f"{at}.size")
        return Value(Kind.CODES, (channels, height // self.size, width // self.size), value.planes)


@dataclass(frozen=True)
class SumPool:
    """Sum of all positions of a channel: global average pooling without the division, which the
    BatchNorm of the layer behind it takes in."""

    name: str
    source: str = ""

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source,)

    def result(self, values: tuple[Value, ...], at: str) -> Value:
        (value,) = values
        _expect(value, Kind.CODES, 3, at)
        positions = value.shape[1] * value.shape[2]
        return Value(Kind.CODES, value.shape[:1], value.planes, positions)


@dataclass(frozen=True)
class Upsample:
    """Each position repeated ``factor`` times both ways (nearest neighbour)."""

    name: str
    factor: int = 2
    source: str = ""

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source,)

    def result(self, values: tuple[Value, ...], at: str) -> Value:
        (value,) = values
        _expect(value, Kind.CODES, 3, at)
        _check_size(self.factor, 1, 64, f"{at}.factor")
        channels, height, width = value.shape
        return Value(
            Kind.CODES, (channels, height * self.factor, width * self.factor), value.planes
        )


@dataclass(frozen=True)
class Concat:
    """Channels of several maps one after another, in the order of ``sources``."""

    name: str
    sources: tuple[str, ...]

    def result(self, values: tuple[Value, ...], at: str) -> Value:
        for value in values:
            _expect(value, Kind.CODES, 3, at)
            if (value.shape[1:], value.planes) != (values[0].shape[1:], values[0].planes):
                raise UserError(
                    f"{at}: maps must agree in height, width and bits, not {values[0].shape} of "
                    f"{values[0].planes} and {value.shape} of {value.planes}"
                )
        channels = sum(value.shape[0] for value in values)
        return Value(Kind.CODES, (channels, *values[0].shape[1:]), values[0].planes)


@dataclass(frozen=True)
class Add:
    """Residual addition of two streams, saturating."""

    name: str
    sources: tuple[str, ...]

    def result(self, values: tuple[Value, ...], at: str) -> Value:
        if len(values) != 2:
            raise UserError(f"{at}.sources: must be 2, not {len(values)}")
        for value in values:
            _expect(value, Kind.STREAM, None, at)
        if values[0].shape != values[1].shape:
            raise UserError(
                f"{at}: streams must have one shape, not {values[0].shape} and {values[1].shape}; "
                "put a Subsample on the shortcut"
            )
        return values[0]


@dataclass(frozen=True)
class Subsample:
    """A shortcut without weights: every ``stride``-th position, and channels of zeros appended up
    to ``channels`` (He et al. 2016, arXiv 1512.03385, option A)."""

    name: str
    stride: int
    channels: int
    source: str = ""

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source,)

    def result(self, values: tuple[Value, ...], at: str) -> Value:
        (value,) = values
        _expect(value, Kind.STREAM, 3, at)
        _check_size(self.stride, 1, 64, f"{at}.stride")
        _check_size(self.channels, value.shape[0], MAX_SIZE, f"{at}.channels")
        height, width = (-(-edge // self.stride) for edge in value.shape[1:])
        return Value(Kind.STREAM, (self.channels, height, width))


@dataclass(frozen=True)
class Quantise:
    """Stream to codes of ``planes`` bits; 1 is sign."""

    name: str
    planes: int = 1
    source: str = ""

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source,)

    def result(self, values: tuple[Value, ...], at: str) -> Value:
        (value,) = values
        _expect(value, Kind.STREAM, None, at)
        _check_size(self.planes, 1, MAX_PLANES, f"{at}.planes")
        return Value(Kind.CODES, value.shape, self.planes)


Node = Layer | MaxPool | SumPool | Upsample | Concat | Add | Subsample | Quantise


@dataclass(frozen=True)
class Graph:
    """Nodes in the order in which they are evaluated; the last one, and only it, gives logits.

    Attributes:
        input_shape: (F,), (H, W) or (C, H, W) of one image.
        input_bits: bits of an unsigned pixel.

    Raises:
        UserError: a name used twice, a source that does not come before its use, a value nobody
            takes, or values that do not fit a node. The message names the node.
    """

    input_shape: tuple[int, ...]
    input_bits: int
    nodes: tuple[Node, ...]

    def __post_init__(self) -> None:
        if not self.layers:
            raise UserError("layers: a network needs at least one layer")
        names = [INPUT, *(node.name for node in self.nodes)]
        for name in names:
            check_name(name, f"layers.{name}")
        if len(set(names)) != len(names):
            raise UserError(f"layers: names must be unique and not 'input', but are {names[1:]}")
        heads = [name for name, value in self.values.items() if value.kind is Kind.LOGITS]
        if heads != names[-1:]:
            raise UserError(
                f"layers: the last layer, and only that one, gives logits, not {heads or 'none'}"
            )
        for name in names[:-1]:
            if not self.users[name]:
                raise UserError(f"layers.{name}: nobody takes its values; remove it or use it")

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The stochastic ones, in the order of their mask bits."""
        return tuple(node for node in self.nodes if isinstance(node, Layer))

    @cached_property
    def sources(self) -> Mapping[str, tuple[str, ...]]:
        """Names of what feeds each node, with the empty source resolved."""
        resolved, before = {}, INPUT
        for node in self.nodes:
            resolved[node.name] = tuple(source or before for source in node.sources)
            before = node.name
        return resolved

    @cached_property
    def users(self) -> Mapping[str, tuple[str, ...]]:
        """Names of the nodes that each value feeds."""
        return {
            name: tuple(user for user, sources in self.sources.items() if name in sources)
            for name in [INPUT, *self.sources]
        }

    def pool_behind(self, layer: Layer) -> MaxPool | None:
        """A max pool that is all that takes a layer's codes: evaluators may pool before the
        activation, which is monotone, with the same result."""
        users = [node for node in self.nodes if node.name in self.users[layer.name]]
        return users[0] if len(users) == 1 and isinstance(users[0], MaxPool) else None

    @cached_property
    def finished(self) -> Mapping[str, tuple[str, ...]]:
        """Names of the values that nobody takes any more once a node has been evaluated."""
        return {
            node.name: tuple(
                name for name, users in self.users.items() if users[-1:] == (node.name,)
            )
            for node in self.nodes
        }

    @cached_property
    def peak_size(self) -> int:
        """Elements of the values alive together, at the node where they are most."""
        alive, most = {INPUT: self.values[INPUT].size}, 0
        for node in self.nodes:
            alive[node.name] = self.values[node.name].size
            most = max(most, sum(alive.values()))
            for name in self.finished[node.name]:
                del alive[name]
        return most

    @cached_property
    def values(self) -> Mapping[str, Value]:
        """What each node gives, and the image under ``input``."""
        values = {INPUT: Value(Kind.PIXELS, self._image_shape(), self.input_bits)}
        for node in self.nodes:
            at = f"layers.{node.name}"
            for source in self.sources[node.name]:
                if source not in values:
                    raise UserError(f"{at}.source: {source!r} is not a node before it")
            values[node.name] = node.result(
                tuple(values[source] for source in self.sources[node.name]), at
            )
        return values

    def _image_shape(self) -> tuple[int, ...]:
        shape = self.input_shape
        if len(shape) == 2:
            return (1, *shape)
        return shape if len(shape) == 3 else (math.prod(shape),)

    def input_of(self, node: Layer) -> Value:
        """What feeds a layer."""
        return self.values[self.sources[node.name][0]]

    def weight_shape(self, node: Layer) -> tuple[int, int]:
        """(channels, fan-in) of a layer; a fan-in is ordered as (C, K, K) or (C, H, W)."""
        return node.channels, node.fan_in(self.input_of(node))

    def sum_bound(self, node: Layer) -> int:
        """Largest ``|s|`` of a layer."""
        value = self.input_of(node)
        return node.fan_in(value) * value.addends * ((1 << value.planes) - 1)

    @property
    def logits(self) -> Value:
        return self.values[self.nodes[-1].name]
