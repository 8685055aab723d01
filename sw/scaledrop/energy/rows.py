# SPDX-License-Identifier: Apache-2.0
"""Rows of a technology table: one figure of one component, with band, source and trust."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, model_validator

from scaledrop.energy.band import Band, Label
from scaledrop.energy.documents import Number

__all__ = ["AreaRow", "Figure", "LeakageRow", "Row", "Scaling"]


class Scaling(StrEnum):
    """How a figure goes to another node."""

    LOGIC = "logic"
    """As logic: energy with node and supply, area with the node."""
    CONVERTER = "converter"
    """With the slope of the converter regression."""
    NONE = "none"
    """Not at all: a device, or a figure that already is of its own node."""


class Figure(BaseModel):
    """What the three kinds of row share.

    Attributes:
        component: Name, unique within its list; memories give one row for each ``capacity``.
        node_nm: Technology node in nanometres.
        supply_v: Supply in volts.
        bits, size: Width in bits, or number of devices, that the figure is for: exactly one.
        capacity: Bytes of the memory that the figure is of; only for memories.
        scaling: How the figure goes to another node.
        source: Where the figures come from.
        label: Trust in the least trusted of the three figures.
        note: How the figures were made from the source.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    names: ClassVar[tuple[str, str, str]]

    component: str
    node_nm: Number
    supply_v: Number
    bits: int | None = None
    size: int | None = None
    capacity: int | None = None
    scaling: Scaling = Scaling.NONE
    source: str
    label: Label
    note: str = ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.bits is None) == (self.size is None):
            raise ValueError("needs either bits or size, one of them; say what the energy is for")
        for name in ("bits", "size", "capacity"):
            if (count := getattr(self, name)) is not None and count < 1:
                raise ValueError(f"{name} must be 1 or more, not {count}")
        for name in ("node_nm", "supply_v", *self.names):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name} must be a finite number, 0 or more, not {value:g}")
        (value, low, high), (named, at_low, at_high) = self.figures, self.names
        if low > value:
            raise ValueError(f"{at_low} {low:g} is above {named} {value:g}; swap them")
        if value > high:
            raise ValueError(f"{named} {value:g} is above {at_high} {high:g}; swap them")
        if not self.source.strip():
            raise ValueError("source is empty; name the paper, tool or calculation")
        return self

    @property
    def figures(self) -> tuple[float, float, float]:
        """Value, low, high in the unit of :attr:`names`."""
        value, low, high = (getattr(self, name) for name in self.names)
        return value, low, high

    @property
    def band(self) -> Band:
        return Band(*self.figures)

    @property
    def width(self) -> int:
        """``bits`` or ``size``, whichever the row gives."""
        return self.bits or self.size or 1

    def with_band(self, band: Band, **changes: object) -> Self:
        """The same row with other figures; checked anew."""
        figures = dict(zip(self.names, (band.value, band.low, band.high), strict=True))
        return type(self).model_validate({**self.model_dump(), **figures, **changes})


class Row(Figure):
    """What one action of one component costs, in joules."""

    names = ("energy_j", "low_j", "high_j")
    energy_j: Number
    low_j: Number
    high_j: Number


class LeakageRow(Figure):
    """What a component draws while it is on, in watts."""

    names = ("power_w", "low_w", "high_w")
    power_w: Number
    low_w: Number
    high_w: Number


class AreaRow(Figure):
    """What a component takes, in square micrometres."""

    names = ("area_um2", "low_um2", "high_um2")
    area_um2: Number
    low_um2: Number
    high_um2: Number
