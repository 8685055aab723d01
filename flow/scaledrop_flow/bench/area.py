# SPDX-License-Identifier: Apache-2.0
"""Area and clock of one tile with its accumulators, on two FPGA families."""

from __future__ import annotations

import random
from collections.abc import Sequence

from amaranth.back import verilog
from amaranth.hdl import Cat, Module, Signal

from scaledrop.errors import UserError
from scaledrop.numbers import signed_width, sum_bound
from scaledrop_flow.bench.entry import Entry, entry
from scaledrop_flow.synthesis.cells import OPTIONS, Netlist, synthesize
from scaledrop_flow.synthesis.place import place_and_route
from scaledrop_hw.accumulator import AccumulatorAdder
from scaledrop_hw.baked_array import BakedArray
from scaledrop_hw.crossbar import CellArray

__all__ = ["area_benchmarks", "baked_verilog", "tile_verilog"]

FAN_IN, PLANES = 784, 8
SEEDS = (1, 2, 3, 4, 5)


def tile_verilog(rows: int, columns: int, fan_in: int, planes: int) -> str:
    """Module ``top``: cells and accumulators of one tile, one activation a cycle.

    In place of the weights' memory stands the register of its output, ``word``.
    """
    array = CellArray(rows=rows, columns=columns)
    m = Module()
    weights = Signal(rows * columns, name="weights")
    word = Signal(rows * columns, name="word", reset_less=True)
    with m.If(array.enable):
        m.d.sync += word.eq(weights)
    m.d.comb += array.word.eq(word)
    return _with_accumulators(m, array, fan_in, planes, [weights])


def baked_verilog(
    rows: int, columns: int, fan_in: int, planes: int, lines: str, seed: int = 0
) -> str:
    """The same of a tile with random weights in its logic."""
    word = random.Random(seed).getrandbits(rows * columns)
    array = BakedArray(rows=rows, columns=columns, word=word, lines=lines)
    return _with_accumulators(Module(), array, fan_in, planes, [])


def _with_accumulators(
    m: Module, array: CellArray | BakedArray, fan_in: int, planes: int, more: list[Signal]
) -> str:
    """A register takes the totals; ``step`` holds start, ends_plane and last of the activation."""
    partial_width = array.rows.bit_length() + 1
    adder = AccumulatorAdder(
        columns=array.columns,
        partial_width=partial_width,
        plane_width=max(signed_width(fan_in), partial_width),
        sum_width=max(signed_width(sum_bound(fan_in, planes)), partial_width),
    )
    m.submodules.array, m.submodules.adder = array, adder
    step = Signal(3, name="step")
    tags = [Signal(3, name=f"tag_{stage}") for stage in range(array.LATENCY)]
    totals = Signal(len(adder.totals.as_value()), name="totals", reset_less=True)
    with m.If(array.enable):
        m.d.sync += Cat(*tags).eq(Cat(step, *tags))
    m.d.sync += totals.eq(adder.totals)
    m.d.comb += [
        array.start.eq(step[0]),
        adder.enable.eq(array.enable & tags[-1][0]),
        Cat(adder.ends_plane, adder.last).eq(tags[-1][1:]),
        adder.partials.eq(array.partials),
    ]
    ports = [array.enable, array.drive, array.sign, array.driven, step, *more, totals]
    return str(verilog.convert(m, name="top", ports=ports, emit_src=False))


def _tiles() -> dict[str, tuple[str, str]]:
    """Name of a tile to its Verilog and what it is."""
    memory = "cells and accumulators, without the memory"
    planes = "random weights in the logic, bit planes, and accumulators"
    signs = "random weights in the logic, inputs of +-1, and accumulators"
    return {
        "tile64x16": (tile_verilog(64, 16, FAN_IN, PLANES), memory),
        "tile64x16_baked": (baked_verilog(64, 16, FAN_IN, PLANES, "planes"), planes),
        "tile64x16_baked_signs": (baked_verilog(64, 16, FAN_IN, PLANES, "signs"), signs),
        "tile16x4": (tile_verilog(16, 4, FAN_IN, PLANES), memory),
    }


def _lut4(name: str, what: str, netlist: Netlist) -> Entry:
    counts = netlist.counts
    options = " ".join([f"synth_{counts.family}", *OPTIONS[counts.family]])
    note = (
        f"{what}; {netlist.yosys}, {options}; "
        f"{counts.carry} carry cells, {counts.flipflops} flip-flops"
    )
    return entry(f"{name}_{counts.family}_lut4", counts.lut4, "LUT4", note)


def _mhz(name: str, netlist: Netlist, seeds: Sequence[int]) -> Entry:
    routed = place_and_route(netlist, seeds)
    note = (
        f"LFE5U-25F, speed grade 6; median of seeds {', '.join(map(str, seeds))}, "
        f"best less worst {routed.spread:.1f}; {routed.lut4} LUTs when packed"
    )
    return entry(f"{name}_ecp5_mhz", routed.median, "MHz", note)


def _tile(name: str, text: str, what: str, seeds: Sequence[int]) -> list[Entry]:
    netlists = {family: synthesize(text, family, options=OPTIONS[family]) for family in OPTIONS}
    entries = [_lut4(name, what, netlist) for netlist in netlists.values()]
    try:
        return [*entries, _mhz(name, netlists["ecp5"], seeds)]
    except UserError as missing:
        entries[-1]["note"] += f"; {name}_ecp5_mhz skipped: {missing}"
        return entries


def area_benchmarks(seeds: Sequence[int] = SEEDS) -> list[Entry]:
    """LUTs after mapping on both families, and the clock after placing and routing on ECP5.

    Without nextpnr the clock is left out, and the note of the entry before it says so.

    Raises:
        UserError: no Yosys.
    """
    tiles = _tiles().items()
    return [one for name, (text, what) in tiles for one in _tile(name, text, what, seeds)]
