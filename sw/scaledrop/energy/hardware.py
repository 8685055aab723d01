# SPDX-License-Identifier: Apache-2.0
"""The hardware of a network on its array, as the estimator takes it."""

from __future__ import annotations

from collections.abc import Mapping

from scaledrop.energy.estimate import Machine
from scaledrop.energy.sizes import Capacities, Sizes
from scaledrop.footprint import Footprint, Stores, footprint
from scaledrop.layer_mapping import LayerMapping, Method
from scaledrop.layout import NetworkLayout
from scaledrop.numbers import Coding

__all__ = ["machine_of"]


def _bytes(*stores: Stores) -> int:
    return -(-sum(one.bits for every in stores for one in every) // 8)


def _window(found: Footprint, mapped: LayerMapping) -> Stores:
    """Row memories of a layer's window buffer."""
    return tuple(one for one in found.windows if one.layer == mapped.layer.name)


def _capacities(layout: NetworkLayout, found: Footprint) -> Capacities:
    """Memories of the hardware; an image that a window takes is held by that window's buffer."""
    images = [one for one in layout.windows if one.reads_image]
    others = [one for one in layout.windows if not one.reads_image]
    return Capacities(
        scales=_bytes(found.scales),
        thresholds=_bytes(found.thresholds),
        head=_bytes(found.head),
        images=_bytes(found.image, *(_window(found, one) for one in images)),
        activations=_bytes(found.activations, found.row_masks),
        windows=_bytes(*(_window(found, one) for one in others)),
        streams=_bytes(found.streams),
        affine=_bytes(found.affine),
        pools=_bytes(found.pool, found.pool_sums),
    )


def _held(mapped: LayerMapping, found: Footprint, memories: Capacities) -> int:
    """Bytes of the memory that a layer reads."""
    if mapped.reads_image:
        return memories.images
    unrolled = mapped.method is Method.UNROLLED
    return _bytes(_window(found, mapped)) if unrolled else memories.activations


def _targets(layout: NetworkLayout, held: Mapping[str, int]) -> dict[str, int]:
    """Layer to the bytes of the largest memory that its codes go to."""
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
    found = footprint(layout, folded)
    memories = _capacities(layout, found)
    held = {one.layer.name: _held(one, found, memories) for one in layout.layers}
    targets = _targets(layout, held)
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
            source_bytes=held[mapped.layer.name],
            target_bytes=targets[mapped.layer.name],
            folded=folded,
            memories=memories,
        )
    return Machine(sizes, layout.end.tile)
