# SPDX-License-Identifier: Apache-2.0
"""The column converter's part of the number contract: clipping and rounding of a tile's sum."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.errors import UserError

__all__ = ["MAX_CONVERTER_BITS", "Converter", "default_converter", "lossless_converter"]

MAX_CONVERTER_BITS = 16


@dataclass(frozen=True)
class Converter:
    """What a converter of few bits makes of the column sum ``s`` of one tile and one bit plane:

        mid-tread    code = clamp(floor((s + step // 2) / step)),    s' = code * step
        mid-rise     code = clamp(floor(s / step)),                  s' = code * step + step // 2

    with codes from ``-2**(bits - 1)`` to ``2**(bits - 1) - 1``. Mid-tread rounds half up and has a
    level at 0; mid-rise has an edge there, so that its levels are symmetric: what one or two bits
    need. Every back end adds ``s'`` where a lossless converter adds ``s``.

    Attributes:
        bits: of the code, 1 to 16.
        step: sums that share a code; a power of two up to 2**16.
        mid_rise: levels lie between multiples of ``step``.

    Raises:
        UserError: a value out of range, no level above 0, or levels that are no integers.
    """

    bits: int
    step: int = 1
    mid_rise: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= MAX_CONVERTER_BITS:
            raise UserError(f"converter bits: must be 1 to {MAX_CONVERTER_BITS}, not {self.bits}")
        if not 1 <= self.step <= 2**MAX_CONVERTER_BITS or self.step & (self.step - 1):
            raise UserError(
                f"converter step: must be a power of two up to {2**MAX_CONVERTER_BITS}, "
                f"not {self.step}"
            )
        if self.mid_rise and self.step == 1:
            raise UserError("converter step: must be 2 or more for mid-rise levels, not 1")
        if self.bits == 1 and not self.mid_rise:
            raise UserError(
                "converter bits: 1 has no level above 0 unless mid_rise is set; set it, or use 2"
            )

    @property
    def shift(self) -> int:
        return self.step.bit_length() - 1

    @property
    def low(self) -> int:
        """Least code."""
        return -(1 << (self.bits - 1))

    @property
    def high(self) -> int:
        """Largest code."""
        return (1 << (self.bits - 1)) - 1

    @property
    def before(self) -> int:
        """Added to a sum before it is divided."""
        return 0 if self.mid_rise else self.step // 2

    @property
    def behind(self) -> int:
        """Added to a code times the step."""
        return self.step // 2 if self.mid_rise else 0

    @property
    def bound(self) -> int:
        """Largest ``|s'|``."""
        return -self.low * self.step - self.behind

    def reach(self, rows: int) -> int:
        """Largest ``|s'|`` of a sum of ``rows`` cells."""
        return max(abs(int(self.value(rows))), abs(int(self.value(-rows))))

    def value(self, s: Any) -> Any:
        """``s'`` of integers, plain or in an array."""
        code = np.clip((s + self.before) >> self.shift, self.low, self.high)
        return (code << self.shift) + self.behind

    def read(self, sums: npt.NDArray[Any]) -> None:
        """:meth:`value` of real sums, in place. Edges lie half a unit below the integer that they
        belong to, so that no attainable sum is on one, and integers give exactly :meth:`value`."""
        sums += self.before + 0.5
        sums *= 1.0 / self.step
        np.floor(sums, out=sums)
        np.clip(sums, self.low, self.high, out=sums)
        sums *= self.step
        if self.behind:
            sums += self.behind

    def __str__(self) -> str:
        return f"{self.bits} bits, step {self.step}{', mid-rise' if self.mid_rise else ''}"


def default_converter(bits: int, rows: int) -> Converter:
    """The converter of ``bits`` with the finest step whose range reaches four standard deviations
    of a sum of ``rows`` random +-1, ``sqrt(rows)`` each, or all such sums. One bit is mid-rise, its
    two levels one standard deviation from 0, to the nearest power of two.

    Raises:
        UserError: ``bits`` is out of range.
    """
    if not 1 <= bits <= MAX_CONVERTER_BITS:
        raise UserError(f"converter bits: must be 1 to {MAX_CONVERTER_BITS}, not {bits}")
    if bits == 1:
        return Converter(1, 2 << round(math.log2(rows) / 2), mid_rise=True)
    reach = min(rows, math.ceil(4 * math.sqrt(rows)))
    return Converter(bits, 1 << (max(reach - 1, 0) >> (bits - 1)).bit_length())


def lossless_converter(rows: int) -> Converter:
    """The converter that passes every sum of ``rows`` cells of +-1 unchanged."""
    return Converter(rows.bit_length() + 1)
