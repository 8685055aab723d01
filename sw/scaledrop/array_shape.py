# SPDX-License-Identifier: Apache-2.0
"""Size of the crossbar array."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

from scaledrop.converter import Converter
from scaledrop.errors import UserError

__all__ = ["ArrayShape"]


@dataclass(frozen=True)
class ArrayShape:
    """Size of one crossbar tile and width of the path behind it.

    Attributes:
        rows: Word lines of a tile, 1 to 1024.
        columns: Bit lines of a tile, 1 to 1024.
        lanes: Channels scaled and compared per cycle; divides rows and columns.
        converter: Of every column; lossless when None.

    Raises:
        UserError: an impossible size, with what to change.
    """

    rows: int = 64
    columns: int = 16
    lanes: int = 0
    converter: Converter | None = None

    def __post_init__(self) -> None:
        for name in ("rows", "columns"):
            if not 1 <= getattr(self, name) <= 1024:
                raise UserError(f"{name}: must be 1 to 1024, not {getattr(self, name)}")
        if self.lanes == 0:
            object.__setattr__(self, "lanes", gcd(self.rows, self.columns))
        if self.lanes < 0 or self.rows % self.lanes or self.columns % self.lanes:
            raise UserError(
                f"lanes: must divide rows ({self.rows}) and columns ({self.columns}), "
                f"not {self.lanes}; {gcd(self.rows, self.columns)} is the widest"
            )
