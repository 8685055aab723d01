# SPDX-License-Identifier: Apache-2.0
"""Runs an accelerator in Amaranth's own simulator, with gaps and back-pressure as arguments."""

from scaledrop_cosim import amaranth_bench

__all__ = ["run"]


def run(dut, workload, idle=0.0, stall=0.0, limit=200_000, prepare=None):
    """Infer a workload; see :func:`scaledrop_cosim.amaranth_bench.run`."""
    world = amaranth_bench.World(idle, stall)
    return amaranth_bench.run(dut, workload, world, limit, prepare)
