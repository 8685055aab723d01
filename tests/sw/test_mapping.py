# SPDX-License-Identifier: Apache-2.0
"""Tiles, words and addresses: crossbar sums put together from them are the convolution's."""

from itertools import pairwise
from math import ceil

import numpy as np
import pytest

from chains import METHODS, SEEDS, mapping_of, random_mapping
from networks import GRAPHS, random_graph_network
from scaledrop.array_shape import ArrayShape
from scaledrop.errors import UserError
from scaledrop.graph import Kind, Layer, MaxPool, SumPool, Window
from scaledrop.layer_mapping import Method
from scaledrop.mapping import WINDOW_BITS, NetworkMapping
from scaledrop.numbers import Coding, decode

HEAD = Layer("head", 3, output=Kind.LOGITS)
cases = pytest.mark.parametrize(("seed", "method"), [(s, m) for s in SEEDS for m in METHODS])


def bits_of(word, count):
    return np.array([word >> at & 1 for at in range(count)])


def source_of(mapped, rng):
    """Random codes or pixels in the shape of what a layer takes."""
    return rng.integers(1 << mapped.layer.planes, size=mapped.source.shape)


def lines_of(mapped, values):
    """(positions, taps, word lines) codes as the memories lay them on the word lines; -1 is no row
    in use, which is all that a tap outside its map has."""
    if values.ndim == 1:
        return values[None, None]
    if mapped.method is Method.DENSE:
        channels, lanes = len(values), mapped.array.lanes
        padding = 0 if mapped.reads_image else -channels % lanes
        by_position = np.pad(values, [(0, padding), (0, 0), (0, 0)], constant_values=-1)
        return by_position.transpose(1, 2, 0).reshape(1, 1, -1)
    windows = patches(mapped, values, -1)  # (rows, columns, channels, K down, K across)
    positions, size = mapped.position_count, mapped.window.size
    if mapped.method is Method.TAPS:
        return windows.transpose(0, 1, 3, 4, 2).reshape(positions, size**2, -1)
    return windows.transpose(0, 1, 4, 3, 2).reshape(positions, 1, -1)


def patches(mapped, values, padding):
    size, stride, edge = mapped.window.size, mapped.window.stride, [mapped.window.padding] * 2
    padded = np.pad(values, [(0, 0), edge, edge], constant_values=padding)
    tops, lefts = (range(0, count * stride, stride) for count in mapped.positions)
    return np.array([[padded[:, y : y + size, x : x + size] for x in lefts] for y in tops])


def reference_sums(mapped, values):
    """(positions, channels) by one product with the weights, each weight in its user's place."""
    cells = 2 * mapped.layer.weights.astype(int) - 1
    if mapped.layer.coding is Coding.BIPOLAR:
        values = decode(values, mapped.layer.planes)
    if mapped.layer.window is None:
        return values.reshape(1, -1) @ cells.T
    return patches(mapped, values, 0).reshape(mapped.position_count, -1) @ cells.T


def crossbar_sums(mapped, lines):
    """(positions, channels): every activation of every tile, plane by plane."""
    rows, columns = mapped.array.rows, mapped.array.columns
    words = iter(mapped.tile_words())
    sums = np.zeros((len(lines), mapped.column_tiles, columns), dtype=int)
    padding = mapped.row_tiles * rows - lines.shape[2]
    lines = np.pad(lines, [(0, 0), (0, 0), (0, padding)], constant_values=-1)
    for column_tile in range(mapped.column_tiles):
        for tap, row_tile in np.ndindex(mapped.taps, mapped.row_tiles):
            cells = 2 * bits_of(next(words), rows * columns).reshape(columns, rows) - 1
            codes = lines[:, tap, row_tile * rows : (row_tile + 1) * rows]
            for plane in range(mapped.layer.planes):
                bit = codes >> mapped.layer.planes - 1 - plane & 1
                driven = np.where(mapped.reads_image, bit, codes >= 0) * (codes >= 0)
                value = driven * (2 * bit - 1) << mapped.layer.planes - 1 - plane
                sums[:, column_tile] += value @ cells.T
    assert next(words, None) is None
    return sums.reshape(len(lines), -1)


@cases
def test_sums_from_the_tile_words_are_those_of_the_layer(seed, method):
    rng = np.random.default_rng(seed)
    for mapped in random_mapping(seed, method).layers:
        values = source_of(mapped, rng)
        sums = crossbar_sums(mapped, lines_of(mapped, values))
        used = mapped.layer.out_features
        np.testing.assert_array_equal(sums[:, :used], reference_sums(mapped, values))
        assert 0 <= sums.shape[1] - used < mapped.array.columns


@cases
def test_row_index_and_masks_name_the_rows_in_use(seed, method):
    """Word lines that carry a value, and the value of the layer's fan-in that each carries."""
    for mapped in random_mapping(seed, method).layers:
        places = np.arange(mapped.layer.in_features)
        index = mapped.row_index.reshape(mapped.taps, -1)
        if mapped.layer.window is None:
            lines = lines_of(mapped, places.reshape(mapped.source.shape))[0]
        else:
            size = mapped.window.size
            order = (1, 2, 0) if mapped.method is Method.TAPS else (2, 1, 0)
            lines = places.reshape(-1, size, size).transpose(order).reshape(mapped.taps, -1)
        np.testing.assert_array_equal(index[:, : lines.shape[1]], lines)
        assert (index[:, lines.shape[1] :] == -1).all()
        assert index.shape[1] - lines.shape[1] < mapped.array.rows
        masks = [bits_of(word, mapped.array.rows) for word in mapped.mask_words()]
        if mapped.method is Method.UNROLLED:
            assert masks == []
            continue
        for tap in index:
            np.testing.assert_array_equal(np.concatenate(masks), tap >= 0)


@cases
def test_unused_cells_hold_zeros(seed, method):
    for mapped in random_mapping(seed, method).layers:
        rows, columns = mapped.array.rows, mapped.array.columns
        index = mapped.row_index.reshape(-1, rows)
        for at, word in enumerate(mapped.tile_words()):
            column_tile, row = divmod(at, len(index))
            cells = bits_of(word, rows * columns + 1)[:-1].reshape(columns, rows)
            assert word >> rows * columns == 0
            assert not cells[:, index[row] < 0].any()
            assert not cells[mapped.columns_used(column_tile) :].any()


@cases
def test_counts_of_a_layer(seed, method):
    for mapped in random_mapping(seed, method).layers:
        lanes, out = mapped.array.lanes, mapped.layer.out_features
        used = [mapped.columns_used(tile) for tile in range(mapped.column_tiles)]
        assert sum(used) == out and used[:-1] == [mapped.array.columns] * (len(used) - 1)
        beats = [mapped.beats(tile) for tile in range(mapped.column_tiles)]
        assert beats == [ceil(count / lanes) for count in used]
        assert mapped.groups == sum(beats) and mapped.last_tile == len(used) - 1
        positions = mapped.positions[0] * mapped.positions[1]
        assert mapped.beat_count == positions * mapped.groups
        tiles = mapped.taps * mapped.row_tiles
        assert mapped.tile_count == tiles * len(used) == len(mapped.tile_words())
        assert mapped.steps == tiles * mapped.layer.planes
        assert mapped.activations == mapped.steps * len(used) * positions
        assert mapped.levels == (1 if mapped.is_head else (1 << mapped.layer.output.planes) - 1)


@cases
def test_words_of_every_memory_follow_one_another(seed, method):
    mapping = random_mapping(seed, method)
    bounds = [mapped.bases for mapped in mapping.layers] + [mapping.end]
    for mapped, (at, after) in zip(mapping.layers, pairwise(bounds), strict=True):
        assert after.tile - at.tile == len(mapped.tile_words())
        assert after.mask - at.mask == len(mapped.mask_words())
        assert after.scale - at.scale == mapped.groups
        assert after.level - at.level == (0 if mapped.is_head else mapped.groups * mapped.levels)
        assert after.source == at.target and after.target - at.target == 2 * mapped.out_words
    assert (bounds[0].tile, bounds[0].mask, bounds[0].target) == (0, 0, 0)


@cases
def test_a_layer_leaves_as_many_words_as_the_next_one_reads(seed, method):
    layers = random_mapping(seed, method).layers
    assert layers[0].reads_image and [mapped.is_head for mapped in layers[:-1]].count(True) == 0
    assert layers[-1].is_head and layers[-1].user is None and layers[-1].out_words == 0
    for before, after in pairwise(layers):
        shape = (before.layer.out_features, *before.pooled)
        flat = after.source.shape == (before.layer.out_features,)
        assert after.source.shape == (shape[:1] if flat else shape) and not after.reads_image
        assert before.user is after.method
        positions = {Method.TAPS: before.pooled[0] * before.pooled[1], Method.DENSE: 1}
        assert before.out_words == positions.get(after.method, 0) * after.row_tiles


@cases
def test_by_group_puts_each_channel_in_its_lane(seed, method):
    for mapped in random_mapping(seed, method).layers:
        lanes, count = mapped.array.lanes, mapped.layer.out_features
        values = np.arange(1, 2 * count + 1).reshape(count, 2)
        words = mapped.by_group(values)
        assert words.shape == (mapped.groups, lanes, 2) and words.dtype == np.int64
        flat = words.reshape(-1, 2)
        assert (flat[:count] == values).all() and not flat[count:].any()


@cases
def test_sizes_of_the_whole(seed, method):
    mapping = random_mapping(seed, method)
    layers = mapping.layers
    convolutions = [mapped for mapped in layers if mapped.layer.window is not None]
    unrolled = [mapped for mapped in convolutions if mapped.method is Method.UNROLLED]
    assert list(mapping.windows) == unrolled
    if method != "mixed":
        assert unrolled == (convolutions if method == "unrolled" else [])
    hidden = [mapped.layer.output.planes for mapped in layers[:-1]]
    assert mapping.planes == max([1, *hidden])
    assert list(mapping.drop_codes) == [mapped.layer.drop_code for mapped in layers]
    pools = [mapped for mapped in layers if mapped.pool > 1]
    words = [ceil(mapped.positions[1] / mapped.pool) * mapped.groups for mapped in pools]
    assert mapping.pool_words == max([0, *words])


def test_auto_unrolls_what_fits_the_window():
    channels = WINDOW_BITS // 9 // 4
    for planes, method in ((4, Method.UNROLLED), (5, Method.TAPS)):
        nodes = [Layer("a", channels, Window(1), planes=planes), Layer("b", 1, Window(3)), HEAD]
        mapping = mapping_of(1, (1, 3, 3), nodes, (64, 16, 0), "auto")
        assert [entry.method for entry in mapping.layers] == [Method.UNROLLED, method, Method.DENSE]


def refused(shape, nodes, **given):
    with pytest.raises(UserError) as caught:
        NetworkMapping(random_graph_network(1, shape, nodes), ArrayShape(), **given)
    return str(caught.value)


def test_an_unknown_mapping_is_refused():
    text = refused((4,), [HEAD], convolution="flat")
    assert text == "convolution: must be auto, unrolled or taps, not 'flat'"


@pytest.mark.parametrize(
    ("shape", "nodes", "name"),
    [
        (*GRAPHS["resnet, projections"], "stem"),
        ((1, 4, 4), [Layer("a", 2, Window(1)), SumPool("b"), HEAD], "b"),
        ((1, 9, 9), [Layer("a", 2, Window(1)), MaxPool("b"), MaxPool("c"), HEAD], "c"),
        (*GRAPHS["strides and rests"], "d"),
    ],
)
def test_what_is_no_chain_is_refused(shape, nodes, name):
    assert refused(shape, nodes) == (
        "random1: the accelerator takes a chain of dense layers, convolutions and max pooling so "
        f"far, which {name!r} does not fit; give a network of such layers"
    )


def test_predictions_at_every_position_are_refused():
    head = Layer("head", 3, Window(2), output=Kind.LOGITS)
    for shape in ((2, 4, 4), (2, 2, 2)):
        assert refused(shape, [head]) == (
            "random1: the accelerator gives one prediction an image, not one at each position; end "
            "the network with a dense layer"
        )
