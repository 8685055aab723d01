# SPDX-License-Identifier: Apache-2.0
"""Layer descriptors: the table that the sequencer walks."""

from amaranth.hdl import unsigned
from amaranth.lib import data, enum

from scaledrop.numbers import Coding

__all__ = ["LayerKind", "descriptor_layout", "descriptor_of"]


class LayerKind(enum.Enum, shape=unsigned(2)):
    """What the sequencer does with a layer. Codes 1 to 3 are kept for convolution and pooling."""

    DENSE = 0


def descriptor_layout(*, rows, columns, lanes, tiles, beats, words, planes):
    """Layout of one descriptor; the arguments are the largest values that must fit.

    kind            what the layer is
    image           1 reads the image's bit planes, 0 the activation buffer
    head            1 hands scaled sums to the head, 0 thresholds them
    last_row_mask   word lines in use in the last row tile
    row_tiles, column_tiles, planes     counts minus one
    last_columns    columns in use in the last column tile
    last_beats      beats of the last column tile
    tile_base, beat_base, in_base, out_base     see scaledrop.mapping.LayerMapping
    """
    return data.StructLayout(
        {
            "kind": LayerKind,
            "image": 1,
            "head": 1,
            "last_row_mask": rows,
            "row_tiles": range(max(tiles, 2)),
            "column_tiles": range(max(tiles, 2)),
            "planes": range(max(planes, 2)),
            "last_columns": range(columns + 1),
            "last_beats": range(columns // lanes + 1),
            "tile_base": range(max(tiles, 2)),
            "beat_base": range(max(beats, 2)),
            "in_base": range(max(words, 2)),
            "out_base": range(max(words, 2)),
        }
    )


def descriptor_of(mapped):
    """Descriptor fields of one :class:`scaledrop.mapping.LayerMapping`."""
    last = mapped.column_tiles - 1
    return {
        "kind": LayerKind.DENSE,
        "image": int(mapped.layer.coding is Coding.UNSIGNED),
        "head": int(mapped.is_head),
        "last_row_mask": (1 << mapped.last_rows) - 1,
        "row_tiles": mapped.row_tiles - 1,
        "column_tiles": last,
        "planes": mapped.layer.planes - 1,
        "last_columns": mapped.columns_used(last),
        "last_beats": mapped.beats(last),
        "tile_base": mapped.tile_base,
        "beat_base": mapped.beat_base,
        "in_base": mapped.in_base,
        "out_base": mapped.out_base,
    }
