# SPDX-License-Identifier: Apache-2.0
"""Events that cost energy: their names, and their exact prediction from mapping and visits.

The RTL counts the same events with the same names; prediction and count are compared with ``==``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from scaledrop.density import Density
from scaledrop.frozen import Stream
from scaledrop.layer_mapping import LayerMapping, Method
from scaledrop.layout import NetworkLayout
from scaledrop.walk import Visit

__all__ = [
    "Event",
    "EventCounts",
    "GraphEvent",
    "Tally",
    "columns_loaded",
    "predict_events",
    "tallied_events",
]

EventCounts = dict[str, dict[str, int]]
"""Layer name -> event name -> count over a whole run."""


class Event(StrEnum):
    """One counter of the accelerator per layer and event; their order is that of the registers, so
    new ones go to the end."""

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
    """Channels compared with a threshold."""
    LOGIT_MACS = "logit_macs"
    """Multiply-adds of the head."""
    BUFFER_READS = "buffer_reads"
    """Words of ``rows`` bits read from the image or activation buffer, or columns shifted into the
    window of an unrolled convolution."""
    BUFFER_WRITES = "buffer_writes"
    """Beats of ``lanes`` codes written to the activation buffer or a window buffer."""
    SPIN_RESETS = "spin_resets"
    SPIN_WRITES = "spin_writes"
    SPIN_READS = "spin_reads"
    """Pulses to the spin unit, booked to the layer whose bit is made."""
    PIXELS = "pixels"
    """Pixels taken from the input stream, also those of images that are dropped because they are
    badly framed; booked to the first layer."""
    RESULTS = "results"
    """Results that leave on the output stream, one a class (and position); booked to the head."""


class GraphEvent(StrEnum):
    """What networks with streams or sum pools need beyond :class:`Event`.

    Booked to the layer that owns the node (:mod:`scaledrop.tails`). The accelerator does not run
    such networks yet and has no counters for them; other networks do not have these events.
    """

    STREAM_MACS = "stream_macs"
    """Multiply-adds that turn scaled sums into stream values."""
    STREAM_ADDITIONS = "stream_additions"
    """Elements of residual additions, saturating."""
    STREAM_READS = "stream_reads"
    """Words of ``lanes`` stream values read from a buffer, once for both outcomes."""
    STREAM_WRITES = "stream_writes"
    """Words of ``lanes`` stream values written to a buffer."""
    QUANTISATIONS = "quantisations"
    """Stream values turned into codes."""
    POOL_ADDITIONS = "pool_additions"
    """Codes added by a sum pool, all but each sum's first."""


def columns_loaded(mapped: LayerMapping) -> list[int]:
    """Columns that the window buffer shifts in for each output position, in raster order."""
    height, width = mapped.positions
    window = mapped.window
    return [window.size, *[min(window.stride, window.size)] * (width - 1)] * height


def _covers(mapped: LayerMapping, axis: int) -> npt.NDArray[np.int64]:
    """How often each row (axis 0) or column of the source lies under a kernel."""
    window, length = mapped.window, mapped.source.shape[1 + axis]
    begin = np.arange(mapped.positions[axis]) * window.stride - window.padding
    under = (begin[:, None] + np.arange(window.size)).ravel()
    return np.bincount(under[(under >= 0) & (under < length)], minlength=length)


def _driven(mapped: LayerMapping) -> npt.NDArray[np.int64]:
    """How often one visit puts each element of the source on word lines, once for all columns."""
    if mapped.layer.window is None:
        return np.ones(mapped.source.shape, dtype=np.int64)
    area = np.multiply.outer(_covers(mapped, 0), _covers(mapped, 1))
    return np.broadcast_to(area, mapped.source.shape)


def _row_drives(
    mapped: LayerMapping, pixels: npt.NDArray[np.int64] | Density, visits: npt.NDArray[np.int64]
) -> int:
    driven, tiles = _driven(mapped), mapped.column_tiles
    if not mapped.reads_image:
        return int(driven.sum()) * mapped.planes * tiles * int(visits.sum())
    if isinstance(pixels, Density):
        return pixels.ones(int(driven.sum()), mapped.planes) * tiles * int(visits.sum())
    images = pixels.reshape(len(pixels), *mapped.source.shape)
    bits = sum(images >> plane & 1 for plane in range(mapped.planes))
    each = (bits * driven).reshape(len(images), -1).sum(axis=1)
    return int((each * visits).sum()) * tiles


@dataclass(frozen=True, eq=False)
class Tally:
    """What is counted of the visits to each layer, int64 (N, L) by image and layer.

    Attributes:
        made: sums of the crossbar.
        kept: outcomes that read and multiply the scale.
        outcomes: of the layer behind its sum, 1 or more a visit.
        bits: drawn from the spin unit.
    """

    made: npt.NDArray[np.int64]
    kept: npt.NDArray[np.int64]
    outcomes: npt.NDArray[np.int64]
    bits: npt.NDArray[np.int64]

    @classmethod
    def of(cls, walks: Sequence[Iterable[Visit]], layers: int) -> Tally:
        """That of the walk of each image."""
        found = cls(*(np.zeros((len(walks), layers), dtype=np.int64) for _ in range(4)))
        for image, visits in enumerate(walks):
            for visit in visits:
                at = image, visit.layer
                found.made[at] += 1
                found.kept[at] += visit.kept > 0
                found.outcomes[at] += (visit.kept > 0) + (visit.dropped > 0)
                found.bits[at] += len(visit.bits)
        return found


def _of_layer(
    mapped: LayerMapping, visits: int, kept: int, outcomes: int, folded: bool
) -> dict[str, int]:
    """Events that do not depend on the images."""
    results = mapped.layer.out_features * mapped.position_count
    conversions = results * mapped.steps
    windows = mapped.method is Method.UNROLLED
    reads = sum(columns_loaded(mapped)) if windows else mapped.activations
    writes = sum(mapped.beats_of(one.channels) * one.positions for one in mapped.tail.deliveries)
    scaled = 0 if folded else kept
    return {
        Event.ACTIVATIONS: mapped.activations * visits,
        Event.CONVERSIONS: conversions * visits,
        Event.ADDITIONS: (conversions - results) * visits,
        Event.SCALE_READS: mapped.beat_count * scaled,
        Event.MULTIPLIES: results * scaled,
        Event.COMPARISONS: results * mapped.levels * outcomes if mapped.is_compared else 0,
        Event.LOGIT_MACS: results * outcomes if mapped.is_head else 0,
        Event.BUFFER_READS: reads * visits,
        Event.BUFFER_WRITES: writes * outcomes,
    }


def _stream_words(mapped: LayerMapping, shapes: Iterable[tuple[int, ...]]) -> int:
    return sum(mapped.beats_of(shape[0]) * math.prod(shape[1:]) for shape in shapes)


def _of_graph(mapped: LayerMapping, visits: int, outcomes: int) -> dict[str, int]:
    """Events of the nodes that a layer owns."""
    tail, streams = mapped.tail, isinstance(mapped.layer.output, Stream)
    results = mapped.layer.out_features * mapped.position_count
    return {
        GraphEvent.STREAM_MACS: results * outcomes if streams else 0,
        GraphEvent.STREAM_ADDITIONS: tail.added * outcomes,
        GraphEvent.STREAM_READS: _stream_words(mapped, tail.taken) * visits,
        GraphEvent.STREAM_WRITES: _stream_words(mapped, tail.left) * outcomes,
        GraphEvent.QUANTISATIONS: tail.quantised * outcomes,
        GraphEvent.POOL_ADDITIONS: sum(one.summed for one in tail.deliveries) * outcomes,
    }


def predict_events(
    mapping: NetworkLayout,
    pixels: npt.NDArray[np.int64] | Density,
    walks: Sequence[Iterable[Visit]],
    cycles: EventCounts | None,
    folded: bool = False,
) -> EventCounts:
    """Every counter of a run.

    Args:
        mapping: The network on its array; of any graph.
        pixels: (N, input_size) images, or how many of their bits are ones.
        walks: Visits of each image; a dropped scale is neither read nor multiplied.
        cycles: The two cycle events of each layer, from
            :func:`scaledrop.schedule.predict_cycles`; None leaves them out.
        folded: Of the folded datapath, which has no scales.
    """
    return tallied_events(mapping, pixels, Tally.of(walks, len(mapping.layers)), cycles, folded)


def tallied_events(
    mapping: NetworkLayout,
    pixels: npt.NDArray[np.int64] | Density,
    tally: Tally,
    cycles: EventCounts | None,
    folded: bool = False,
) -> EventCounts:
    """:func:`predict_events` where no more is known of the visits than how many there are."""
    counts: EventCounts = {}
    for index, mapped in enumerate(mapping.layers):
        made, kept, outcomes, bits = (
            int(of[:, index].sum()) for of in (tally.made, tally.kept, tally.outcomes, tally.bits)
        )
        events = {
            **({} if cycles is None else cycles[mapped.layer.name]),
            **_of_layer(mapped, made, kept, outcomes, folded),
            Event.ROW_DRIVES: _row_drives(mapped, pixels, tally.made[:, index]),
            Event.SPIN_RESETS: bits,
            Event.SPIN_WRITES: bits,
            Event.SPIN_READS: bits,
            Event.PIXELS: 0 if index else len(tally.made) * mapping.network.input_size,
            Event.RESULTS: len(tally.made) * mapping.results if mapped.is_head else 0,
            **(_of_graph(mapped, made, outcomes) if mapping.has_graph_events else {}),
        }
        counts[mapped.layer.name] = {str(name): count for name, count in events.items()}
    return counts
