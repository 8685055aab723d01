# SPDX-License-Identifier: Apache-2.0
"""Scale, dropout and threshold as one comparison of the crossbar sum: two thresholds a channel.

``bit = (s * a >= theta) xor flip`` with ``a`` = alpha when the scale is kept and 1.0 when it is
dropped. Dividing by ``a``, and turning the sign of the sum where ``flip`` is 1, leaves

    bit = (sign * s >= threshold[m])

with one integer threshold for each value of the mask bit m and no multiplication.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scaledrop.frozen_layer import FrozenLayer, Head, Threshold

__all__ = ["FoldedHead", "FoldedThresholds", "fold", "fold_head"]

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class FoldedThresholds:
    """See the module; |threshold| is at most the largest |s| plus one.

    Attributes:
        sign: (C,) +1 or -1.
        kept: thresholds for m = 1, of the shape of the layer's own: (C,) or (C, 2**k - 1).
        dropped: thresholds for m = 0.
    """

    sign: Integers
    kept: Integers
    dropped: Integers

    def plain(self, side: Integers) -> Integers:
        """One side as ``bit = (s >= threshold) xor flip``, the sum left as it is."""
        turned = self.sign.reshape(-1, *[1] * (side.ndim - 1)) < 0
        return np.where(turned, 1 - side, side)


@dataclass(frozen=True, eq=False)
class FoldedHead:
    """``logit = gain[m] * s + offset``: the head with its scale taken into the gain.

    Attributes:
        kept, dropped: (C,) gains for m = 1 and m = 0.
        offset: (C,) as in the head.
        gain_bits: signed width of any gain of these formats.
    """

    kept: Integers
    dropped: Integers
    offset: Integers
    gain_bits: int


def fold_head(layer: FrozenLayer, scale_bits: int, scale_frac_bits: int) -> FoldedHead:
    """The folded form of the last layer; equal to the reference form for every sum.

    Raises:
        TypeError: the layer has no head.
    """
    head = layer.output
    if not isinstance(head, Head):
        raise TypeError(f"{layer.name} has no head")
    kept, dropped = head.gain * layer.scale, head.gain << scale_frac_bits
    return FoldedHead(kept, dropped, head.offset, head.gain_bits + scale_bits)


def fold(layer: FrozenLayer, scale_frac_bits: int, bound: int | None = None) -> FoldedThresholds:
    """The folded form of a hidden layer; equal to the reference form for every sum up to ``bound``,
    that of the layer when None.

    Raises:
        TypeError: the layer has no threshold.
    """
    output = layer.output
    if not isinstance(output, Threshold):
        raise TypeError(f"{layer.name} has no threshold")
    one = np.full_like(layer.scale, 1 << scale_frac_bits)
    limit = layer.sum_bound if bound is None else bound
    return FoldedThresholds(
        1 - 2 * output.flip,
        _divided(output, layer.scale, limit),
        _divided(output, one, limit),
    )


def _divided(output: Threshold, factor: Integers, bound: int) -> Integers:
    shape = (-1, *[1] * (output.threshold.ndim - 1))
    factor, flip = factor.reshape(shape), output.flip.reshape(shape) != 0
    first = -(-output.threshold // np.maximum(factor, 1))
    never = np.where(output.threshold > 0, bound + 1, -bound)
    first = np.where(factor > 0, first, never).clip(-bound, bound + 1)
    result: Integers = np.where(flip, 1 - first, first)
    return result
