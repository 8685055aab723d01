# SPDX-License-Identifier: Apache-2.0
"""Joules, seconds and area of an image: ``count x energy of the row x scaling law``, and what leaks
meanwhile."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from scaledrop.energy.band import Band, Label
from scaledrop.energy.known import check_components
from scaledrop.energy.rows import Figure
from scaledrop.energy.rules import EVENTS, GRAPH_EVENTS, RULES, Rule, row_of
from scaledrop.energy.sizes import Sizes
from scaledrop.energy.standing import STANDING, Standing, area_of, leakage_of
from scaledrop.energy.table import TechnologyTable
from scaledrop.errors import UserError
from scaledrop.events import Event

__all__ = ["NOT_COUNTED", "Component", "EnergyEstimate", "Machine", "estimate"]

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

LEAKAGE = "leakage"
TIMES = (str(Event.CYCLES), str(Event.WAITING))


@dataclass(frozen=True)
class Machine:
    """The hardware that is priced.

    Attributes:
        sizes: Of each layer as it sees the hardware.
        tiles: Crossbars of all layers.
    """

    sizes: Mapping[str, Sizes]
    tiles: int

    @property
    def widest(self) -> Sizes:
        """Sizes with the largest window, which is what stands there."""
        return max(self.sizes.values(), key=lambda z: z.window_bits)


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
        return _sum(self.areas.values())

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


def _check(events: Mapping[str, Mapping[str, int]], images: int) -> None:
    if isinstance(images, bool) or not isinstance(images, int) or images < 1:
        raise UserError(f"images: must be an integer of 1 or more, not {images!r}")
    if not events:
        raise UserError("events: has no layer; give the counts of one layer at least")
    for layer, counts in events.items():
        for name in (*counts, *EVENTS):
            if name not in (*EVENTS, *GRAPH_EVENTS):
                raise UserError(f"events[{layer}]: unknown event {name!r}; remove it")
            if name not in counts:
                raise UserError(f"events[{layer}]: event {name!r} is missing; give it, 0 if none")
            _check_count(f"events[{layer}].{name}", counts[name])


def _check_count(where: str, count: Any) -> None:
    try:
        good = not isinstance(count, bool) and operator.index(count) >= 0
    except TypeError:
        good = False
    if not good:
        raise UserError(f"{where}: must be an integer of 0 or more, not {count!r}; count again")


def _sum(bands: Iterable[Band]) -> Band:
    return sum(bands, Band(0.0, 0.0, 0.0))


def _trust(rows: Iterable[Figure]) -> tuple[str, Label]:
    """All sources, and the label of the least trusted row."""
    used = list(rows)
    order = list(Label)
    worst = max(used, key=lambda row: order.index(row.label))
    return "; ".join(dict.fromkeys(row.source for row in used)), worst.label


class _Layers:
    """Joules of every rule in every layer."""

    def __init__(
        self, events: Mapping[str, Mapping[str, int]], machine: Machine, table: TechnologyTable
    ) -> None:
        self.events, self.machine, self.table = events, machine, table

    def component(self, rule: Rule, images: int) -> tuple[Component, dict[str, Band]]:
        """One line, its share still to be found, and its joules by layer."""
        rows, bands = [], {}
        for layer, counts in self.events.items():
            sizes = self.machine.sizes[layer]
            rows.append(row := row_of(rule, sizes, self.table))
            each = row.band * (rule.units(sizes) / row.width)
            bands[layer] = each * (int(counts.get(rule.event, 0)) / images)
        total = sum(int(counts.get(rule.event, 0)) for counts in self.events.values()) / images
        joules = _sum(bands.values())
        return Component(rule.name, rule.event, total, joules, 0.0, *_trust(rows)), bands


def _leak(
    machine: Machine, table: TechnologyTable, seconds: float
) -> tuple[Component, dict[str, Band]]:
    leaks: dict[str, Band] = {}
    rows: list[Figure] = []
    for one in STANDING:
        if not one.leaks:
            continue
        watts = leakage_of(one, machine.widest, machine.tiles, table)
        leaks[one.component] = leaks.get(one.component, Band(0.0, 0.0, 0.0)) + watts * seconds
        rows.append(table.leak(one.row))
    component = Component(LEAKAGE, "", seconds, _sum(leaks.values()), 0.0, *_trust(rows))
    return component, {name: band for name, band in leaks.items() if band.high}


def _areas(machine: Machine, table: TechnologyTable) -> dict[str, Band]:
    areas: dict[str, Band] = {}

    def add(one: Standing) -> None:
        band = area_of(one, machine.widest, machine.tiles, table)
        areas[one.component] = areas.get(one.component, Band(0.0, 0.0, 0.0)) + band

    for one in STANDING:
        add(one)
    return {name: band for name, band in areas.items() if band.high}


def estimate(
    events: Mapping[str, Mapping[str, int]],
    machine: Machine,
    table: TechnologyTable,
    images: int,
) -> EnergyEstimate:
    """Energy, time and area of one image, the mean over a run.

    Args:
        events: Layer to event to count, totals over the run; every one of :data:`EVENTS`, and any
            of :data:`GRAPH_EVENTS`.
        machine: Widths that the scaling laws take, by layer, and what stands there.
        table: Figures.
        images: Images of the run, each with all its passes.

    Raises:
        UserError: an event is unknown, missing or not a count; the table lacks a component, has an
            unknown one, or no converter wide enough for the rows.
    """
    _check(events, images)
    check_components(table)
    priced = _Layers(events, machine, table)
    drawn = [priced.component(rule, images) for rule in RULES]
    cycles = sum(int(counts[name]) for counts in events.values() for name in TIMES)
    seconds = cycles / images / table.clock_hz
    leaked, leakage = _leak(machine, table, seconds)
    lines = [*(component for component, _ in drawn), leaked]
    joules = _sum(one.joules for one in lines)
    whole = joules.value or 1.0
    return EnergyEstimate(
        joules=joules,
        components=tuple(
            Component(**{**vars(one), "share": one.joules.value / whole}) for one in lines
        ),
        by_layer={layer: _sum(bands[layer] for _, bands in drawn) for layer in events},
        leakage=leakage,
        seconds=seconds,
        areas=_areas(machine, table),
        not_counted=NOT_COUNTED,
        table=table.name,
    )
