# SPDX-License-Identifier: Apache-2.0
"""A frozen network: what is left after training when every float has become an integer."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.errors import UserError
from scaledrop.numbers import (
    DROP_BITS,
    MAX_GAIN_FRAC_BITS,
    MAX_OFFSET,
    Coding,
    scaled_bound,
    signed_width,
    sum_bound,
)

__all__ = ["FrozenLayer", "FrozenNetwork", "Head", "Threshold", "check_name"]

MAX_WIDTH = 62
"""Widest integer of the contract: the golden model computes in 64-bit integers."""


def check_name(value: Any, where: str) -> None:
    """Names end up in files and in Verilog: 1 to 64 ASCII letters, digits, '-' and '_'.

    Raises:
        UserError: anything else.
    """
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", value):
        raise UserError(f"{where}: {value!r} must be 1 to 64 letters, digits, '-' and '_' only")


def _check_integer(value: Any, low: int, high: int, where: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise UserError(f"{where}: must be {low} to {high}, not {value!r}")


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


def _narrow(owner: object, *names: str) -> None:
    """Store integer arrays as int64; what is not one is left for the network to refuse."""
    for name in names:
        array = np.asarray(getattr(owner, name))
        if array.dtype.kind in "ib" or (array.dtype.kind == "u" and array.max(initial=0) < 2**62):
            array = array.astype(np.int64)
        object.__setattr__(owner, name, array)


@dataclass(frozen=True, eq=False)
class Threshold:
    """Hidden layer: ``bit = (shat >= threshold) xor flip`` per channel.

    Attributes:
        threshold: (C,) integers in units of ``2**-scale_frac_bits``, within the range of ``shat``.
        flip: (C,) 0 or 1.
    """

    threshold: npt.NDArray[np.int64]
    flip: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        _narrow(self, "threshold", "flip")


@dataclass(frozen=True, eq=False)
class Head:
    """Last layer: ``logit = gain * shat + offset`` per class.

    Attributes:
        gain: (C,) signed, ``gain_bits`` wide, ``gain_frac_bits`` fraction bits.
        offset: (C,) signed, in the logit's unit ``2**-(scale_frac_bits + gain_frac_bits)``.
    """

    gain: npt.NDArray[np.int64]
    offset: npt.NDArray[np.int64]
    gain_bits: int
    gain_frac_bits: int

    def __post_init__(self) -> None:
        _narrow(self, "gain", "offset")


@dataclass(frozen=True, eq=False)
class FrozenLayer:
    """One dense layer of +-1 weights with its scale, its dropout code and its output stage.

    Attributes:
        name: Unique within the network.
        weights: (out, in) bits, 1 for +1 and 0 for -1.
        scale: (out,) unsigned fixed point, alpha.
        drop_code: Probability that the scale is dropped, times ``2**16``.
        coding: How the layer's input drives the word lines.
        planes: Bits of an input element, 1 for bipolar activations.
        output: :class:`Threshold` for hidden layers, :class:`Head` for the last one.
    """

    name: str
    weights: npt.NDArray[np.uint8]
    scale: npt.NDArray[np.int64]
    drop_code: int
    coding: Coding
    planes: int
    output: Threshold | Head

    def __post_init__(self) -> None:
        _narrow(self, "scale")

    @property
    def in_features(self) -> int:
        return int(self.weights.shape[1])

    @property
    def out_features(self) -> int:
        return int(self.weights.shape[0])

    @property
    def sum_bound(self) -> int:
        """Largest absolute value of ``s``."""
        return sum_bound(self.in_features, self.coding, self.planes)

    @property
    def drop_probability(self) -> float:
        return self.drop_code / (1 << DROP_BITS)


@dataclass(frozen=True, eq=False)
class FrozenNetwork:
    """A Scale-Dropout network in integers; hidden layers first, the :class:`Head` last.

    Attributes:
        name: Short name, used for file and module names.
        input_shape: Shape of one image as users hold it; its size is the first layer's fan-in.
        input_bits: Bits of an unsigned pixel, 1 to 16.
        scale_bits, scale_frac_bits: Format of alpha; 1.0 is exact, so frac < bits.
        layers: At least one.
        provenance: JSON values telling where the network came from; not read by any back end.

    Raises:
        UserError: a field has the wrong shape, range or width. The message names it.
    """

    name: str
    input_shape: tuple[int, ...]
    input_bits: int
    scale_bits: int
    scale_frac_bits: int
    layers: tuple[FrozenLayer, ...]
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_name(self.name, "name")
        for size in self.input_shape:
            _check_integer(size, 1, 2**20, "input_shape")
        _check_integer(self.input_bits, 1, 16, "input_bits")
        _check_integer(self.scale_bits, 1, 16, "scale_bits")
        top = self.scale_bits - 1
        if type(self.scale_frac_bits) is not int or not 0 <= self.scale_frac_bits <= top:
            raise UserError(
                f"scale_frac_bits: must be 0 to {top} so that 1.0 is exact, "
                f"not {self.scale_frac_bits}"
            )
        if not self.input_shape:
            raise UserError("input_shape: must have a dimension, such as (64,)")
        if not self.layers:
            raise UserError("layers: a network needs at least one layer")
        names = [layer.name for layer in self.layers]
        if len(set(names)) != len(names):
            raise UserError(f"layers: names must be unique, not {names}")
        width = self.input_size
        for index, layer in enumerate(self.layers):
            self._check_layer(index, layer, width)
            width = layer.out_features

    def _check_layer(self, index: int, layer: FrozenLayer, width: int) -> None:
        at = f"layers[{index}]"
        check_name(layer.name, f"{at}.name")
        if layer.weights.ndim != 2 or 0 in layer.weights.shape:
            raise UserError(f"{at}.weights: shape must be (out, in), not {layer.weights.shape}")
        if layer.in_features != width:
            raise UserError(f"{at}.weights: takes {layer.in_features} inputs but gets {width}")
        _integers(layer.weights, layer.weights.shape, 0, 1, f"{at}.weights")
        expected = (Coding.UNSIGNED, self.input_bits) if index == 0 else (Coding.BIPOLAR, 1)
        found = (layer.coding, layer.planes)
        if found != expected or [*map(type, found)] != [Coding, int]:
            raise UserError(
                f"{at}.planes: must be {expected[1]} {expected[0].value}, "
                f"not {layer.planes} {getattr(layer.coding, 'value', layer.coding)}"
            )
        channels = (layer.out_features,)
        _integers(layer.scale, channels, 0, 2**self.scale_bits - 1, f"{at}.scale")
        _check_integer(layer.drop_code, 0, (1 << DROP_BITS) - 1, f"{at}.drop_code")
        bound = scaled_bound(layer.sum_bound, self.scale_bits)
        last = index == len(self.layers) - 1
        if not isinstance(layer.output, Head if last else Threshold):
            raise UserError(f"{at}.output: the last layer, and only that one, has a head")
        if isinstance(layer.output, Threshold):
            _integers(layer.output.threshold, channels, -bound, bound, f"{at}.threshold")
            _integers(layer.output.flip, channels, 0, 1, f"{at}.flip")
        else:
            self._check_head(at, layer.output, channels)

    def _check_head(self, at: str, head: Head, channels: tuple[int, ...]) -> None:
        _check_integer(head.gain_bits, 2, 24, f"{at}.gain_bits")
        _check_integer(head.gain_frac_bits, 0, MAX_GAIN_FRAC_BITS, f"{at}.gain_frac_bits")
        limit = 2 ** (head.gain_bits - 1) - 1
        _integers(head.gain, channels, -limit, limit, f"{at}.gain")
        _integers(head.offset, channels, -MAX_OFFSET, MAX_OFFSET, f"{at}.offset")
        if self.logit_width > MAX_WIDTH:
            raise UserError(
                f"{at}: logits of {self.logit_width} bits; at most {MAX_WIDTH} are supported"
            )

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
    def sum_width(self) -> int:
        """Bits of the accumulator that no layer can overflow."""
        return max(signed_width(layer.sum_bound) for layer in self.layers)

    @property
    def scaled_width(self) -> int:
        """Bits of ``shat`` that no layer can overflow."""
        return max(
            signed_width(scaled_bound(layer.sum_bound, self.scale_bits)) for layer in self.layers
        )

    @cached_property
    def logit_bound(self) -> int:
        """Largest absolute value of a logit."""
        head, bound = self.head, scaled_bound(self.layers[-1].sum_bound, self.scale_bits)
        pairs = zip(head.gain.tolist(), head.offset.tolist(), strict=True)
        return int(max(abs(gain) * bound + abs(offset) for gain, offset in pairs))

    @property
    def logit_width(self) -> int:
        return signed_width(self.logit_bound)

    @property
    def logit_frac_bits(self) -> int:
        """Unit of a logit is ``2**-logit_frac_bits``."""
        return self.scale_frac_bits + self.head.gain_frac_bits
