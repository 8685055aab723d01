# SPDX-License-Identifier: Apache-2.0
"""The bench in Amaranth's simulator: its parts, one by one, and what a hang looks like."""

import numpy as np
import pytest
from amaranth.hdl import Module, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from amaranth.sim import Simulator

from networks import random_images, random_network
from scaledrop.mapping import ArrayShape, NetworkMapping
from scaledrop_cosim.amaranth_bench import World, run
from scaledrop_cosim.amaranth_parts import Gaps, Offer, SpinUnit, Take, fields_of
from scaledrop_cosim.checker import check
from scaledrop_cosim.contract import Workload
from scaledrop_cosim.monitor import observe
from scaledrop_hw.accelerator import Accelerator
from scaledrop_hw.dropout import SpinSignature

NETWORK = random_network(3, (6, 5, 3), input_bits=2)
MAPPING = NetworkMapping(NETWORK, ArrayShape(4, 4, 2))


def workload(images=2, passes=2):
    return Workload(NETWORK, random_images(4, NETWORK, images), passes, seed=5)


def test_words_become_fields():
    layout = data.StructLayout(
        {"flag": 1, "small": signed(5), "wide": signed(70), "lanes": data.ArrayLayout(3, 2)}
    )
    rows = [
        {"flag": 1, "small": -16, "wide": -(1 << 69), "lanes": [5, 2]},
        {"flag": 0, "small": 15, "wide": (1 << 69) - 1, "lanes": [0, 7]},
    ]
    found = fields_of([layout.const(row).as_bits() for row in rows], layout)
    assert {name: values.tolist() for name, values in found.items()} == {
        name: [row[name] for row in rows] for name in rows[0]
    }
    assert (found["small"].dtype, found["wide"].dtype) == (np.int64, object)
    assert fields_of([], layout)["lanes"].shape == (0, 2)


def test_gaps_last_as_long_as_they_should():
    assert not any(Gaps(1, 0.0, 9)() for _ in range(100))
    gap = Gaps(1, 0.2, 4)
    text = "".join(".#"[gap()] for _ in range(4000))
    runs = [len(one) for one in text.strip("#").split(".") if one]
    assert all(length % 4 == 0 for length in runs)
    assert 0.4 < text.count("#") / len(text) < 0.6


def simulate(component, parts, cycles):
    simulator = Simulator(component)
    simulator.add_clock(1e-6)

    async def act(ctx):
        async for _, _, *values in ctx.tick().sample(*(one for p in parts for one in p.watched)):
            rest = iter(values)
            for part in parts:
                part.cycle(ctx, *[next(rest) for _ in part.watched])

    async def wait(ctx):
        await ctx.tick().repeat(cycles)

    simulator.add_process(act)
    simulator.add_testbench(wait)
    simulator.run()


class Wire(wiring.Component):
    """A stream from one end to the other."""

    def __init__(self):
        layout = data.StructLayout({"value": 4, "last": 1})
        super().__init__({"i": In(stream.Signature(layout)), "o": Out(stream.Signature(layout))})

    def elaborate(self, platform):
        m = Module()
        connect(m, flipped(self.i), flipped(self.o))
        m.d.sync += Signal(name="clocked").eq(1)
        return m


@pytest.mark.parametrize(("idle", "stall"), [(0, 0), (0.5, 0), (0, 0.5), (0.3, 0.3)])
def test_what_is_offered_is_taken_in_order(idle, stall):
    dut = Wire()
    payloads = [{"value": at, "last": at % 2} for at in range(10)]
    offer = Offer(dut.i, payloads[::-1], Gaps(1, idle, 2), begun=True)
    take = Take(dut.o, Gaps(2, stall, 3))
    simulate(dut, [offer, take], 12 if not idle + stall else 150)
    assert take.fields()["value"].tolist() == list(range(10))
    assert take.fields()["last"].tolist() == [0, 1] * 5


def test_nothing_is_offered_before_it_begins():
    dut = Wire()
    take = Take(dut.o, Gaps(2, 0, 1))
    simulate(dut, [Offer(dut.i, [{"value": 1, "last": 1}], Gaps(1, 0, 1)), take], 20)
    assert take.words == []


class Pulses(wiring.Component):
    """Plays (reset, write, drive) rows, and keeps what is sensed after each."""

    def __init__(self, rows):
        self.rows = rows
        super().__init__({"spin": Out(SpinSignature), "sensed": Out(len(rows))})

    def elaborate(self, platform):
        m = Module()
        at = Signal(range(len(self.rows) + 1))
        m.d.sync += at.eq(at + 1)
        with m.Switch(at):
            for index, (reset, write, drive) in enumerate(self.rows):
                with m.Case(index):
                    m.d.comb += [
                        self.spin.reset.eq(reset),
                        self.spin.write.eq(write),
                        self.spin.drive.eq(drive),
                    ]
        return m


def test_the_spin_unit_takes_one_word_a_pulse():
    rows = [(1, 0, 0), (0, 1, 500), (0, 1, 9000), (0, 0, 0), (0, 1, 500), (1, 0, 0), (0, 1, 1)]
    dut = Pulses(rows)
    spin = SpinUnit(dut.spin, [600, 499])
    states = []

    class Watch:
        watched = ()

        def cycle(self, ctx):
            states.append(spin.state)

    simulate(dut, [spin, Watch()], len(rows))
    assert states == [0, 0, 0, 0, 1, 0, 1]
    assert spin.writes == 3


@pytest.mark.parametrize("world", [World(), World(0.4, 0.4, 3), World(stall=0.2, records=True)])
def test_a_run_equals_the_model(world):
    dut, given = Accelerator(mapping=MAPPING), workload()
    capture = run(dut, given, world, limit=5000)
    timing = dut.pipeline_timing if world == World() else None
    report = check("RTL", given, observe(capture, given, MAPPING), MAPPING, timing)
    assert report.ok, str(report)
    leaves = sum(visit.layer == 1 for walk in given.walks for visit in walk)
    assert len(capture.records["value"]) == (leaves * NETWORK.classes if world.records else 0)


def test_the_first_pixel_waits_for_the_preparation():
    seen = []

    async def prepare(ctx):
        await ctx.tick().repeat(100)
        seen.append(ctx.get(dut.busy))

    dut = Accelerator(mapping=MAPPING)
    run(dut, workload(), prepare=prepare)
    assert seen == [0]


def test_a_hang_is_noticed():
    with pytest.raises(TimeoutError, match="no result after 60 cycles"):
        run(Accelerator(mapping=MAPPING), workload(), limit=60)
