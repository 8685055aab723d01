# SPDX-License-Identifier: Apache-2.0
"""Clock of a whole accelerator on ECP5, with both datapaths."""

from __future__ import annotations

from collections.abc import Sequence

from scaledrop.graph import Kind, Layer, MaxPool, Window
from scaledrop.mapping import ArrayShape, NetworkMapping
from scaledrop_flow.bench.entry import Entry, entry
from scaledrop_flow.fuzz.networks import random_graph_network
from scaledrop_flow.synthesis.cells import OPTIONS, synthesize
from scaledrop_flow.synthesis.place import place_and_route
from scaledrop_flow.synthesis.tools import has_tool
from scaledrop_hw.accelerator import Accelerator
from scaledrop_hw.datapath import DATAPATHS
from scaledrop_hw.export import verilog_text

__all__ = ["accelerator_verilog", "clock_benchmarks"]

ARRAY = ArrayShape(32, 8)
INPUT_SHAPE = (1, 10, 10)
NODES = (
    Layer("conv", 8, Window(3)),
    MaxPool("pool", 2),
    Layer("dense", 16),
    Layer("head", 10, output=Kind.LOGITS),
)
"""A convolution from a window, a pool, a dense layer and a head: everything, small."""
DEVICE = "85k"
SEEDS = (1, 2, 3)
NAMES = {"reference": "accelerator_ecp5_mhz", "folded": "accelerator_folded_ecp5_mhz"}


def accelerator_verilog(datapath: str) -> str:
    """Module ``top``: the accelerator of a random network on an array of 32 x 8, without a bus."""
    mapping = NetworkMapping(random_graph_network(1, INPUT_SHAPE, NODES), ARRAY)
    return str(verilog_text(Accelerator(mapping=mapping, datapath=datapath), "top"))


def _clock(datapath: str, seeds: Sequence[int]) -> Entry:
    netlist = synthesize(accelerator_verilog(datapath), "ecp5", options=OPTIONS["ecp5"])
    routed = place_and_route(netlist, seeds, device=DEVICE)
    slowest = routed.paths[routed.mhz.index(min(routed.mhz))]
    note = (
        f"{datapath}, array of {ARRAY.rows} x {ARRAY.columns}, convolution, pool, dense, head; "
        f"LFE5U-85F, speed grade 6; median of seeds {', '.join(map(str, seeds))}, "
        f"best less worst {routed.spread:.1f}; {routed.lut4} LUTs when packed; "
        f"slowest from {slowest.start} to {slowest.end}"
    )
    return entry(NAMES[datapath], routed.median, "MHz", note)


def clock_benchmarks(seeds: Sequence[int] = SEEDS) -> list[Entry]:
    """Clock after placing and routing, of both datapaths; nothing without nextpnr.

    Raises:
        UserError: no Yosys.
    """
    if not has_tool("nextpnr-ecp5"):
        return []
    return [_clock(datapath, seeds) for datapath in DATAPATHS]
