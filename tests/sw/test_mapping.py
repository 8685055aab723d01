# SPDX-License-Identifier: Apache-2.0
"""Tiles, words and addresses: nothing lost, nothing twice, whatever the sizes."""

import itertools
from math import ceil

import numpy as np
import pytest

from networks import random_network
from scaledrop.errors import UserError
from scaledrop.mapping import ArrayShape, NetworkMapping

ARRAYS = [(1, 1, 0), (4, 4, 0), (8, 12, 4), (8, 12, 2), (5, 3, 1), (16, 4, 4), (64, 16, 0)]
SIZES = [(1, 1), (5, 3), (9, 7, 4), (16, 12, 8, 4), (33, 17, 13, 10), (64, 16, 16)]
CASES = list(itertools.product(ARRAYS, SIZES))


def mapping_of(array, sizes):
    return NetworkMapping(random_network(7, sizes, input_bits=3), ArrayShape(*array))


def weights_of(mapped):
    """Weights of a layer put together again from its tile words, padding included."""
    rows, columns = mapped.array.rows, mapped.array.columns
    weights = np.full((mapped.column_tiles * columns, mapped.row_tiles * rows), -1)
    for index, word in enumerate(mapped.tile_words()):
        assert 0 <= word < 1 << (rows * columns)
        column_tile, row_tile = divmod(index, mapped.row_tiles)
        for column, row in itertools.product(range(columns), range(rows)):
            at = column_tile * columns + column, row_tile * rows + row
            weights[at] = word >> (column * rows + row) & 1
    return weights


@pytest.mark.parametrize(("array", "sizes"), CASES)
def test_tile_words_hold_every_weight_and_zeros_elsewhere(array, sizes):
    for mapped in mapping_of(array, sizes).layers:
        weights = weights_of(mapped)
        used = np.zeros_like(weights)
        used[: mapped.layer.out_features, : mapped.layer.in_features] = mapped.layer.weights
        assert np.array_equal(weights, used)


@pytest.mark.parametrize(("array", "sizes"), CASES)
def test_counts_of_a_layer(array, sizes):
    for mapped in mapping_of(array, sizes).layers:
        rows, columns, lanes = mapped.array.rows, mapped.array.columns, mapped.array.lanes
        fan_in, out = mapped.layer.in_features, mapped.layer.out_features
        tiles = (ceil(fan_in / rows), ceil(out / columns))
        assert (mapped.row_tiles, mapped.column_tiles) == tiles
        assert mapped.tile_count == len(mapped.tile_words()) == tiles[0] * tiles[1]
        assert (tiles[0] - 1) * rows + mapped.last_rows == fan_in and 1 <= mapped.last_rows <= rows
        used = [mapped.columns_used(tile) for tile in range(tiles[1])]
        assert sum(used) == out and all(1 <= n <= columns for n in used)
        assert [mapped.beats(tile) for tile in range(tiles[1])] == [ceil(n / lanes) for n in used]
        assert mapped.beat_count == ceil(out / lanes)
        assert mapped.out_words == ceil(out / rows)
        assert mapped.activations_per_tile == tiles[0] * mapped.layer.planes


def flattened(ranges):
    return [address for start, count in ranges for address in range(start, start + count)]


@pytest.mark.parametrize(("array", "sizes"), CASES)
def test_addresses_follow_one_another_without_overlap(array, sizes):
    mapping = mapping_of(array, sizes)
    layers = mapping.layers
    tiles = flattened((m.tile_base, m.tile_count) for m in layers)
    beats = flattened((m.beat_base, m.beat_count) for m in layers)
    words = flattened((m.out_base, m.out_words) for m in layers[:-1])
    assert tiles == list(range(mapping.tile_count))
    assert beats == list(range(mapping.beat_count))
    assert words == list(range(mapping.buffer_words))
    assert mapping.image_words == 3 * ceil(sizes[0] / array[0])


@pytest.mark.parametrize(("array", "sizes"), CASES)
def test_a_layer_reads_where_the_one_before_writes(array, sizes):
    layers = mapping_of(array, sizes).layers
    assert layers[0].in_base == 0
    for before, after in itertools.pairwise(layers):
        assert after.in_base == before.out_base and after.row_tiles == before.out_words
    assert [mapped.is_head for mapped in layers] == [False] * (len(layers) - 1) + [True]


@pytest.mark.parametrize(("array", "sizes"), CASES)
def test_by_beat_puts_each_channel_in_its_lane(array, sizes):
    for mapped in mapping_of(array, sizes).layers:
        lanes, count = mapped.array.lanes, mapped.layer.out_features
        values = np.arange(100, 100 + count)
        words = mapped.by_beat(values, -7)
        assert words.shape == (mapped.beat_count, lanes) and words.dtype == np.int64
        for channel in range(count):
            tile, column = divmod(channel, mapped.array.columns)
            beat = sum(mapped.beats(before) for before in range(tile)) + column // lanes
            assert words[beat, column % lanes] == 100 + channel
        assert (words == -7).sum() == words.size - count


@pytest.mark.parametrize(
    ("given", "lanes"), [({}, 16), ({"rows": 12, "columns": 8}, 4), ({"lanes": 8}, 8)]
)
def test_lanes_are_as_wide_as_can_be_unless_given(given, lanes):
    assert ArrayShape(**given).lanes == lanes


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"rows": 0}, "rows: must be 1 to 1024, not 0"),
        ({"rows": -4}, "rows: must be 1 to 1024, not -4"),
        ({"rows": 1025}, "rows: must be 1 to 1024, not 1025"),
        ({"columns": 0}, "columns: must be 1 to 1024, not 0"),
        ({"columns": 1025}, "columns: must be 1 to 1024, not 1025"),
        (
            {"lanes": 3},
            "lanes: must divide rows (64) and columns (16), not 3; 16 is the widest",
        ),
        (
            {"lanes": 32},
            "lanes: must divide rows (64) and columns (16), not 32; 16 is the widest",
        ),
        (
            {"rows": 16, "columns": 64, "lanes": 32},
            "lanes: must divide rows (16) and columns (64), not 32; 16 is the widest",
        ),
        (
            {"rows": 9, "columns": 6, "lanes": -3},
            "lanes: must divide rows (9) and columns (6), not -3; 3 is the widest",
        ),
    ],
)
def test_impossible_arrays_are_refused(given, text):
    with pytest.raises(UserError) as caught:
        ArrayShape(**given)
    assert str(caught.value) == text


def test_the_largest_array_is_accepted():
    assert ArrayShape(1024, 1024).lanes == 1024
