# SPDX-License-Identifier: Apache-2.0
"""Joules, seconds and area of an image: ``count x energy of the row x scaling law``, and what leaks
meanwhile."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from scaledrop.energy.band import Band, Label, total
from scaledrop.energy.known import check_components
from scaledrop.energy.outcome import NOT_COUNTED, Component, EnergyEstimate
from scaledrop.energy.rows import Figure
from scaledrop.energy.rules import EVENTS, GRAPH_EVENTS, RULES, Rule, row_of
from scaledrop.energy.sizes import Sizes
from scaledrop.energy.standing import STANDING, Standing, area_of, leakage_of
from scaledrop.energy.table import TechnologyTable
from scaledrop.errors import UserError
from scaledrop.events import Event

__all__ = ["Machine", "estimate"]

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
        count = sum(int(counts.get(rule.event, 0)) for counts in self.events.values()) / images
        joules = total(bands.values())
        return Component(rule.name, rule.event, count, joules, 0.0, *_trust(rows)), bands


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
    component = Component(LEAKAGE, "", seconds, total(leaks.values()), 0.0, *_trust(rows))
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
    joules = total(one.joules for one in lines)
    whole = joules.value or 1.0
    return EnergyEstimate(
        joules=joules,
        components=tuple(
            Component(**{**vars(one), "share": one.joules.value / whole}) for one in lines
        ),
        by_layer={layer: total(bands[layer] for _, bands in drawn) for layer in events},
        leakage=leakage,
        seconds=seconds,
        areas=_areas(machine, table),
        not_counted=NOT_COUNTED,
        table=table.name,
    )
