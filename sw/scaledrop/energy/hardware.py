# SPDX-License-Identifier: Apache-2.0
"""The hardware of a network on its array, as the estimator takes it."""

from __future__ import annotations

from scaledrop.energy.estimate import Machine
from scaledrop.energy.sizes import Capacities, Sizes
from scaledrop.footprint import Stores, footprint
from scaledrop.layer_mapping import LayerMapping, Method
from scaledrop.layout import NetworkLayout
from scaledrop.numbers import Coding

__all__ = ["machine_of"]


def _bytes(*stores: Stores) -> int:
    return -(-sum(one.bits for every in stores for one in every) // 8)


def _map_bytes(mapped: LayerMapping) -> int:
    """Both banks of a window buffer."""
    channels, height, width = mapped.source.shape
    return -(-2 * channels * height * width * mapped.layer.planes // 8)


def _capacities(layout: NetworkLayout, folded: bool) -> Capacities:
    """Memories of the hardware; an image that a window takes is held by that window's buffer."""
    found = footprint(layout, folded)
    windows = _bytes(found.windows)
    first = sum(_map_bytes(one) for one in layout.windows if one.reads_image)
    return Capacities(
        scales=_bytes(found.scales),
        thresholds=_bytes(found.thresholds),
        head=_bytes(found.head),
        images=_bytes(found.image) + first,
        activations=_bytes(found.activations, found.row_masks),
        windows=max(windows - first, 0),
        streams=_bytes(found.streams),
        affine=_bytes(found.affine),
        pools=_bytes(found.pool, found.pool_sums),
    )


def _held(mapped: LayerMapping, memories: Capacities) -> int:
    """Bytes of the memory that a layer reads."""
    if mapped.reads_image:
        return memories.images
    return _map_bytes(mapped) if mapped.method is Method.UNROLLED else memories.activations


def _targets(layout: NetworkLayout, memories: Capacities) -> dict[str, int]:
    """Layer to the bytes of the largest memory that its codes go to."""
    held = {one.layer.name: _held(one, memories) for one in layout.layers}
    return {
        one.layer.name: max((held[to.reader] for to in one.tail.deliveries), default=0)
        for one in layout.layers
    }


def machine_of(
    layout: NetworkLayout, folded: bool = False, converter_bits: int | None = None
) -> Machine:
    """Widths, memories and tiles of a network's hardware.

    Widths are those of the hardware, which is as wide as its widest layer; the converter's bits
    follow from each layer's coding and its rows in use unless they are given.

    Args:
        layout: The network on its array.
        folded: With the folded datapath.
        converter_bits: Of a converter that is not lossless; that of the array when not given.
    """
    network, array = layout.network, layout.array
    memories = _capacities(layout, folded)
    targets = _targets(layout, memories)
    if converter_bits is None and array.converter is not None:
        converter_bits = array.converter.bits
    sizes = {}
    for mapped in layout.layers:
        unrolled = mapped.method is Method.UNROLLED
        window = mapped.layer.in_features * mapped.layer.planes if unrolled else 0
        sizes[mapped.layer.name] = Sizes(
            rows=array.rows,
            columns=array.columns,
            lanes=array.lanes,
            scale_bits=network.scale_bits,
            sum_width=layout.running_width,
            scaled_width=layout.scaled_width,
            logit_width=layout.logit_width,
            gain_bits=network.head.gain_bits,
            bit_planes=mapped.layer.coding is Coding.UNSIGNED,
            rows_used=int((mapped.row_index >= 0).sum(axis=-1).max()),
            columns_used=mapped.layer.out_features / mapped.column_tiles,
            converter_bits=converter_bits,
            pixel_bits=layout.layers[0].layer.planes,
            stream_bits=max(network.stream_bits, 1),
            window_bits=window,
            column_bits=window // mapped.window.size if unrolled else 0,
            source_bytes=_held(mapped, memories),
            target_bytes=targets[mapped.layer.name],
            folded=folded,
            memories=memories,
        )
    return Machine(sizes, layout.end.tile)
