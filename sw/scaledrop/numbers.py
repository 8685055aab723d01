# SPDX-License-Identifier: Apache-2.0
"""The number contract: every rule about rounding, ties, widths and ranges, written once.

Nothing here depends on a float at run time. The functions accept Python integers and NumPy integer
arrays alike and are exact as long as the widths given by :func:`signed_width` fit in 63 bits.

Symbols (arXiv 2311.15816, and ``docs/design/0001-numbers.md``): ``s`` crossbar sum, ``alpha``
scale, ``m`` mask bit (1 keeps the scale, 0 drops it), ``shat`` scaled sum in units of
``2**-scale_frac_bits``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.errors import UserError

__all__ = [
    "DROP_BITS",
    "MAX_GAIN_FRAC_BITS",
    "MAX_OFFSET",
    "Coding",
    "activation_bit",
    "activation_code",
    "argmax",
    "decode",
    "drop_code",
    "quantise_affine",
    "quantise_scale",
    "saturate",
    "scaled_bound",
    "scaled_sum",
    "sign_bit",
    "signed_width",
    "stream_code",
    "stream_value",
    "sum_bound",
]

MAX_GAIN_FRAC_BITS = 40
MAX_OFFSET = 2**46
"""Limits of the head's fixed point: fraction bits of a gain, magnitude of an offset."""

DROP_BITS = 16
"""A dropout probability is ``code / 2**DROP_BITS``."""

IntArray = npt.NDArray[np.int64]


class Coding(StrEnum):
    """How the bits on the word lines are read."""

    UNSIGNED = "unsigned"
    """``planes`` bits, most significant first; a 0 bit leaves the row undriven."""
    BIPOLAR = "bipolar"
    """``planes`` bits, most significant first, each driving +1 for 1 and -1 for 0: code c is worth
    ``2c - (2**planes - 1)``, so one plane is -1 and +1. Padding is an undriven row, worth 0."""


def sign_bit(value: Any) -> Any:
    """1 where ``value >= 0``, else 0: sign(0) is +1, for weights and for activations."""
    return value >= 0


def sum_bound(fan_in: int, planes: int, addends: int = 1) -> int:
    """Largest ``|s|`` of a crossbar sum of ``fan_in`` cells of +-1, in either coding.

    ``addends`` elements of ``planes`` bits were added into each input (average pooling).
    """
    return fan_in * addends * ((1 << planes) - 1)


def scaled_bound(bound: int, scale_bits: int) -> int:
    """Largest ``|shat|`` for ``|s| <= bound``, whatever the scale and the mask bit."""
    return bound * ((1 << scale_bits) - 1)


def signed_width(bound: int) -> int:
    """Bits of the two's complement number that holds every value in ``[-bound, bound]``."""
    return max(bound, 0).bit_length() + 1


def scaled_sum(s: Any, scale: Any, keep: Any, scale_frac_bits: int) -> Any:
    """``shat = s * alpha`` where ``keep`` is 1 and ``s * 1.0`` where it is 0 (unitary dropout).

    ``scale`` is alpha in units of ``2**-scale_frac_bits``; so is the result.
    """
    if isinstance(keep, np.ndarray) or isinstance(s, np.ndarray):
        return s * np.where(keep, scale, 1 << scale_frac_bits)
    return s * (scale if keep else 1 << scale_frac_bits)


def activation_bit(shat: Any, threshold: Any, flip: Any) -> Any:
    """``(shat >= threshold) xor flip``: scale, BatchNorm and sign as one comparison.

    ``flip`` is 1 for a negative BatchNorm gain: ``sign`` is then +1 on and below a point, which is
    stored as the first value above it. A channel that is always +1 stores the least ``shat`` and
    ``flip = 0``; one that is never +1 stores the least ``shat`` and ``flip = 1``.
    """
    return (shat >= threshold) ^ (flip != 0)


def activation_code(shat: Any, thresholds: Any, flip: Any) -> Any:
    """k-bit activation: the number of ``thresholds`` passed, each by :func:`activation_bit`.

    ``thresholds`` has ``2**k - 1`` values along its last axis, where ``shat`` and ``flip`` have an
    axis of length 1 or lack it by broadcasting.
    """
    return activation_bit(shat, thresholds, flip).sum(axis=-1)


def decode(code: Any, planes: int) -> Any:
    """The odd integer that a k-bit code stands for: ``2c - (2**k - 1)``; -1 and +1 for k = 1."""
    return 2 * code - ((1 << planes) - 1)


def saturate(value: Any, bits: int) -> Any:
    """The nearest integer of ``bits`` bits, signed."""
    return np.clip(value, -(1 << (bits - 1)), (1 << (bits - 1)) - 1)


def stream_value(shat: Any, gain: Any, offset: Any, shift: int, bits: int) -> Any:
    """``gain * shat + offset``, divided by ``2**shift``, rounded half up, saturated to ``bits``."""
    half = 1 << (shift - 1) if shift else 0
    return saturate((gain * shat + offset + half) >> shift, bits)


def stream_code(value: Any, frac_bits: int, planes: int) -> Any:
    """k-bit code of a stream value: -1 to 1 cut into ``2**planes`` equal steps; sign for k = 1.

    ``value`` is in units of ``2**-frac_bits``. A value on an edge belongs to the step above it.
    """
    steps = ((value + (1 << frac_bits)) << (planes - 1)) >> frac_bits
    return np.clip(steps, 0, (1 << planes) - 1)


def argmax(values: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Index of the largest value along the last axis; the lowest index wins a tie."""
    return np.asarray(np.argmax(values, axis=-1), dtype=np.int64)


def drop_code(p: float, where: str = "p") -> int:
    """Dropout probability ``p`` in [0, 1) to its code, nearest, ties to even.

    Raises:
        UserError: ``p`` is not a number in [0, 1).
    """
    if not 0.0 <= p < 1.0:
        raise UserError(
            f"{where}: dropout probability must be in [0, 1), not {p}; give for example 0.1"
        )
    codes = 1 << DROP_BITS
    return min(round(p * codes), codes - 1)


def quantise_scale(
    scale: npt.NDArray[np.float64], bits: int, frac_bits: int, where: str = "scale"
) -> IntArray:
    """Real scales to unsigned fixed point, nearest, ties to even; nothing is clipped.

    Raises:
        UserError: a scale is NaN, negative or does not fit ``bits`` bits.
    """
    scale = np.asarray(scale, dtype=np.float64)
    if not np.isfinite(scale).all():
        raise UserError(f"{where}: has a value that is not a number; train again or repair it")
    code = np.rint(scale * 2.0**frac_bits)
    wrong = (scale < 0) | (code > (1 << bits) - 1)
    if wrong.any():
        raise UserError(
            f"{where}: {scale[wrong][0]:g} does not fit {bits} bits with {frac_bits} fraction bits "
            f"(0 to {((1 << bits) - 1) / (1 << frac_bits):g}); "
            "raise scale_bits or lower scale_frac_bits"
        )
    return code.astype(np.int64)


def quantise_affine(
    gain: npt.NDArray[np.float64], offset: npt.NDArray[np.float64], bits: int, unit_frac_bits: int
) -> tuple[IntArray, IntArray, int]:
    """A BatchNorm as integers: ``logit = gain * shat + offset``.

    The gain gets ``bits`` signed bits and the largest number of fraction bits, ``frac``, at which
    no gain and no offset overflows; the offset is rounded to the unit of the product,
    ``2**-(unit_frac_bits + frac)``. Both round to nearest, ties to even.

    Returns:
        gain (C,), offset (C,), ``frac``.
    """
    gain = np.asarray(gain, dtype=np.float64)
    offset = np.asarray(offset, dtype=np.float64)
    if not (np.isfinite(gain).all() and np.isfinite(offset).all()):
        raise UserError("gain or offset is not a number; train again with a lower rate")
    limit = 2 ** (bits - 1) - 1
    frac = MAX_GAIN_FRAC_BITS
    while frac > 0 and (
        np.abs(np.rint(gain * 2.0**frac)).max() > limit
        or np.abs(offset).max() * 2.0 ** (unit_frac_bits + frac) > MAX_OFFSET
    ):
        frac -= 1
    gain_code = np.rint(gain * 2.0**frac)
    if np.abs(gain_code).max() > limit:
        raise UserError(f"gain: {np.abs(gain).max():g} does not fit {bits} bits; raise gain_bits")
    if np.abs(offset).max() * 2.0 ** (unit_frac_bits + frac) > MAX_OFFSET:
        raise UserError(
            f"offset: {np.abs(offset).max():g} is too large; train again with a lower rate"
        )
    return (
        gain_code.astype(np.int64),
        np.rint(offset * 2.0 ** (unit_frac_bits + frac)).astype(np.int64),
        frac,
    )
