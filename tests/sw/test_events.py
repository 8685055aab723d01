# SPDX-License-Identifier: Apache-2.0
"""Predicted events against counting loops: one visit, position, activation and row at a time."""

from collections import Counter
from itertools import product

import numpy as np
import pytest

from chains import METHODS, SEEDS, mapping_of, random_mapping
from networks import random_images
from scaledrop.events import Event, columns_loaded, predict_events
from scaledrop.graph import Kind, Layer, Window
from scaledrop.layer_mapping import Method
from scaledrop.walk import Inference, Mode, walk

MODES = [Inference(Mode.PASSES, 3), Inference(Mode.SHARED, 5), Inference(Mode.EXACT, masks=3)]
HEAD = Layer("head", 3, output=Kind.LOGITS)


def walks_of(mapping, inference, images, rng):
    codes = mapping.drop_codes
    bits = rng.integers(0, 2, (images, 5 * len(codes)))
    return [list(walk(inference, codes, row.tolist())) for row in bits]


def rows_driven(mapped, pixels):
    """Word lines of every activation of one column tile, summed over one visit."""
    values = pixels.reshape(mapped.source.shape) if mapped.reads_image else None
    planes = range(mapped.layer.planes)
    if mapped.layer.window is None:
        places = np.ndindex(*mapped.source.shape)
    else:
        (channels, height, width), window = mapped.source.shape, mapped.window
        corners = [
            [at * window.stride - window.padding for at in range(count)]
            for count in mapped.positions
        ]
        kernel = range(window.size)
        places = [
            (channel, top + ky, left + kx)
            for top, left, ky, kx in product(*corners, kernel, kernel)
            for channel in range(channels)
            if 0 <= top + ky < height and 0 <= left + kx < width
        ]
    pairs = product(places, planes)
    return sum(1 if values is None else int(values[at]) >> plane & 1 for at, plane in pairs)


def columns_under(mapped):
    """Columns that each row of windows lies over, whether in the map or in its padding."""
    starts = [at * mapped.window.stride for at in range(mapped.positions[1])]
    return len({start + kx for start in starts for kx in range(mapped.window.size)})


def activations(mapped):
    """Columns in use, and whether it is the first of its sum, of every activation of a visit."""
    for _ in range(mapped.position_count):
        for tile in range(mapped.column_tiles):
            for step in range(mapped.layer.planes * mapped.taps * mapped.row_tiles):
                yield mapped.columns_used(tile), step == 0


def count_visit(mapped, visit, pixels, folded):
    """Events of one visit."""
    counts, outcomes = Counter(), (visit.kept > 0) + (visit.dropped > 0)
    for columns, first in activations(mapped):
        counts[Event.ACTIVATIONS] += 1
        counts[Event.CONVERSIONS] += columns
        counts[Event.ADDITIONS] += 0 if first else columns
        counts[Event.BUFFER_READS] += mapped.method is not Method.UNROLLED
    counts[Event.ROW_DRIVES] += rows_driven(mapped, pixels) * mapped.column_tiles
    if mapped.method is Method.UNROLLED:
        counts[Event.BUFFER_READS] += columns_under(mapped) * mapped.positions[0]
    for y, x in np.ndindex(*mapped.positions):
        for first in range(0, mapped.layer.out_features, mapped.array.lanes):
            channels = min(mapped.array.lanes, mapped.layer.out_features - first)
            if visit.kept and not folded:
                counts[Event.SCALE_READS] += 1
                counts[Event.MULTIPLIES] += channels
            if mapped.is_head:
                counts[Event.LOGIT_MACS] += channels * outcomes
                continue
            counts[Event.COMPARISONS] += channels * outcomes * mapped.levels
            whole = (y + 1) % mapped.pool == (x + 1) % mapped.pool == 0
            counts[Event.BUFFER_WRITES] += whole * outcomes
    for event in (Event.SPIN_RESETS, Event.SPIN_WRITES, Event.SPIN_READS):
        counts[event] += len(visit.bits)
    return counts


def check(mapping, inference, seed, folded):
    rng = np.random.default_rng(seed)
    images = random_images(seed, mapping.network, 2)
    walks = walks_of(mapping, inference, len(images), rng)
    known, totals = {}, [Counter() for _ in mapping.layers]
    for image, visits in enumerate(walks):
        for visit in visits:
            key = image, visit.layer, visit.kept > 0, visit.dropped > 0, visit.bits
            if key not in known:
                mapped = mapping.layers[visit.layer]
                known[key] = count_visit(mapped, visit, images[image], folded)
            totals[visit.layer] += known[key]
    totals[0][Event.PIXELS] = sum(image.size for image in images)
    totals[-1][Event.RESULTS] = len(images) * mapping.network.classes
    found = predict_events(mapping, images, walks, None, folded)
    assert list(found) == [mapped.layer.name for mapped in mapping.layers]
    events = [event for event in Event if event not in (Event.CYCLES, Event.WAITING)]
    for counts, total in zip(found.values(), totals, strict=True):
        assert counts == {str(event): total[event] for event in events}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", SEEDS)
def test_predicted_events_are_the_counted_ones(seed, method):
    check(random_mapping(seed, method), MODES[seed % 3], seed, folded=seed % 2 == 1)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("inference", MODES)
def test_every_mode(inference, method):
    check(random_mapping(6, method), inference, 6, folded=False)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("window", [Window(2, 3), Window(3, 1, 2), Window(3, 4, 2), Window(1, 2)])
def test_strides_and_padding(window, method):
    nodes = [Layer("conv", 3, window), HEAD]
    check(mapping_of(1, (2, 5, 6), nodes, (4, 4, 2), method), MODES[0], 1, folded=False)


def test_columns_of_a_window_in_words():
    nodes = [Layer("conv", 3, Window(3, 2, 1)), HEAD]
    mapped = mapping_of(1, (2, 5, 7), nodes, (4, 4, 2), "unrolled").layers[0]
    assert mapped.positions == (3, 4) and columns_loaded(mapped) == [3, 2, 2, 2] * 3


def test_cycles_come_from_the_schedule():
    mapping = random_mapping(4, "taps")
    walks = walks_of(mapping, MODES[0], 1, np.random.default_rng(0))
    cycles = {
        mapped.layer.name: {"cycles": 7 + mapped.index, "waiting": 3} for mapped in mapping.layers
    }
    images = random_images(0, mapping.network, 1)
    found = predict_events(mapping, images, walks, cycles)
    without = predict_events(mapping, images, walks, None)
    for name, counts in found.items():
        assert counts == cycles[name] | without[name]
        assert set(counts) == {str(event) for event in Event}
