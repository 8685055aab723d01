# SPDX-License-Identifier: Apache-2.0
"""Area of the folded datapath against the reference: all that is behind the sums."""

from __future__ import annotations

import warnings

from amaranth.back import verilog
from amaranth.hdl import UnusedElaboratable

from scaledrop.frozen import FrozenNetwork
from scaledrop.mapping import ArrayShape, NetworkMapping
from scaledrop_flow.bench.entry import Entry, entry
from scaledrop_flow.synthesis.cells import OPTIONS, CellCounts, synthesize
from scaledrop_hw.datapath import DATAPATHS
from scaledrop_hw.output_pipeline import OutputPipeline
from scaledrop_hw.sum_pipeline import SumPipeline

__all__ = ["datapath_benchmarks", "outputs_verilog"]

WEIGHT_BITS = 25


def outputs_verilog(network: FrozenNetwork, array: ArrayShape, datapath: str) -> str:
    """Module ``top``: scales, thresholds, head, pooling, store and records, with their memories."""
    mapping = NetworkMapping(network, array)
    sums = SumPipeline(mapping=mapping, weight_bits=WEIGHT_BITS)
    path = DATAPATHS[datapath](mapping=mapping, sum_width=sums.sum_width)
    outputs = OutputPipeline(sums=sums, datapath=path)
    return str(verilog.convert(outputs, name="top", emit_src=False))


def _of(counts: CellCounts, datapath: str, network: str) -> Entry:
    note = (
        f"{network}, {datapath}: all behind the sums; {counts.multipliers} multipliers, "
        f"{counts.memories} block memories, {counts.flipflops} flip-flops"
    )
    return entry(f"outputs_{datapath}_{counts.family}_lut4", counts.lut4, "LUT4", note)


def datapath_benchmarks(network: FrozenNetwork) -> list[Entry]:
    """LUTs of both datapaths on a 64 x 16 array, on both families, and their ratios.

    Raises:
        UserError: no Yosys.
    """
    warnings.simplefilter("ignore", UnusedElaboratable)  # the sums are there for their widths
    array, entries = ArrayShape(64, 16), []
    for family, options in OPTIONS.items():
        counts = {
            name: synthesize(outputs_verilog(network, array, name), family, options=options).counts
            for name in DATAPATHS
        }
        entries += [_of(one, name, network.name) for name, one in counts.items()]
        ratio = counts["folded"].lut4 / counts["reference"].lut4
        entries.append(
            entry(f"outputs_folded_vs_reference_{family}", ratio, "ratio", "LUT4, one run")
        )
    return entries
