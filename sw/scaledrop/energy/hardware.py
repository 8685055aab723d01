# SPDX-License-Identifier: Apache-2.0
"""The hardware of a mapped network, as the estimator takes it."""

from __future__ import annotations

from scaledrop.energy.estimate import Machine
from scaledrop.energy.sizes import Capacities, Sizes
from scaledrop.layer_mapping import LayerMapping, Method
from scaledrop.mapping import NetworkMapping
from scaledrop.numbers import Coding

__all__ = ["machine_of"]


def _bytes(bits: int) -> int:
    return -(-bits // 8)


def _window_bits(mapped: LayerMapping) -> int:
    return mapped.layer.in_features * mapped.layer.planes


def _map_bits(mapped: LayerMapping) -> int:
    """Both banks of a window buffer."""
    channels, height, width = mapped.source.shape
    return 2 * channels * height * width * mapped.layer.planes


def _capacities(mapping: NetworkMapping, folded: bool) -> Capacities:
    network, array, end = mapping.network, mapping.array, mapping.end
    threshold = (mapping.scaled_width + 1) * (2 if folded else 1)
    windows = {entry.index: _map_bits(entry) for entry in mapping.windows}
    image = windows.pop(0, 2 * network.input_size * mapping.layers[0].layer.planes)
    return Capacities(
        scales=0 if folded else _bytes(end.scale * array.lanes * network.scale_bits),
        thresholds=_bytes(end.level * array.lanes * threshold),
        head=_bytes(network.classes * (network.head.gain_bits + mapping.logit_width)),
        images=_bytes(image),
        activations=_bytes(end.target * array.rows * mapping.planes),
        windows=_bytes(sum(windows.values())),
    )


def _held(mapped: LayerMapping, memories: Capacities) -> int:
    """Bytes of the memory that a layer reads."""
    if mapped.reads_image:
        return memories.images
    if mapped.method is Method.UNROLLED:
        return _bytes(_map_bits(mapped))
    return memories.activations


def machine_of(mapping: NetworkMapping, folded: bool = False) -> Machine:
    """Widths, memories and tiles of ``mapping``'s hardware.

    Widths are those of the hardware, which is as wide as its widest layer; the converter's bits
    follow from each layer's coding.

    Args:
        mapping: The network on its array.
        folded: With the folded datapath.
    """
    network, array = mapping.network, mapping.array
    memories = _capacities(mapping, folded)
    sizes = {}
    layers = mapping.layers
    for mapped in layers:
        unrolled = mapped.method is Method.UNROLLED
        window = _window_bits(mapped) if unrolled else 0
        user = None if mapped.is_head else layers[mapped.index + 1]
        sizes[mapped.layer.name] = Sizes(
            rows=array.rows,
            columns=array.columns,
            lanes=array.lanes,
            scale_bits=network.scale_bits,
            sum_width=mapping.sum_width,
            scaled_width=mapping.scaled_width,
            logit_width=mapping.logit_width,
            gain_bits=network.head.gain_bits,
            bit_planes=mapped.layer.coding is Coding.UNSIGNED,
            converter_bits=None if array.converter is None else array.converter.bits,
            rows_used=int((mapped.row_index >= 0).sum(axis=-1).max()),
            columns_used=mapped.layer.out_features / mapped.column_tiles,
            pixel_bits=layers[0].layer.planes,
            window_bits=window,
            column_bits=window // mapped.window.size if unrolled else 0,
            source_bytes=_held(mapped, memories),
            target_bytes=0 if user is None else _held(user, memories),
            folded=folded,
            memories=memories,
        )
    return Machine(sizes, layers[-1].following.tile)
