# SPDX-License-Identifier: Apache-2.0
"""Memories and crossbars that a layout needs: words and bits, as the hardware has them.

For what the accelerator runs, these are its own memories, rounding included. For other networks
they are those of the design of docs/design/0015-counts-from-shapes.md. Left out is what belongs to
control: descriptors, the limits of the monitors, the walk's stack and the queues of commands and of
records.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields

from scaledrop.device_sizes import PART_BITS
from scaledrop.frozen import Stream
from scaledrop.layer_mapping import LayerMapping, Method
from scaledrop.layout import NetworkLayout
from scaledrop.mass import MASS_BITS
from scaledrop.numbers import signed_width
from scaledrop.secded import check_bits
from scaledrop.tails import Delivery

__all__ = ["OUTCOMES", "Footprint", "Store", "footprint"]

OUTCOMES = 2
"""Whatever depends on a layer's bit is stored twice, kept and dropped; so are images, in turn."""

WEIGHT_BITS = MASS_BITS + 1
"""Bits of a leaf's weight, and of votes."""


@dataclass(frozen=True)
class Store:
    """Equal memories of one purpose.

    Attributes:
        words: of one memory.
        width: bits of a word.
        copies: memories, read or written together.
        layer: that reads it, or for a stream writes it; empty for what all layers share.
    """

    words: int
    width: int
    copies: int = 1
    layer: str = ""

    @property
    def bits(self) -> int:
        return self.words * self.width * self.copies


Stores = tuple[Store, ...]


@dataclass(frozen=True)
class Footprint:
    """What a network takes on one array.

    Attributes:
        tiles: Crossbar tiles.
        cells: Their cells, each a differential pair of devices.
        cells_used: Cells that hold a weight; the others are padding.
        image: Two banks of image words, a memory for each bit plane; none where a window takes it.
        windows: Row memories of every unrolled convolution.
        window_bits: Registers of all windows, in bits.
        activations: The activation vector.
        pool: Windows of max pooling that are open.
        streams: Streams that wait for an addition.
        pool_sums: Sums of sum pools.
        scales: With check bits; none in the folded datapath.
        thresholds: With the direction bit; two of each in the folded datapath.
        affine: Gains and offsets of the layers that feed streams.
        head: Gains and offsets of the classes.
        row_masks: Rows in use.
        results: Sum, sum of squares and votes of every class.
    """

    tiles: int
    cells: int
    cells_used: int
    window_bits: int
    image: Stores
    windows: Stores
    activations: Stores
    pool: Stores
    streams: Stores
    pool_sums: Stores
    scales: Stores
    thresholds: Stores
    affine: Stores
    head: Stores
    row_masks: Stores
    results: Stores

    @property
    def device_pairs(self) -> int:
        """Differential pairs that are fabricated: one a cell, used or not."""
        return self.cells

    @property
    def memories(self) -> dict[str, Stores]:
        """Purpose to memories; those of none are left out."""
        every = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in every.items() if isinstance(value, tuple) and value}

    @property
    def memory_bits(self) -> int:
        """Of all memories; without the registers of windows."""
        return sum(store.bits for stores in self.memories.values() for store in stores)


def _parts(width: int) -> int:
    """A word that a host loads, in whole parts."""
    return -(-width // PART_BITS) * PART_BITS


def _image(layout: NetworkLayout) -> Iterator[Store]:
    rows = layout.array.rows
    for entry in layout.layers:
        if entry.reads_image and entry.method is not Method.UNROLLED:
            size, bits = entry.source.size, entry.layer.planes
            group = entry.source.shape[0] if entry.method is Method.TAPS else size
            words = OUTCOMES * (size // group) * -(-group // rows)
            yield Store(words, rows, bits, entry.layer.name)


def _row_memories(reader: LayerMapping, shape: tuple[int, ...], planes: int, lanes: int) -> Store:
    (channels, height, width), size = shape, reader.window.size
    stored = -(-channels // lanes) * min(lanes, channels)
    words = OUTCOMES * -(-height // size) * width
    return Store(words, stored * planes, size, reader.layer.name)


def _deliveries(layout: NetworkLayout) -> Iterator[tuple[LayerMapping, Delivery]]:
    """Reader and delivery of all codes, in the order of their writers."""
    by_name = {entry.layer.name: entry for entry in layout.layers}
    for entry in layout.layers:
        for delivery in entry.tail.deliveries:
            yield by_name[delivery.reader], delivery


def _windows(layout: NetworkLayout) -> Iterator[Store]:
    for entry in layout.windows:
        if entry.reads_image:
            yield _row_memories(entry, entry.source.shape, entry.layer.planes, 1)
    for reader, one in _deliveries(layout):
        if one.method is Method.UNROLLED:
            yield _row_memories(reader, one.value.shape, one.value.planes, layout.array.lanes)


def _window_bits(layout: NetworkLayout) -> int:
    """The window in use and the next, and which of their cells lie inside the map."""
    each = (
        entry.layer.in_features * entry.layer.planes + entry.window.size**2
        for entry in layout.windows
    )
    return 2 * sum(each)


def _pool_sums(layout: NetworkLayout) -> Iterator[Store]:
    lanes = layout.array.lanes
    for reader, one in _deliveries(layout):
        if one.value.addends > 1:
            words = OUTCOMES * -(-one.channels // lanes)
            yield Store(words, lanes * reader.planes, layer=one.reader)


def _streams(layout: NetworkLayout) -> Iterator[Store]:
    width = layout.array.lanes * layout.network.stream_bits
    for entry in layout.layers:
        for shape in entry.tail.left:
            beats = entry.beats_of(shape[0]) * math.prod(shape[1:])
            yield Store(OUTCOMES * beats, width, layer=entry.layer.name)


def _affine(layout: NetworkLayout, folded: bool) -> Iterator[Store]:
    bits, lanes = layout.network.scale_bits, layout.array.lanes
    words, width = 0, 0
    for entry in layout.layers:
        output = entry.layer.output
        if isinstance(output, Stream):
            largest = 2 ** (output.gain_bits - 1) * entry.layer.scaled_bound(bits)
            words += entry.groups
            width = max(width, _gains(output.gain_bits, bits, folded) + signed_width(largest))
    if words:
        yield Store(max(words, 2), _parts(lanes * width))


def _gains(gain_bits: int, scale_bits: int, folded: bool) -> int:
    """Bits of the gains of a channel: one, or one for each outcome with the scale taken in."""
    return 2 * (gain_bits + scale_bits) if folded else gain_bits


def _scales(layout: NetworkLayout) -> Store:
    data = layout.array.lanes * layout.network.scale_bits
    return Store(max(layout.end.scale, 2), data + check_bits(data))


def _thresholds(layout: NetworkLayout, folded: bool) -> Store:
    sums = layout.running_width
    value = sums if folded else max(layout.scaled_width, sums)
    words = layout.end.level * (OUTCOMES if folded else 1)
    return Store(max(words, 2), _parts(layout.array.lanes * (value + 2)))


def _head(layout: NetworkLayout, folded: bool) -> Store:
    network = layout.network
    gains = _gains(network.head.gain_bits, network.scale_bits, folded)
    return Store(max(network.classes, 2), _parts(gains + layout.logit_width))


def _results(layout: NetworkLayout) -> Stores:
    logit, words = layout.logit_width, layout.results
    widths = (logit + WEIGHT_BITS, 2 * (logit - 1) + WEIGHT_BITS, WEIGHT_BITS)
    return tuple(Store(words, width) for width in widths)


def footprint(layout: NetworkLayout, folded: bool = False) -> Footprint:
    """Memories and crossbars of a layout.

    Args:
        folded: Of the folded datapath: no scales, two thresholds a channel.
    """
    array, end, lanes = layout.array, layout.end, layout.array.lanes
    words = layout.pool_words
    return Footprint(
        tiles=end.tile,
        cells=end.tile * array.rows * array.columns,
        cells_used=sum(one.layer.weights.size for one in layout.layers),
        window_bits=_window_bits(layout),
        image=tuple(_image(layout)),
        windows=tuple(_windows(layout)),
        activations=(Store(max(end.target, 2), array.rows, layout.planes),) if end.target else (),
        pool=(Store(OUTCOMES * words, lanes * layout.planes),) if words else (),
        streams=tuple(_streams(layout)),
        pool_sums=tuple(_pool_sums(layout)),
        scales=() if folded else (_scales(layout),),
        thresholds=(_thresholds(layout, folded),),
        affine=tuple(_affine(layout, folded)),
        head=(_head(layout, folded),),
        row_masks=(Store(max(end.mask, 2), _parts(array.rows)),),
        results=_results(layout),
    )
