# SPDX-License-Identifier: Apache-2.0
"""A figure with its band and how far it is trusted, and how both are written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Band", "Label", "format_area", "format_band", "format_joules", "total"]

_PREFIXES = ((1.0, "J"), (1e-3, "mJ"), (1e-6, "uJ"), (1e-9, "nJ"), (1e-12, "pJ"), (1e-15, "fJ"))


class Label(StrEnum):
    """How far a figure is trusted; a row carries the label of its least trusted figure."""

    S = "S"
    """Read in the source itself."""
    S_ABS = "S-abs"
    """Read in the source's abstract or first page only."""
    S_SEC = "S-sec"
    """Read in a secondary source."""
    RUN = "RUN"
    """Reproduced by running a published tool."""
    CALC = "CALC"
    """Arithmetic on other figures, or a stated factor around one."""
    MEM = "MEM"
    """Remembered. Unverified."""


@dataclass(frozen=True)
class Band:
    """A figure with its band, ``low <= value <= high``: joules, watts or um2."""

    value: float
    low: float
    high: float

    def __add__(self, other: Band) -> Band:
        """Bounds add too: whatever made one figure high may make the other high as well."""
        return Band(self.value + other.value, self.low + other.low, self.high + other.high)

    def __mul__(self, factor: float) -> Band:
        return Band(self.value * factor, self.low * factor, self.high * factor)


def total(bands: Iterable[Band]) -> Band:
    """Sum of values, of lows and of highs."""
    return sum(bands, Band(0.0, 0.0, 0.0))


def _two_digits(joules: float) -> tuple[str, str]:
    # At two digits 995 pJ is 1.0 nJ and 9.96 pJ is 10 pJ.
    scale, unit = next((p for p in _PREFIXES if joules >= p[0] * 0.995), _PREFIXES[-1])
    figure = joules / scale
    return f"{figure:.1f}" if figure < 9.95 else f"{float(f'{figure:.1e}'):.0f}", unit


def format_area(band: Band) -> str:
    """``"0.12 mm2 (0.060 to 0.24 mm2)"`` of um2: two significant digits."""
    value, low, high = (
        f"{float(f'{um2 / 1e6:.1e}'):g}" for um2 in (band.value, band.low, band.high)
    )
    return f"{value} mm2 ({low} to {high} mm2)"


def format_joules(joules: float) -> str:
    """``"31 nJ"``: two significant digits."""
    return " ".join(_two_digits(joules))


def format_band(band: Band) -> str:
    """``"31 nJ (12 to 95 nJ)"``: two significant digits, the band always with the value."""
    (value, unit), (low, low_unit), (high, high_unit) = (
        _two_digits(joules) for joules in (band.value, band.low, band.high)
    )
    between = f"{low} to" if low_unit == high_unit else f"{low} {low_unit} to"
    return f"{value} {unit} ({between} {high} {high_unit})"
