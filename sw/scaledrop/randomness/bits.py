# SPDX-License-Identifier: Apache-2.0
"""Bit streams: what is taken for one, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.errors import UserError

__all__ = ["Bits", "Floats", "as_bits", "check_share", "windows_of", "words_of"]

Bits = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]


def as_bits(values: Any, least: int = 1, test: str = "") -> Bits:
    """``values`` as a flat, read-only array of zeros and ones; the caller's array stays as it is.

    Args:
        values: (n,) numbers or booleans, each 0 or 1.
        least: Fewest bits taken.
        test: Who asks, for the message.

    Raises:
        UserError: not one-dimensional, empty, not binary, or fewer than ``least``.
    """
    array = np.asarray(values)
    if array.ndim != 1 or array.dtype.kind not in "biuf":
        raise UserError(
            f"bits: must be a flat array of 0 and 1, not {array.dtype} of shape {array.shape}; "
            "flatten it, one bit an element"
        )
    if not array.size:
        raise UserError("bits: there are none; give at least one")
    wrong = np.flatnonzero((array != 0) & (array != 1))
    if wrong.size:
        raise UserError(
            f"bits: must be 0 or 1, not {array[wrong[0]]} at position {wrong[0]}; "
            "unpack bytes or compare with a threshold first"
        )
    if array.size < least:
        raise UserError(
            f"bits: {test or 'the test'} needs at least {least}, not {array.size}; record more"
        )
    bits: Bits = array.astype(np.uint8) if array.dtype != np.uint8 else array.view()
    bits.flags.writeable = False
    return bits


def check_share(value: float, field: str) -> float:
    """A probability strictly between 0 and 1.

    Raises:
        UserError: any other value.
    """
    if not 0 < value < 1:
        raise UserError(f"{field}: must lie between 0 and 1, not {value}; give a probability")
    return float(value)


def windows_of(bits: Bits, length: int) -> Bits:
    """(n // length, length): windows that follow each other; what is left over is dropped."""
    count = len(bits) // length
    return bits[: count * length].reshape(count, length)


def words_of(bits: Bits, length: int, *, circular: bool = False) -> npt.NDArray[np.int64]:
    """The overlapping words of ``length`` bits, first bit most significant.

    ``n`` of them if ``circular``, as if the first bits followed the last, else n - length + 1.
    """
    source = np.resize(bits, len(bits) + length - 1) if circular else bits
    count = len(source) - length + 1
    words = np.zeros(count, dtype=np.int64)
    for place in range(length):
        words <<= 1
        words |= source[place : place + count]
    return words
