# SPDX-License-Identifier: Apache-2.0
"""A design that does not fit: which blocks take what, and what is suggested instead."""

import dataclasses

import pytest
from fpga_fakes import netlist

from networks import random_network
from scaledrop.array_shape import ArrayShape
from scaledrop_flow.fpga.advice import Built, does_not_fit, estimate, suggest
from scaledrop_flow.fpga.blocks import BLOCKS, CELLS, BlockUse, Scaling, block_uses
from scaledrop_flow.fpga.boards import BOARDS
from scaledrop_flow.fpga.usage import Resource, Usage

NETWORK = random_network(1, (20, 16, 4))
CORE = "demonstrator.system.accelerator.core."


def blocks(*uses):
    """Blocks of (name, scaling, full_only, logic, flip-flops, block memories)."""
    return [
        BlockUse(name, scaling, full_only, logic, 0, flops, memories)
        for name, scaling, full_only, logic, flops, memories in uses
    ]


FULL = blocks(
    ("crossbar cells", CELLS, False, 8000, 4000, 0),
    ("event counters", Scaling(), True, 3000, 2000, 0),
    ("scales and thresholds", Scaling(lanes=True), False, 1600, 160, 0),
    ("weight memory", CELLS, False, 400, 300, 64),
    ("sequencer", Scaling(), False, 1000, 100, 3),
)


def built(uses=FULL, array=None, small=False, used=(14000, 6560, 67, 0), board="icebreaker"):
    capacity = BOARDS[board].capacity
    have = (capacity.lut4, capacity.flipflops, capacity.block_memories, capacity.multipliers)
    names = ("LUT4", "flip-flops", "block memories", "multipliers")
    usage = Usage(tuple(map(Resource, names, used, have)))
    return Built(BOARDS[board], NETWORK, array or ArrayShape(64, 16), small, usage, uses)


def test_cells_are_counted_by_block():
    cells = {
        f"{CORE}sums.crossbar.array.total_LUT4_Z_1": "LUT4",
        f"{CORE}sums.crossbar.array.total_CCU2C_S0": "CCU2C",
        f"{CORE}sums.crossbar.array.total_TRELLIS_FF_Q": "TRELLIS_FF",
        f"{CORE}sums.crossbar.weights.data_TRELLIS_DPR16X4_DO": "TRELLIS_DPR16X4",
        f"{CORE}sums.crossbar.weights.data_DP16KD_DOA": "DP16KD",
        f"{CORE}outputs.head.product_MULT18X18D_P": "MULT18X18D",
        f"{CORE}outputs.head.product_LUT4_Z": "LUT4",
        "demonstrator.system.accelerator.counters.events_LUT4_Z": "LUT4",
        "demonstrator.receiver.timer_LUT4_Z": "LUT4",
        "clock.gsr": "SGSR",
    }
    found = {use.name: use for use in block_uses(netlist(cells), "top")}
    assert {name: (use.lut4, use.flipflops) for name, use in found.items()} == {
        "weight memory": (4, 0),
        "crossbar cells": (3, 1),
        "head": (1, 0),
        "event counters": (1, 0),
        "serial link, source of bits": (1, 0),
    }
    assert (found["head"].multipliers, found["weight memory"].block_memories) == (1, 1)
    assert next(iter(found)) == "weight memory"


def test_every_cell_has_a_block():
    assert BLOCKS[-1].prefix == ""


def test_an_estimate_by_hand():
    """Cells in proportion, what is fixed stays, memories from the width of a tile."""
    found = estimate(built(), ArrayShape(32, 8), small=False)
    # Cells 8000 / 4, weights 400 / 4, lanes 1600 / 2, counters and sequencer as they are.
    assert found.needs["LUT4"] == 2000 + 100 + 800 + 3000 + 1000
    assert found.needs["flip-flops"] == 1000 + 75 + 80 + 2000 + 100
    # A word of 256 bits takes 16 memories of 16; three more are the sequencer's.
    assert found.needs["block memories"] == 16 + 3
    small = estimate(built(), ArrayShape(32, 8), small=True)
    assert small.needs["LUT4"] == found.needs["LUT4"] - 3000


def test_packing_is_in_the_estimate():
    """nextpnr found a quarter more than the cells say."""
    packed = built(used=(17500, 6560, 67, 0))
    assert estimate(packed, ArrayShape(64, 16), small=False).needs["LUT4"] == 17500


def test_the_largest_that_fits_is_suggested():
    found = suggest(built())
    assert (found.array.rows, found.array.columns, found.small) == (32, 2, False)
    assert found.fits(BOARDS["icebreaker"])
    for shape in ((32, 4), (16, 4), (64, 2)):
        assert not estimate(built(), ArrayShape(*shape), small=False).fits(BOARDS["icebreaker"])


def test_the_message():
    assert does_not_fit(built()) == (
        "rows * columns: 64 x 16 takes 14,000 LUT4, 2.7 times the 5,280, 6,560 flip-flops, "
        "124% of the 5,280 and 67 block memories, 2.2 times the 30 of icebreaker (LUT4: crossbar "
        "cells 57%, event counters 21%, scales and thresholds 11%); an array of 32 x 2 is expected "
        "to take about 4,725 LUT4, 2,389 flip-flops and 7 block memories "
        "(run with --rows 32 --columns 2)"
    )


def test_the_small_form_where_no_array_helps():
    heavy = [dataclasses.replace(use) for use in FULL]
    heavy[1].logic = 6000
    assert does_not_fit(built(heavy, used=(17000, 6560, 67, 0))).endswith(
        "an array of 32 x 8 in the small form is expected to take about 3,900 LUT4, 1,255 "
        "flip-flops and 19 block memories (run with --rows 32 --columns 8 --form small)"
    )


@pytest.mark.parametrize(
    ("small", "end"),
    [
        (
            False,
            "no smaller array is expected to fit as it is: run with --form small, which leaves out "
            "event counters, monitors and records and narrows the rest",
        ),
        (
            True,
            "no smaller array is expected to fit: use a network with narrower layers, "
            "--datapath folded, or a larger board",
        ),
    ],
)
def test_nothing_helps(small, end):
    heavy = [dataclasses.replace(use) for use in FULL]
    heavy[-1].logic = 6000
    one = built(heavy, used=(19000, 6560, 67, 0), small=small)
    assert suggest(one) is None
    assert does_not_fit(one).endswith(f"; {end}")


@pytest.mark.parametrize(("used", "over"), [(5280, ()), (5281, ("LUT4",))])
def test_a_full_device_is_not_over(used, over):
    assert tuple(one.name for one in built(used=(used, 0, 30, 8)).usage.over) == over


def test_deep_memories_take_more_of_them():
    """272 tiles of 16 bits are more than the 256 words of one memory."""
    deep = dataclasses.replace(built(), network=random_network(1, (64, 64, 4)))
    assert estimate(deep, ArrayShape(4, 4), small=False).needs["block memories"] == 2 + 3
