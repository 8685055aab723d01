# SPDX-License-Identifier: Apache-2.0
"""Several tiles in the logic: each answers for itself, and carries what its layer promises."""

import random

import pytest
from simulate import play
from wrong_parameters import refusal

from networks import random_graph_network
from scaledrop.device_sizes import Memory
from scaledrop.graph import Kind, Layer, Window
from scaledrop.mapping import ArrayShape, NetworkMapping
from scaledrop_hw import baked_tile
from scaledrop_hw.accelerator import Accelerator
from scaledrop_hw.baked_tile import BakedTile, lines_of
from scaledrop_hw.crossbar import CrossbarTile
from scaledrop_hw.sum_pipeline import SumPipeline

GOOD = {"rows": 4, "columns": 2, "init": [0, 1], "lines": [("signs", 15), ("any", 3)]}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rows": 0}, "rows must be an integer from 1 to 1024, not 0"),
        ({"init": [], "lines": []}, "number of tiles must be an integer from 1 to 1048576, not 0"),
        ({"init": [0, 256]}, "tile[1] must be an integer from 0 to 255, not 256"),
        ({"lines": []}, "lines must hold 2 pairs, not 0"),
        ({"lines": [("none", 1)] * 2}, "lines must be one of signs, planes, any, not 'none'"),
        ({"lines": [("any", 16)] * 2}, "mask must be an integer from 1 to 15, not 16"),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(BakedTile, GOOD, wrong) == message


def test_parameters_read_back():
    tile = BakedTile(**GOOD)
    assert (tile.rows, tile.columns, tile.tiles, tile.lines) == (4, 2, 2, GOOD["lines"])
    assert BakedTile.LATENCY == CrossbarTile.LATENCY


def activation(rng, rows, lines, mask):
    """Drive and sign as the tile's lines promise them."""
    drive, sign = rng.getrandbits(rows) & mask, rng.getrandbits(rows)
    if lines == "signs":
        drive = rng.choice([0, mask, mask])
    return drive, sign | drive if lines == "planes" else sign


def compared(dut, words, steps):
    """(seen, expected) of every cycle in which something is expected."""
    steps = [*steps, *[(1, 0, 0, 0, 0)] * dut.LATENCY]
    inputs = [dut.enable, dut.start, dut.tile, dut.drive, dut.sign]
    seen = play(dut, inputs, steps, [dut.partials, dut.driven])
    stages, pairs = [None] * dut.LATENCY, []
    for (enable, start, tile, drive, sign), got in zip(steps, seen, strict=True):
        pairs.append((got, stages[-1]))
        if enable:
            driven = drive * start
            sums = dut.twin(words[tile], driven, sign, dut.rows, dut.columns)
            stages = [[sums, driven.bit_count()], *stages[:-1]]
    return [pair for pair in pairs if pair[1] is not None]


@pytest.mark.parametrize("most", [4, 1024])
@pytest.mark.parametrize(
    ("rows", "columns", "lines"),
    [
        (5, 2, [("planes", 31), ("signs", 31), ("any", 31), ("signs", 7), ("signs", 31)]),
        (3, 1, [("any", 7)]),
    ],
)
def test_every_tile_answers_for_itself(rows, columns, lines, most, monkeypatch):
    """Also where one array has no room for all tiles of a kind."""
    monkeypatch.setattr(baked_tile, "COLUMNS", most)
    rng = random.Random(rows)
    words = [rng.getrandbits(rows * columns) for _ in lines]
    dut = BakedTile(rows=rows, columns=columns, init=words, lines=lines)
    steps = []
    for _ in range(200):
        tile = rng.randrange(len(lines))
        flags = int(rng.random() < 0.7), int(rng.random() < 0.8)
        steps.append((*flags, tile, *activation(rng, rows, *lines[tile])))
    pairs = compared(dut, words, steps)
    assert len(pairs) > len(steps) // 2
    assert all(got == want for got, want in pairs)


def mapping_of(padding, convolution):
    nodes = [
        Layer("a", 3, Window(2, 1, 0)),
        Layer("b", 3, Window(2, 1, padding)),
        Layer("c", 2, output=Kind.LOGITS),
    ]
    network = random_graph_network(3, (1, 4, 4), nodes, 3)
    return NetworkMapping(network, ArrayShape(4, 2, 2), convolution)


@pytest.mark.parametrize(
    ("padding", "convolution", "inner"),
    [(0, "unrolled", "signs"), (1, "unrolled", "any"), (1, "taps", "signs")],
)
def test_lines_of_a_mapped_network(padding, convolution, inner):
    mapping = mapping_of(padding, convolution)
    found = [lines_of(mapped) for mapped in mapping.layers]
    assert [{lines for lines, _ in tiles} for tiles in found] == [{"planes"}, {inner}, {"signs"}]
    for mapped, tiles in zip(mapping.layers, found, strict=True):
        assert len(tiles) == len(mapped.tile_words())
        used = sum(mask.bit_count() for _, mask in tiles)
        assert used == mapped.layer.in_features * mapped.column_tiles


def test_what_a_host_reaches():
    mapping = mapping_of(0, "unrolled")
    loaded, baked = (
        Accelerator(mapping=mapping, weights=weights) for weights in ("memory", "baked")
    )
    assert set(loaded.contents) - set(baked.contents) == {Memory.WEIGHTS}
    assert (loaded.weights, baked.weights) == ("memory", "baked")
    assert loaded.pipeline_timing == baked.pipeline_timing
    wrong = {"weights": "rom"}
    message = "weights must be one of memory, baked, not 'rom'"
    assert refusal(SumPipeline, {"mapping": mapping, "weight_bits": 25}, wrong) == message
