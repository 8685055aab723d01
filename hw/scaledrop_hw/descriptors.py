# SPDX-License-Identifier: Apache-2.0
"""Layer descriptors: the table that the sequencer walks."""

from amaranth.hdl import unsigned
from amaranth.lib import data, enum

from scaledrop.layer_mapping import Method

__all__ = ["Place", "descriptor_layout", "descriptor_of"]


class Place(enum.Enum, shape=unsigned(2)):
    """Where a layer's inputs come from, or its results go."""

    IMAGE = 0
    VECTOR = 1
    WINDOW = 2
    HEAD = 3


def _bits(largest):
    return unsigned(max(int(largest).bit_length(), 1))


def descriptor_layout(mapping):
    """Layout of one descriptor; every field holds the largest value of the mapping.

    Counts are stored minus one, so that a comparison ends a loop.

    source, target      where inputs come from and results go
    source_window, target_window        which window buffer
    unsigned            inputs are bit planes of pixels: a 0 leaves its row undriven
    row_tiles, planes, column_tiles     inner loops of a position
    kernel              rows and columns of taps; 0 unless tap by tap
    height, width       output positions
    stride, padding, source_height, source_width        where a tap lies in its map
    tile_base, mask_base, scale_base, level_base        first word of each memory
    last_columns, last_beats            columns in use and beats of the last column tile
    origin              word of the first tap (modulo the vector)
    across, down        words from a position to the next one and to the next row
    tap_down            words from a tap row's last word to the next one's first
    bank                words from the dropped outcome's region to the kept one's
    groups, levels      beats of a position, thresholds of a channel
    pool                size of the max pool
    target_base, target_bank            region of the results
    aligned             every position begins a word
    """
    limits = _limits(mapping)
    fields = {name: _bits(limit) for name, limit in limits.items()}
    return data.StructLayout({"source": Place, "target": Place, **fields})


def _limits(mapping):
    rows = [descriptor_of(mapped, mapping) for mapped in mapping.layers]
    names = [name for name in rows[0] if name not in ("source", "target")]
    words = max(mapping.end.target, _image_words(mapping), 2)
    wide = dict.fromkeys(("origin", "across", "down", "tap_down", "bank"), words - 1)
    return {name: max(wide.get(name, 0), *(row[name] for row in rows)) for name in names}


def _image_words(mapping):
    first = mapping.layers[0]
    if first.method is Method.UNROLLED:
        return 0
    if first.method is Method.DENSE:
        return first.row_tiles
    return first.row_tiles * first.source.shape[1] * first.source.shape[2]


def _source(mapped):
    if mapped.method is Method.UNROLLED:
        return Place.WINDOW
    return Place.IMAGE if mapped.reads_image else Place.VECTOR


def _target(mapped):
    if mapped.is_head:
        return Place.HEAD
    return Place.WINDOW if mapped.user is Method.UNROLLED else Place.VECTOR


def _walk(mapped, modulus):
    """Steps through the words of the source."""
    taps = mapped.method is Method.TAPS
    words = mapped.row_tiles
    width = mapped.source.shape[2] if taps else 1
    kernel, stride, padding = (
        (mapped.window.size, mapped.window.stride, mapped.window.padding) if taps else (1, 1, 0)
    )
    base = 0 if mapped.reads_image else mapped.bases.source
    return {
        "kernel": kernel - 1,
        "origin": (base - padding * (width + 1) * words) % modulus,
        "across": stride * words % modulus,
        "down": stride * width * words % modulus,
        "tap_down": ((width - kernel) * words + 1) % modulus,
    }


def descriptor_of(mapped, mapping):
    """Descriptor fields of one :class:`scaledrop.layer_mapping.LayerMapping`."""
    last, window = mapped.last_tile, mapped.window
    maps = mapped.source.shape[1:] if len(mapped.source.shape) == 3 else (1, 1)
    windows = [entry.index for entry in mapping.windows]
    bank = mapped.bases.target - mapped.bases.source if _source(mapped) is Place.VECTOR else 0
    at = mapped.bases
    return {
        "source": _source(mapped),
        "target": _target(mapped),
        "source_window": windows.index(mapped.index) if mapped.index in windows else 0,
        "target_window": windows.index(mapped.index + 1) if mapped.index + 1 in windows else 0,
        "unsigned": int(mapped.reads_image),
        "row_tiles": mapped.row_tiles - 1,
        "planes": mapped.layer.planes - 1,
        "column_tiles": last,
        "height": mapped.positions[0] - 1,
        "width": mapped.positions[1] - 1,
        "stride": window.stride,
        "padding": window.padding,
        "source_height": maps[0],
        "source_width": maps[1],
        "tile_base": at.tile,
        "mask_base": at.mask,
        "scale_base": at.scale,
        "level_base": at.level,
        "last_columns": mapped.columns_used(last),
        "last_beats": mapped.beats(last),
        **_walk(mapped, vector_words(mapping)),
        "bank": bank // 2,
        "groups": mapped.groups - 1,
        "levels": mapped.levels - 1,
        "pool": mapped.pool - 1,
        "target_base": at.target,
        "target_bank": mapped.out_words,
        "aligned": int(mapped.user is Method.TAPS),
    }


def vector_words(mapping):
    """Size of the address space of words, a power of two: images and activations."""
    return 1 << (max(mapping.end.target, _image_words(mapping), 2) - 1).bit_length()
