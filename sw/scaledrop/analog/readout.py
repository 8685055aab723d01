# SPDX-License-Identifier: Apache-2.0
"""Converters as they are built: gain and offset of each, and noise of every read."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scaledrop.errors import UserError

__all__ = ["ReadoutModel"]


@dataclass(frozen=True)
class ReadoutModel:
    """What a tile's converters add before they clip and round. Every column of every tile has a
    converter of its own.

    Attributes:
        gain_spread: standard deviation of the gain around 1.
        offset_spread: standard deviation of the offset, in units of one cell of +-1.
        noise: standard deviation of one conversion, drawn anew each time, in the same unit.

    Raises:
        UserError: a value below 0 or no number.
    """

    gain_spread: float = 0.0
    offset_spread: float = 0.0
    noise: float = 0.0

    def __post_init__(self) -> None:
        for name in ("gain_spread", "offset_spread", "noise"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise UserError(f"{name}: must be a number of 0 or more, not {value}")
