# SPDX-License-Identifier: Apache-2.0
"""How many bits of an image are ones, where no image is at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scaledrop.errors import UserError

__all__ = ["Density"]


@dataclass(frozen=True)
class Density:
    """Fraction of ones in every bit plane of the pixels; word lines of zeros are not driven.

    Attributes:
        planes: 0 to 1 each, the most significant bit first; one number stands for all planes.

    Raises:
        UserError: none, or a fraction out of range.
    """

    planes: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.planes:
            raise UserError("density: must have a fraction for each bit, or one for all; try 0.5")
        for value in self.planes:
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise UserError(f"density: must be numbers of 0 to 1, not {value!r}; try 0.5")
            if not 0.0 <= value <= 1.0:
                raise UserError(f"density: must be 0 to 1, not {value}; give the fraction of ones")

    @classmethod
    def of(cls, given: Density | float | Sequence[float]) -> Density:
        """A density from what a user gives: a number for all planes, or one for each."""
        if isinstance(given, Density):
            return given
        return cls(tuple(given) if isinstance(given, Sequence) else (given,))

    @classmethod
    def measured(cls, images: npt.NDArray[np.integer], bits: int) -> Density:
        """That of images (N, ...) of unsigned pixels of ``bits`` bits."""
        places = range(bits - 1, -1, -1)
        return cls(tuple(float((images >> place & 1).mean()) for place in places))

    def ones(self, lines: int, planes: int) -> int:
        """Expected ones of ``lines`` pixels of so many bits, to the nearest integer.

        Raises:
            UserError: fractions for another number of bits.
        """
        if len(self.planes) not in (1, planes):
            raise UserError(
                f"density: must have 1 fraction or {planes}, one a bit, not {len(self.planes)}"
            )
        each = self.planes if len(self.planes) > 1 else self.planes * planes
        return round(lines * sum(each))
