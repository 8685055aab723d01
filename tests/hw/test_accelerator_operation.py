# SPDX-License-Identifier: Apache-2.0
"""The accelerator in use: broken images, another mode for each image, a reset at any moment."""

from dataclasses import replace

import pytest
from accelerator_cases import SMALL, Setup, workload_of
from amaranth.hdl import ResetInserter, Signal
from amaranth.sim import Simulator
from simulate import send, take

from scaledrop.images import stream_order
from scaledrop.monitors import MonitorFlag
from scaledrop.walk import Mode
from scaledrop_cosim.amaranth_bench import run
from scaledrop_cosim.amaranth_parts import SpinUnit
from scaledrop_cosim.backends.integer import IntegerBackend

PASSES, SHARED, EXACT = Mode


def framed(pixels):
    """Pixels of an image, the last one marked."""
    last = len(pixels) - 1
    return [{"value": value, "last": at == last} for at, value in enumerate(pixels)]


@pytest.mark.parametrize("convolution", ["unrolled", "taps"])
def test_broken_images_are_dropped_and_reported(convolution):
    """One ends too early, one does not end in time and goes on for a while; all their pixels are
    counted as taken."""
    setup = Setup(replace(SMALL, mode=SHARED, convolution=convolution))
    dut, counts = setup.dut, []

    async def prepare(ctx):
        await send(ctx, dut.pixels, [*framed([1] * 31), *framed([2] * 37)])
        ctx.set(dut.monitor_select, MonitorFlag.IMAGE_MISFRAMED)
        await ctx.tick().repeat(2)
        counts.append(ctx.get(dut.monitor_count))

    seen = setup.observation(prepare=prepare)
    assert counts == [2] and seen.monitors == 1 << MonitorFlag.IMAGE_MISFRAMED
    first = next(iter(seen.counters.values()))
    first["pixels"] -= 31 + 37
    setup.check(replace(seen, monitors=0))


def assert_results(found, workload):
    """Results of all images, as a list of dicts."""
    expected = IntegerBackend().infer(workload).record
    columns = {"sum": expected.sums, "squares": expected.squares, "votes": expected.votes}
    for name, values in columns.items():
        assert [one[name] for one in found] == values.ravel().tolist()
    assert {one["covered"] for one in found} == {int(workload.weights.sum())}


def test_the_mode_may_change_between_images():
    setup = Setup(SMALL)
    dut, network, found = setup.dut, setup.mapping.network, []
    workloads = [
        workload_of(network, mode, replace(SMALL, images=1, masks=at), at)
        for at, mode in enumerate([SHARED, EXACT, PASSES, SHARED, PASSES, EXACT])
    ]
    spin = SpinUnit(dut.spin, [word for one in workloads for word in one.words.tolist()])
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)

    async def device(ctx):
        async for _, _, *values in ctx.tick().sample(*spin.watched):
            spin.cycle(ctx, *values)

    async def host(ctx):
        ctx.set(dut.drive_codes, list(workloads[0].codes))
        for one in workloads:
            ctx.set(dut.mode, list(Mode).index(one.inference.mode))
            ctx.set(dut.passes, one.passes)
            ctx.set(dut.cutoff, one.cutoff)
            (pixels,) = stream_order(one.images, network.input_shape).tolist()
            await send(ctx, dut.pixels, framed(pixels))
            found.append(await take(ctx, dut.results, network.classes))
            assert not ctx.get(dut.busy)

    simulator.add_testbench(host)
    simulator.add_process(device)
    simulator.run()
    assert spin.writes == len(spin.words)
    for one, results in zip(workloads, found, strict=True):
        assert_results(results, one)


@pytest.mark.parametrize("before", [1, 24, 41, 57, 90, 160])
def test_a_reset_at_any_moment_leaves_no_trace(before):
    """Noise, a reset, and then a workload with a device that never switches."""
    setup, reset = Setup(replace(SMALL, mode=SHARED, p=0.0, images=1)), Signal()
    dut = setup.dut

    async def prepare(ctx):
        ctx.set(dut.pixels.valid, 1)
        for cycle in range(before):
            ctx.set(dut.pixels.payload, {"value": 5, "last": cycle % 32 == 31})
            await ctx.tick()
        ctx.set(dut.pixels.valid, 0)
        ctx.set(reset, 1)
        await ctx.tick()
        ctx.set(reset, 0)

    capture = run(ResetInserter(reset)(dut), setup.workload, prepare=prepare)
    names = list(capture.results)
    rows = zip(*(capture.results[name].tolist() for name in names), strict=True)
    assert_results([dict(zip(names, row, strict=True)) for row in rows], setup.workload)
    assert capture.monitors == 0
