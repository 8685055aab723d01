# SPDX-License-Identifier: Apache-2.0
"""What is on the word lines in each bit plane of a layer's input."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.frozen_layer import FrozenLayer
from scaledrop.numbers import Coding

__all__ = ["line_planes", "plane_weights"]


def plane_weights(layer: FrozenLayer) -> tuple[int, ...]:
    """Worth of a plane's column sum, most significant first."""
    bits = (layer.addends * ((1 << layer.planes) - 1)).bit_length()
    return tuple(1 << plane for plane in reversed(range(bits)))


def line_planes(
    layer: FrozenLayer, values: npt.NDArray[np.integer]
) -> Iterator[npt.NDArray[np.signedinteger[Any]]]:
    """Planes of -1, 0 (undriven) and +1 of ``values``, most significant first, with
    ``values = sum(weight * plane)`` over :func:`plane_weights`.

    Pixels are plain bits; a k-bit code drives +1 or -1 in each plane, and padding, worth 0, drives
    nothing. Sums of several codes, which are even or odd, take sign and magnitude.
    """
    sign = np.sign(values)
    magnitude = np.abs(values)
    if layer.coding is Coding.BIPOLAR and layer.addends == 1:
        if layer.planes == 1:
            yield sign
            return
        code = (values + ((1 << layer.planes) - 1)) >> 1
        for plane in reversed(range(layer.planes)):
            yield (2 * (code >> plane & 1) - 1) * (sign != 0)
        return
    for weight in plane_weights(layer):
        yield sign * (magnitude & weight != 0)
