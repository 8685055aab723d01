# SPDX-License-Identifier: Apache-2.0
"""Roofline of a run: what each layer asked of the array and reached, from its own counters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scaledrop.errors import UserError
from scaledrop.events import Event, EventCounts, GraphEvent
from scaledrop.layer_mapping import LayerMapping, Method
from scaledrop.layout import NetworkLayout
from scaledrop_flow.energy_report.data import Ceiling, RooflinePoint

__all__ = ["WHOLE", "ceilings_of", "points_of"]

WHOLE = "all layers"
CELLS, WINDOW = "cells in use", "window, 1 column a cycle"


@dataclass(frozen=True)
class _Work:
    operations: int
    beats: float
    activations: int
    cycles: int


def _work(mapped: LayerMapping, counts: Mapping[str, int]) -> _Work:
    visits = counts[Event.ACTIVATIONS] // mapped.activations
    results = mapped.layer.out_features * mapped.position_count
    decided = counts[Event.LOGIT_MACS if mapped.is_head else Event.COMPARISONS]
    decided = decided or counts.get(GraphEvent.STREAM_MACS, 0)
    return _Work(
        operations=results * mapped.layer.in_features * mapped.layer.planes * visits,
        beats=mapped.beat_count * decided / results,
        activations=counts[Event.ACTIVATIONS],
        cycles=counts[Event.CYCLES],
    )


def _point(name: str, work: _Work, limits: Mapping[str, float]) -> RooflinePoint:
    if not (work.operations and work.beats and work.cycles):
        raise UserError(f"events[{name}]: no cycles or no work were counted; run an image")
    return RooflinePoint(
        name,
        work.operations / work.beats,
        work.operations / work.cycles,
        {CELLS: work.operations / work.activations, **limits},
    )


def points_of(layout: NetworkLayout, events: EventCounts, spin_cycles: int) -> list[RooflinePoint]:
    """A point a layer, and one for all of them; an operation is one bit of input times one weight,
    padding included.

    The spin unit bounds the whole network alone: it makes a layer's bit while others run.

    Args:
        layout: The network on its array.
        events: Counters of a run, predicted or simulated, cycles included.
        spin_cycles: Cycles from a bit's reset to its read.

    Raises:
        UserError: a layer did nothing.
    """
    points, works = [], []
    for mapped in layout.layers:
        counts = events[mapped.layer.name]
        work = _work(mapped, counts)
        window = mapped.method is Method.UNROLLED and work.operations / counts[Event.BUFFER_READS]
        points.append(_point(mapped.layer.name, work, {WINDOW: window} if window else {}))
        works.append(work)
    waiting = sum(counts[Event.WAITING] for counts in events.values())
    whole = _Work(
        sum(one.operations for one in works),
        sum(one.beats for one in works),
        sum(one.activations for one in works),
        sum(one.cycles for one in works) + waiting,
    )
    drawn = sum(counts[Event.SPIN_WRITES] for counts in events.values()) * spin_cycles
    spin = {f"spin unit, 1 bit in {spin_cycles} cycles": whole.operations / drawn} if drawn else {}
    return [*points, _point(WHOLE, whole, spin)]


def ceilings_of(layout: NetworkLayout) -> list[Ceiling]:
    """Peak of the array, every cell once a cycle, and the drain, one beat a cycle."""
    array = layout.array
    return [
        Ceiling(f"array, {array.rows} x {array.columns} cells", rate=array.rows * array.columns),
        Ceiling(f"drain, 1 beat of {array.lanes} a cycle", beats=1.0),
    ]
