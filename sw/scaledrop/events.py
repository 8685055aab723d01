# SPDX-License-Identifier: Apache-2.0
"""Events that cost energy: their names, and their exact prediction from mapping and record.

The RTL counts the same events with the same names; prediction and count are compared with ``==``.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt

from scaledrop.mapping import LayerMapping, NetworkMapping
from scaledrop.numbers import Coding
from scaledrop.record import PassRecord

__all__ = ["Event", "EventCounts", "predict_events"]

EventCounts = dict[str, dict[str, int]]
"""Layer name -> event name -> count over a whole run."""


class Event(StrEnum):
    """One counter per layer and event."""

    CYCLES = "cycles"
    """Clock cycles in which the layer runs."""
    WAITING = "waiting"
    """Cycles in which an image is held and no layer runs; booked to the first layer."""
    ACTIVATIONS = "activations"
    """Crossbar tile activations."""
    ROW_DRIVES = "row_drives"
    """Word lines driven, summed over activations; 0 bits of a plane drive none."""
    CONVERSIONS = "conversions"
    """Column sums read out: columns in use, summed over activations."""
    ADDITIONS = "additions"
    """Column sums added to a running sum (all but each sum's first)."""
    SCALE_READS = "scale_reads"
    """Words of ``lanes`` scales read; none when the scale is dropped."""
    MULTIPLIES = "multiplies"
    """Channels multiplied by their scale; none when it is dropped."""
    COMPARISONS = "comparisons"
    """Channels compared with their threshold."""
    LOGIT_MACS = "logit_macs"
    """Multiply-adds of the head."""
    BUFFER_READS = "buffer_reads"
    """Words of ``rows`` bits read from the image or activation buffer."""
    BUFFER_WRITES = "buffer_writes"
    """Beats of ``lanes`` bits written to the activation buffer."""
    SPIN_RESETS = "spin_resets"
    SPIN_WRITES = "spin_writes"
    SPIN_READS = "spin_reads"
    """Pulses to the spin unit, booked to the layer whose bit is made."""


def _row_drives(
    mapped: LayerMapping, pixels: npt.NDArray[np.int64], column_tiles: int, runs: int
) -> int:
    layer = mapped.layer
    if layer.coding is Coding.BIPOLAR:
        return layer.in_features * column_tiles * runs
    bits = sum(int((pixels >> plane & 1).sum()) for plane in range(layer.planes))
    return bits * column_tiles * runs // len(pixels)


def predict_events(
    mapping: NetworkMapping,
    pixels: npt.NDArray[np.int64],
    record: PassRecord,
    cycles: EventCounts | None,
) -> EventCounts:
    """Every counter of a run.

    Args:
        mapping: The network on its array.
        pixels: (N, input_size) images.
        record: Gives the masks: a dropped scale is neither read nor multiplied.
        cycles: The two cycle events of each layer, from
            :func:`scaledrop.schedule.predict_cycles`; None leaves them out.
    """
    runs = record.images * record.passes
    counts: EventCounts = {}
    for index, mapped in enumerate(mapping.layers):
        layer = mapped.layer
        kept = int(record.masks[:, :, index].sum())
        activations = mapped.tile_count * layer.planes
        conversions = layer.out_features * mapped.activations_per_tile
        tiles = mapped.column_tiles
        counts[layer.name] = {
            **({} if cycles is None else cycles[layer.name]),
            Event.ACTIVATIONS: activations * runs,
            Event.ROW_DRIVES: _row_drives(mapped, pixels, tiles, runs),
            Event.CONVERSIONS: conversions * runs,
            Event.ADDITIONS: (conversions - layer.out_features) * runs,
            Event.SCALE_READS: mapped.beat_count * kept,
            Event.MULTIPLIES: layer.out_features * kept,
            Event.COMPARISONS: 0 if mapped.is_head else layer.out_features * runs,
            Event.LOGIT_MACS: layer.out_features * runs if mapped.is_head else 0,
            Event.BUFFER_READS: activations * runs,
            Event.BUFFER_WRITES: 0 if mapped.is_head else mapped.beat_count * runs,
            Event.SPIN_RESETS: runs,
            Event.SPIN_WRITES: runs,
            Event.SPIN_READS: runs,
        }
    return {name: {str(k): v for k, v in events.items()} for name, events in counts.items()}
