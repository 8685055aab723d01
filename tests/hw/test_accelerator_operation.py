# SPDX-License-Identifier: Apache-2.0
"""The accelerator in the hands of a host: broken images, other modes, aborts, other networks."""

from dataclasses import replace

import pytest
from accelerator_cases import SMALL, Setup, workload_of
from amaranth.hdl import ResetInserter, Signal
from amaranth.sim import Simulator
from simulate import send, take

from scaledrop.device_sizes import Memory
from scaledrop.frozen import Head, Threshold
from scaledrop.images import stream_order
from scaledrop.mapping import NetworkMapping
from scaledrop.monitors import MonitorFlag
from scaledrop.walk import Mode
from scaledrop_cosim.amaranth_bench import run
from scaledrop_cosim.amaranth_parts import SpinUnit
from scaledrop_cosim.backends.integer import IntegerBackend
from scaledrop_hw.accelerator import Accelerator

PASSES, SHARED, EXACT = Mode


def framed(pixels):
    """Pixels of an image, the last one marked."""
    last = len(pixels) - 1
    return [{"value": value, "last": at == last} for at, value in enumerate(pixels)]


@pytest.mark.parametrize("convolution", ["unrolled", "taps"])
def test_broken_images_are_dropped_and_reported(convolution):
    """One ends too early, one does not end in time and goes on for a while."""
    setup = Setup(replace(SMALL, mode=SHARED, convolution=convolution))
    dut, counts = setup.dut, []

    async def prepare(ctx):
        await send(ctx, dut.pixels, [*framed([1] * 31), *framed([2] * 37)])
        ctx.set(dut.monitor_select, MonitorFlag.IMAGE_MISFRAMED)
        await ctx.tick().repeat(2)
        counts.append(ctx.get(dut.monitor_count))

    seen = setup.observation(prepare=prepare)
    assert counts == [2] and seen.monitors == 1 << MonitorFlag.IMAGE_MISFRAMED
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


@pytest.mark.parametrize("way", ["abort", "reset"])
@pytest.mark.parametrize("before", [1, 24, 41, 57, 90, 160])
def test_an_end_at_any_moment_leaves_no_trace(way, before):
    """Noise, an abort or a reset, and then a workload with a device that never switches."""
    setup, reset = Setup(replace(SMALL, mode=SHARED, p=0.0, images=1)), Signal()
    dut = setup.dut
    end = dut.abort if way == "abort" else reset

    async def prepare(ctx):
        ctx.set(dut.pixels.valid, 1)
        for cycle in range(before):
            ctx.set(dut.pixels.payload, {"value": 5, "last": cycle % 32 == 31})
            await ctx.tick()
        ctx.set(dut.pixels.valid, 0)
        ctx.set(end, 1)
        await ctx.tick()
        ctx.set(end, 0)

    capture = run(ResetInserter(reset)(dut), setup.workload, prepare=prepare)
    names = list(capture.results)
    rows = zip(*(capture.results[name].tolist() for name in names), strict=True)
    assert_results([dict(zip(names, row, strict=True)) for row in rows], setup.workload)
    assert capture.monitors == 0


class Loader:
    """A host that reads every memory of an accelerator, or loads it."""

    def __init__(self, dut):
        self.host, self.words = dut.host, {}
        self.places = [
            (memory, address, part)
            for memory, shape in dut.sizes.memories.items()
            for address in range(shape.words)
            for part in range(shape.parts)
        ]

    async def access(self, ctx, place, write, data=0):
        names = ("memory", "address", "part", "write", "data")
        for name, value in zip(names, (*place, write, data), strict=True):
            ctx.set(getattr(self.host, name), int(value))
        ctx.set(self.host.valid, 1)
        await ctx.tick().until(self.host.ready)
        ctx.set(self.host.valid, 0)

    async def read(self, ctx):
        for place in self.places:
            await self.access(ctx, place, 0)
            assert ctx.get(self.host.reply_valid)
            self.words[place] = ctx.get(self.host.word)

    async def load(self, ctx, words):
        for place, word in words.items():
            await self.access(ctx, place, 1, word)


def turned(layer):
    """A layer of the same widths: channels in the opposite order, weights of the other sign."""
    output = layer.output
    if isinstance(output, Threshold):
        output = Threshold(output.threshold[::-1], 1 - output.flip[::-1])
    else:
        bits = output.gain_bits, output.gain_frac_bits
        output = Head(output.gain[::-1], output.offset[::-1], *bits)
    return replace(layer, weights=1 - layer.weights, scale=layer.scale[::-1], output=output)


def turned_mapping(mapping):
    network = mapping.network
    nodes = [turned(node) if node in network.layers else node for node in network.nodes]
    return NetworkMapping(replace(network, nodes=tuple(nodes)), mapping.array, mapping.convolution)


@pytest.mark.parametrize("datapath", ["reference", "folded"])
@pytest.mark.parametrize("convolution", ["unrolled", "taps"])
def test_what_a_host_loads_takes_the_place_of_what_is_built_in(datapath, convolution):
    case = replace(SMALL, datapath=datapath, convolution=convolution, mode=SHARED, images=1)
    source, setup = Setup(case), Setup(case)
    original = Loader(source.dut)
    source.check(source.observation(prepare=original.read))
    setup.dut = Accelerator(
        mapping=turned_mapping(setup.mapping), max_passes=case.passes, datapath=datapath
    )
    copy = Loader(setup.dut)
    assert copy.places == original.places
    expected = set(Memory) - ({Memory.SCALES} if datapath == "folded" else set())
    assert {memory for memory, _, _ in copy.places} == expected

    async def load(ctx):
        await copy.read(ctx)
        before = dict(copy.words)
        await copy.load(ctx, original.words)
        await copy.read(ctx)
        assert copy.words == original.words != before

    setup.check(setup.observation(prepare=load))
