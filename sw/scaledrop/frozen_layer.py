# SPDX-License-Identifier: Apache-2.0
"""One frozen crossbar layer and the three kinds of output stage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.graph import Kind, Layer, Window
from scaledrop.numbers import DROP_BITS, Coding, scaled_bound, sum_bound

__all__ = ["FrozenLayer", "Head", "Output", "Stream", "Threshold"]


def _narrow(owner: object, *names: str) -> None:
    """Store integer arrays as int64; what is not one is left for the network to refuse."""
    for name in names:
        array = np.asarray(getattr(owner, name))
        if array.dtype.kind in "ib" or (array.dtype.kind == "u" and array.max(initial=0) < 2**62):
            array = array.astype(np.int64)
        object.__setattr__(owner, name, array)


@dataclass(frozen=True, eq=False)
class Threshold:
    """Hidden layer: ``bit = (shat >= threshold) xor flip`` per channel; k-bit codes add such bits.

    Attributes:
        threshold: (C,) integers in units of ``2**-scale_frac_bits``, within the range of ``shat``;
            (C, 2**k - 1) for codes of k > 1 bits, one decision each, the lowest code's first, up to
            one above the range.
        flip: (C,) 0 or 1.
    """

    threshold: npt.NDArray[np.int64]
    flip: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        _narrow(self, "threshold", "flip")

    @property
    def planes(self) -> int:
        """Bits of a code, k."""
        return 1 if self.threshold.ndim < 2 else int(self.threshold.shape[1]).bit_length()


@dataclass(frozen=True, eq=False)
class _Affine:
    gain: npt.NDArray[np.int64]
    offset: npt.NDArray[np.int64]
    gain_bits: int
    gain_frac_bits: int

    def __post_init__(self) -> None:
        _narrow(self, "gain", "offset")

    def bound(self, shat_bound: int) -> int:
        """Largest ``|gain * shat + offset|``."""
        pairs = zip(self.gain.tolist(), self.offset.tolist(), strict=True)
        return int(max(abs(gain) * shat_bound + abs(offset) for gain, offset in pairs))


@dataclass(frozen=True, eq=False)
class Head(_Affine):
    """Last layer: ``logit = gain * shat + offset`` per class.

    Attributes:
        gain: (C,) signed, ``gain_bits`` wide, ``gain_frac_bits`` fraction bits.
        offset: (C,) signed, in the logit's unit ``2**-(scale_frac_bits + gain_frac_bits)``.
    """


@dataclass(frozen=True, eq=False)
class Stream(_Affine):
    """Layer that feeds residual additions: ``gain * shat + offset`` rounded half up to the unit of
    the stream, saturated to its width. Attributes as :class:`Head`."""


Output = Threshold | Head | Stream


@dataclass(frozen=True, eq=False)
class FrozenLayer:
    """One crossbar of +-1 weights with its scale, its dropout code and its output stage.

    Attributes:
        name: Unique within the network.
        weights: (out, fan-in) bits, 1 for +1 and 0 for -1; a fan-in runs over (C, K, K) of a
            convolution, over the features as users hold them of a dense layer.
        scale: (out,) unsigned fixed point, alpha.
        drop_code: Probability that the scale is dropped, times ``2**16``.
        coding: How the layer's input drives the word lines.
        planes: Bits of an input element.
        output: what becomes of the scaled sum.
        window: kernel of a convolution; None for a dense layer.
        addends: activations added into one input element (see :class:`scaledrop.graph.SumPool`).
        source: name of the node that feeds it; the node before when empty.
    """

    name: str
    weights: npt.NDArray[np.uint8]
    scale: npt.NDArray[np.int64]
    drop_code: int
    coding: Coding
    planes: int
    output: Output
    window: Window | None = None
    addends: int = 1
    source: str = ""

    def __post_init__(self) -> None:
        _narrow(self, "scale")

    @property
    def in_features(self) -> int:
        """Rows of the unrolled crossbar."""
        return int(self.weights.shape[1])

    @property
    def out_features(self) -> int:
        return int(self.weights.shape[0])

    @property
    def node(self) -> Layer:
        """The layer without its numbers."""
        planes = self.output.planes if isinstance(self.output, Threshold) else 1
        kind: Any = {Threshold: Kind.CODES, Head: Kind.LOGITS, Stream: Kind.STREAM}
        output = kind.get(type(self.output), Kind.CODES)
        return Layer(self.name, self.out_features, self.window, output, planes, self.source)

    @property
    def sum_bound(self) -> int:
        """Largest absolute value of ``s``."""
        return sum_bound(self.in_features, self.planes, self.addends)

    def scaled_bound(self, scale_bits: int) -> int:
        """Largest absolute value of ``shat``."""
        return scaled_bound(self.sum_bound, scale_bits)

    @property
    def drop_probability(self) -> float:
        return self.drop_code / (1 << DROP_BITS)
