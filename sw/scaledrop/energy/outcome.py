# SPDX-License-Identifier: Apache-2.0
"""What an estimate says: joules, seconds and area, where they go, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scaledrop.energy.band import Band, Label, total

__all__ = ["NOT_COUNTED", "Component", "EnergyEstimate"]

NOT_COUNTED = (
    "wires between tiles, memories, banks of large memories and the spin unit",
    "converter references, sample-and-hold and bias generators; column multiplexers",
    "leakage of drivers and converters, taken as off between uses; the array itself holds its "
    "weights without a supply",
    "event counters, monitors, error correction and the bus's registers",
    "clocks of registers that do not work in a cycle, taken as gated: the head's, the windows' of "
    "layers that do not run, the stage's of columns that a layer does not use",
    "pads and links off the chip",
    "writing the weights into the array; loading scales and thresholds",
    "voltage conversion and the supplies' own losses",
    "the array as digital logic on an FPGA: these joules are those of an analog array",
)
"""What an estimate leaves out. Printed with every figure."""


@dataclass(frozen=True)
class Component:
    """One line of the breakdown.

    Attributes:
        name: What spends the energy.
        event: Event that it is counted by; "" for what leaks.
        count: Events per image.
        joules: Per image.
        share: Of the total value, 0 to 1.
        source, label: From the table's row.
    """

    name: str
    event: str
    count: float
    joules: Band
    share: float
    source: str
    label: Label


@dataclass(frozen=True)
class EnergyEstimate:
    """Joules, seconds and area, with where they go and what was left out.

    Attributes:
        joules: Per image. The bounds are sums of bounds, the widest band there is.
        components: In the order of the datapath; their joules sum to the total.
        by_layer: Layer to joules; with the leakage they sum to the total as well.
        leakage: Component to joules leaked per image.
        seconds: Per image, one after another, at the table's clock.
        areas: Component to square micrometres.
        not_counted: What is left out.
        table: Name of the technology table.
    """

    joules: Band
    components: tuple[Component, ...]
    by_layer: Mapping[str, Band]
    leakage: Mapping[str, Band]
    seconds: float
    areas: Mapping[str, Band]
    not_counted: tuple[str, ...]
    table: str

    @property
    def area(self) -> Band:
        """Square micrometres in all."""
        return total(self.areas.values())

    def as_json(self) -> dict[str, Any]:
        """The report's ``energy_j``: plain dictionaries, lists, text and numbers."""
        return {
            **_as_json(self.joules),
            "per": "image",
            "by_component": [
                {
                    "name": one.name,
                    "event": one.event,
                    "count": one.count,
                    **_as_json(one.joules),
                    "share": one.share,
                    "source": one.source,
                    "label": str(one.label),
                }
                for one in self.components
            ],
            "by_layer": _named(self.by_layer),
            "leakage": _named(self.leakage),
            "seconds": self.seconds,
            "area_um2": {**_as_json(self.area), "by_component": _named(self.areas)},
            "not_counted": list(self.not_counted),
            "table": self.table,
        }


def _as_json(band: Band) -> dict[str, float]:
    return {"value": band.value, "low": band.low, "high": band.high}


def _named(bands: Mapping[str, Band]) -> list[dict[str, Any]]:
    return [{"name": name, **_as_json(band)} for name, band in bands.items()]
