# SPDX-License-Identifier: Apache-2.0
"""Joules per image from counted events: ``count x energy of the row x scaling law``."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from scaledrop.energy.rules import EVENTS, GRAPH_EVENTS, RULES, Rule, Sizes, row_of
from scaledrop.energy.table import Band, Label, Row, TechnologyTable
from scaledrop.errors import UserError

__all__ = ["NOT_COUNTED", "Component", "EnergyEstimate", "estimate"]

NOT_COUNTED = (
    "clock tree, sequencer and all other control logic",
    "wires between tiles, memories and the spin unit",
    "leakage, above all of the memories",
    "converter references, sample-and-hold and bias generators; column multiplexers",
    "registers of the drain, the scale stage and the head; writing images into their buffer",
    "the pass accumulator: adding logits and votes over the passes, and the argmax",
    "input and output interface, registers and monitors",
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
        event: Event that it is counted by.
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
    """Joules per image, with where they go and what was left out.

    Attributes:
        joules: Total. The bounds are sums of bounds, the widest band there is.
        components: In the order of the datapath; their joules sum to the total.
        by_layer: Layer to joules; they sum to the total as well.
        not_counted: What is left out.
        table: Name of the technology table.
    """

    joules: Band
    components: tuple[Component, ...]
    by_layer: Mapping[str, Band]
    not_counted: tuple[str, ...]
    table: str

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
            "by_layer": [{"name": k, **_as_json(band)} for k, band in self.by_layer.items()],
            "not_counted": list(self.not_counted),
            "table": self.table,
        }


def _as_json(band: Band) -> dict[str, float]:
    return {"value": band.value, "low": band.low, "high": band.high}


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


def _component(rule: Rule, rows: list[Row], count: float, joules: Band, total: float) -> Component:
    """One line of the breakdown; its label is the least trusted of the rows it uses."""
    order = list(Label)
    worst = max(rows, key=lambda row: order.index(row.label))
    return Component(
        name=rule.name,
        event=rule.event,
        count=count,
        joules=joules,
        share=joules.value / total if total else 0.0,
        source="; ".join(dict.fromkeys(row.source for row in rows)),
        label=worst.label,
    )


def estimate(
    events: Mapping[str, Mapping[str, int]],
    sizes: Sizes | Mapping[str, Sizes],
    table: TechnologyTable,
    images: int,
) -> EnergyEstimate:
    """Energy of one image, the mean over a run.

    Args:
        events: Layer to event to count, totals over the run; every one of :data:`EVENTS`, and any
            of :data:`GRAPH_EVENTS`.
        sizes: Widths that the scaling laws take, the same for all layers or by layer.
        table: Energies per event.
        images: Images of the run, each with all its passes.

    Raises:
        UserError: an event is unknown, missing or not a count; the table lacks a component, or a
            converter wide enough for the rows.
    """
    _check(events, images)
    by_name = sizes if isinstance(sizes, Mapping) else dict.fromkeys(events, sizes)
    bands: dict[str, list[Band]] = {layer: [] for layer in events}
    drawn = []
    for rule in RULES:
        rows = []
        for layer, counts in events.items():
            rows.append(row := row_of(rule, by_name[layer], table))
            each = row.band * (rule.units(by_name[layer]) / row.width)
            bands[layer].append(each * (int(counts[rule.event]) / images))
        total = sum(int(counts[rule.event]) for counts in events.values()) / images
        drawn.append((rule, rows, total, _sum(one[-1] for one in bands.values())))
    joules = _sum(band for *_, band in drawn)
    components = tuple(_component(*line, joules.value) for line in drawn)
    by_layer = {layer: _sum(parts) for layer, parts in bands.items()}
    return EnergyEstimate(joules, components, by_layer, NOT_COUNTED, table.name)
