# SPDX-License-Identifier: Apache-2.0
"""A frozen network: what is left after training when every float has become an integer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.checks import check_integer
from scaledrop.errors import UserError
from scaledrop.frozen_layer import FrozenLayer, Head, Stream, Threshold
from scaledrop.graph import Graph, Kind, Layer, Node, Value
from scaledrop.names import check_name
from scaledrop.numbers import (
    DROP_BITS,
    MAX_GAIN_FRAC_BITS,
    MAX_OFFSET,
    Coding,
    signed_width,
)

__all__ = ["FrozenLayer", "FrozenNetwork", "FrozenNode", "Head", "Stream", "Threshold"]

MAX_WIDTH = 62
"""Widest integer of the contract: the golden model computes in 64-bit integers."""

FrozenNode = FrozenLayer | Node


def _integers(
    value: Any, shape: tuple[int, ...], low: int, high: int, where: str
) -> npt.NDArray[np.int64]:
    array = np.asarray(value)
    if array.dtype.kind not in "iub":
        raise UserError(f"{where}: must hold integers, not {array.dtype}; freeze the network again")
    if array.shape != shape:
        raise UserError(
            f"{where}: shape must be {shape}, not {array.shape}; freeze the network again"
        )
    if array.size and (array.min() < low or array.max() > high):
        worst = array.max() if array.max() > high else array.min()
        raise UserError(f"{where}: {worst} is outside {low} to {high}; freeze the network again")
    return array.astype(np.int64)


@dataclass(frozen=True, eq=False)
class FrozenNetwork:
    """A Scale-Dropout network in integers.

    Attributes:
        name: Short name, used for file and module names.
        input_shape: Shape of one image as users hold it.
        input_bits: Bits of an unsigned pixel, 1 to 16.
        scale_bits, scale_frac_bits: Format of alpha; 1.0 is exact, so frac < bits.
        nodes: layers, and what stands between them, in the order of evaluation; the :class:`Head`
            comes last (see :mod:`scaledrop.graph`).
        provenance: JSON values telling where the network came from; not read by any back end.
        stream_bits, stream_frac_bits: Format of the streams of residual additions, signed.

    Raises:
        UserError: a field has the wrong shape, range or width. The message names it.
    """

    name: str
    input_shape: tuple[int, ...]
    input_bits: int
    scale_bits: int
    scale_frac_bits: int
    nodes: tuple[FrozenNode, ...]
    provenance: Mapping[str, Any] = field(default_factory=dict)
    stream_bits: int = 16
    stream_frac_bits: int = 8

    def __post_init__(self) -> None:
        check_name(self.name, "name")
        for size in self.input_shape:
            check_integer(size, 1, 2**20, "input_shape")
        check_integer(self.input_bits, 1, 16, "input_bits")
        check_integer(self.scale_bits, 1, 16, "scale_bits")
        top = self.scale_bits - 1
        if type(self.scale_frac_bits) is not int or not 0 <= self.scale_frac_bits <= top:
            raise UserError(
                f"scale_frac_bits: must be 0 to {top} so that 1.0 is exact, "
                f"not {self.scale_frac_bits}"
            )
        check_integer(self.stream_bits, 2, 32, "stream_bits")
        check_integer(self.stream_frac_bits, 0, self.stream_bits - 2, "stream_frac_bits")
        if not self.input_shape:
            raise UserError("input_shape: must have a dimension, such as (64,)")
        if not self.layers:
            raise UserError("layers: a network needs at least one layer")
        for index, node in enumerate(self.nodes):
            if isinstance(node, Layer):
                raise UserError(f"layers[{index}]: has no weights; freeze the network again")
            if isinstance(node, FrozenLayer):
                self._check_weights(node, f"layers[{index}]")
        for index, node in enumerate(self.nodes):
            if isinstance(node, FrozenLayer):
                self._check_layer(node, f"layers[{index}]")

    @cached_property
    def layers(self) -> tuple[FrozenLayer, ...]:
        """The stochastic layers, in the order of their mask bits."""
        return tuple(node for node in self.nodes if isinstance(node, FrozenLayer))

    @cached_property
    def graph(self) -> Graph:
        """The network without its numbers."""
        nodes = (node.node if isinstance(node, FrozenLayer) else node for node in self.nodes)
        return Graph(self.input_shape, self.input_bits, tuple(nodes))

    def _check_weights(self, layer: FrozenLayer, at: str) -> None:
        last = layer is self.nodes[-1]
        if not isinstance(layer.output, Head if last else Threshold | Stream):
            raise UserError(f"{at}.output: the last layer, and only that one, has a head")
        check_name(layer.name, f"{at}.name")
        if layer.weights.ndim != 2 or 0 in layer.weights.shape:
            raise UserError(f"{at}.weights: shape must be (out, in), not {layer.weights.shape}")
        _integers(layer.weights, layer.weights.shape, 0, 1, f"{at}.weights")
        if isinstance(layer.output, Threshold) and layer.output.threshold.ndim == 2:
            levels = layer.output.threshold.shape[1]
            if levels < 3 or levels & (levels + 1):
                raise UserError(f"{at}.threshold: must have 2^k - 1 levels, not {levels}")

    def _check_layer(self, layer: FrozenLayer, at: str) -> None:
        self._check_input(layer, self.graph.input_of(layer.node), at)
        channels = (layer.out_features,)
        _integers(layer.scale, channels, 0, 2**self.scale_bits - 1, f"{at}.scale")
        check_integer(layer.drop_code, 0, (1 << DROP_BITS) - 1, f"{at}.drop_code")
        if isinstance(layer.output, Threshold):
            bound = layer.scaled_bound(self.scale_bits)
            # Levels share one flip: one that is never passed lies above all sums.
            top = bound + (layer.output.planes > 1)
            shape = (*channels, *layer.output.threshold.shape[1:2])
            _integers(layer.output.threshold, shape, -bound, top, f"{at}.threshold")
            _integers(layer.output.flip, channels, 0, 1, f"{at}.flip")
        else:
            self._check_affine(layer, layer.output, at)

    def _check_input(self, layer: FrozenLayer, value: Value, at: str) -> None:
        fan_in = layer.node.fan_in(value)
        if layer.in_features != fan_in:
            raise UserError(f"{at}.weights: takes {layer.in_features} inputs but gets {fan_in}")
        coding = Coding.UNSIGNED if value.kind is Kind.PIXELS else Coding.BIPOLAR
        found = (layer.coding, layer.planes)
        if found != (coding, value.planes) or [*map(type, found)] != [Coding, int]:
            raise UserError(
                f"{at}.planes: must be {value.planes} {coding.value}, "
                f"not {layer.planes} {getattr(layer.coding, 'value', layer.coding)}"
            )
        if layer.addends != value.addends:
            raise UserError(f"{at}.addends: must be {value.addends}, not {layer.addends}")

    def _check_affine(self, layer: FrozenLayer, output: Head | Stream, at: str) -> None:
        channels = (layer.out_features,)
        check_integer(output.gain_bits, 2, 24, f"{at}.gain_bits")
        check_integer(output.gain_frac_bits, 0, MAX_GAIN_FRAC_BITS, f"{at}.gain_frac_bits")
        limit = 2 ** (output.gain_bits - 1) - 1
        _integers(output.gain, channels, -limit, limit, f"{at}.gain")
        _integers(output.offset, channels, -MAX_OFFSET, MAX_OFFSET, f"{at}.offset")
        width = signed_width(output.bound(layer.scaled_bound(self.scale_bits)))
        if width > MAX_WIDTH:
            what = "logits" if isinstance(output, Head) else "stream values"
            raise UserError(f"{at}: {what} of {width} bits; at most {MAX_WIDTH} are supported")
        if isinstance(output, Stream) and self.stream_shift(output) < 0:
            raise UserError(
                f"{at}.gain_frac_bits: {output.gain_frac_bits} cannot give the "
                f"{self.stream_frac_bits} fraction bits of the stream; raise gain_bits"
            )

    @property
    def has_streams(self) -> bool:
        return any(isinstance(layer.output, Stream) for layer in self.layers)

    def stream_shift(self, output: Stream) -> int:
        """Fraction bits that a stream output drops."""
        return self.scale_frac_bits + output.gain_frac_bits - self.stream_frac_bits

    @property
    def head(self) -> Head:
        output = self.layers[-1].output
        assert isinstance(output, Head)
        return output

    @property
    def classes(self) -> int:
        return self.layers[-1].out_features

    @property
    def input_size(self) -> int:
        return math.prod(self.input_shape)

    @property
    def positions(self) -> tuple[int, ...]:
        """() for one prediction an image, (H, W) for one at every position."""
        return self.graph.logits.shape[1:]

    @property
    def sum_width(self) -> int:
        """Bits of the accumulator that no layer can overflow."""
        return max(signed_width(layer.sum_bound) for layer in self.layers)

    @property
    def scaled_width(self) -> int:
        """Bits of ``shat`` that no layer can overflow."""
        return max(signed_width(layer.scaled_bound(self.scale_bits)) for layer in self.layers)

    @cached_property
    def logit_bound(self) -> int:
        """Largest absolute value of a logit."""
        return self.head.bound(self.layers[-1].scaled_bound(self.scale_bits))

    @property
    def logit_width(self) -> int:
        return signed_width(self.logit_bound)

    @property
    def logit_frac_bits(self) -> int:
        """Unit of a logit is ``2**-logit_frac_bits``."""
        return self.scale_frac_bits + self.head.gain_frac_bits
