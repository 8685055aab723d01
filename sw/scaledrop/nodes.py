# SPDX-License-Identifier: Apache-2.0
"""The nodes that a network is made of, and the values that flow between them.

Every :class:`Layer` draws one stochastic bit per pass; the other nodes move, combine or reduce
values without weights and without randomness.

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
from dataclasses import dataclass
from enum import StrEnum

from scaledrop.checks import check_integer
from scaledrop.errors import UserError

__all__ = [
    "MAX_PLANES",
    "Add",
    "Concat",
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
        check_integer(self.size, 1, 64, "window.size")
        check_integer(self.stride, 1, 64, "window.stride")
        check_integer(self.padding, 0, self.size - 1, "window.padding")

    def outputs(self, length: int) -> int:
        """Windows along an edge of ``length``; 0 or less when the kernel does not fit."""
        return (length + 2 * self.padding - self.size) // self.stride + 1


class _OneSource:
    """A node that takes the values of one other; empty for the node before it."""

    source: str

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source,)


@dataclass(frozen=True)
class Layer(_OneSource):
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

    def fan_in(self, value: Value) -> int:
        """Rows of the unrolled crossbar."""
        return value.size if self.window is None else value.shape[0] * self.window.size**2

    def result(self, values: tuple[Value, ...], at: str) -> Value:
        (value,) = values
        check_integer(self.channels, 1, MAX_SIZE, f"{at}.channels")
        check_integer(self.planes, 1, MAX_PLANES, f"{at}.planes")
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
class MaxPool(_OneSource):
    """Largest code of each ``size`` x ``size`` window; OR for 1-bit codes. What is left over at the
    right and the bottom is dropped."""

    name: str
    size: int = 2
    source: str = ""

    def result(self, values: tuple[Value, ...], at: str) -> Value:
        (value,) = values
        _expect(value, Kind.CODES, 3, at)
        channels, height, width = value.shape
        check_integer(self.size, 1, min(height, width), f"{at}.size")
        return Value(Kind.CODES, (channels, height // self.size, width // self.size), value.planes)


@dataclass(frozen=True)
class SumPool(_OneSource):
    """Sum of all positions of a channel: global average pooling without the division, which the
    BatchNorm of the layer behind it takes in."""

    name: str
    source: str = ""

    def result(self, values: tuple[Value, ...], at: str) -> Value:
        (value,) = values
        _expect(value, Kind.CODES, 3, at)
        positions = value.shape[1] * value.shape[2]
        return Value(Kind.CODES, value.shape[:1], value.planes, positions)


@dataclass(frozen=True)
class Upsample(_OneSource):
    """Each position repeated ``factor`` times both ways (nearest neighbour)."""

    name: str
    factor: int = 2
    source: str = ""

    def result(self, values: tuple[Value, ...], at: str) -> Value:
        (value,) = values
        _expect(value, Kind.CODES, 3, at)
        check_integer(self.factor, 1, 64, f"{at}.factor")
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
        if len(values) < 2:
            raise UserError(f"{at}.sources: must be 2 or more, not {len(values)}")
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
class Subsample(_OneSource):
    """A shortcut without weights: every ``stride``-th position, and channels of zeros appended up
    to ``channels`` (He et al. 2016, arXiv 1512.03385, option A)."""

    name: str
    stride: int
    channels: int
    source: str = ""

    def result(self, values: tuple[Value, ...], at: str) -> Value:
        (value,) = values
        _expect(value, Kind.STREAM, 3, at)
        check_integer(self.stride, 1, 64, f"{at}.stride")
        check_integer(self.channels, value.shape[0], MAX_SIZE, f"{at}.channels")
        height, width = (-(-edge // self.stride) for edge in value.shape[1:])
        return Value(Kind.STREAM, (self.channels, height, width))


@dataclass(frozen=True)
class Quantise(_OneSource):
    """Stream to codes of ``planes`` bits; 1 is sign."""

    name: str
    planes: int = 1
    source: str = ""

    def result(self, values: tuple[Value, ...], at: str) -> Value:
        (value,) = values
        _expect(value, Kind.STREAM, None, at)
        check_integer(self.planes, 1, MAX_PLANES, f"{at}.planes")
        return Value(Kind.CODES, value.shape, self.planes)


Node = Layer | MaxPool | SumPool | Upsample | Concat | Add | Subsample | Quantise
