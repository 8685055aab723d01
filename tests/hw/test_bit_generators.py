# SPDX-License-Identifier: Apache-2.0
"""Stand-ins for the magnetic device: one word a write pulse, the same as their twins."""

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib.wiring import connect
from simulate import play, play_then_reset, simulate
from wrong_parameters import refusal

from scaledrop.lfsr import lfsr_words
from scaledrop.randomness import assess
from scaledrop_hw.bit_generators import LfsrSource, RingSource
from scaledrop_hw.dropout import DropoutController, SpinTiming
from scaledrop_hw.export import verilog_text
from scaledrop_hw.ring_oscillator import RingOscillators


def test_wrong_parameters():
    message = "seed must be an integer from 0 to 2147483647, not -1"
    assert refusal(LfsrSource, {"seed": 3}, {"seed": -1}) == message
    message = "family must be one of ice40, ecp5 or None, not 'xilinx'"
    assert refusal(RingSource, {"family": None}, {"family": "xilinx"}) == message
    message = "rings must be an integer from 1 to 16, not 0"
    assert refusal(RingOscillators, {"family": "ecp5"}, {"rings": 0}) == message


def test_parameters_read_back():
    assert LfsrSource(seed=3).seed == 3
    source = RingSource(family="ice40", rings=5)
    assert (source.family, source.rings) == ("ice40", 5)
    rings = RingOscillators(family="ecp5", rings=5)
    assert [rings.stages(ring) for ring in range(5)] == [3, 5, 7, 9, 3]


def pulses(source, codes, rng, longest=3):
    """Sensed state after each reset and write of random lengths, at random pauses."""
    rows = []
    for code in codes:
        for name, least in (("reset", 1), ("pause", 0), ("write", 1), ("read", 1), ("pause", 0)):
            rows += [(name, code)] * int(rng.integers(least, longest + 1))
    spin = source.spin
    inputs = [spin.reset, spin.write, spin.read, spin.drive]
    stimulus = [(name == "reset", name == "write", name == "read", code) for name, code in rows]
    seen = play(source, inputs, stimulus, [spin.sense])
    names = [name for name, _ in rows]
    ends = [
        at
        for at, name in enumerate(names)
        if name == "read" and (at + 1 == len(names) or names[at + 1] != "read")
    ]
    return [seen[at][0] for at in ends]


@pytest.mark.parametrize("seed", [0, 1, 2**31 - 1])
def test_the_twin_draws_the_same(seed):
    rng = np.random.default_rng(seed)
    codes = [*rng.integers(0, 65536, 300).tolist(), 0, 65535, 0, 65535]
    source = LfsrSource(seed=seed)
    assert pulses(source, codes, rng) == source.twin(codes)


def test_a_code_of_0_never_switches():
    assert not any(LfsrSource(seed=2).twin([0] * 1000))


def test_bits_of_the_controller_are_those_of_the_words():
    codes = [20_000, 40_000, 5_000]
    dut, source = DropoutController(layers=3, timing=SpinTiming()), LfsrSource(seed=4)
    expected = (lfsr_words(4, 60).astype(int) >= np.array(codes * 20)).astype(int).tolist()
    found = []

    both = Module()
    both.submodules += [dut, source]
    connect(both, dut.spin, source.spin)

    async def run(ctx):
        ctx.set(dut.bits.ready, 1)
        for at in range(60):
            ctx.set(dut.request.payload, at % 3)
            ctx.set(dut.request.valid, 1)
            await ctx.tick().until(dut.request.ready)
            ctx.set(dut.request.valid, 0)
            ctx.set(dut.code, codes[at % 3])
            *_, bit = await ctx.tick().sample(dut.bits.payload).until(dut.bits.valid)
            found.append(bit)

    simulate(both, run)
    assert found == expected


def test_reset_begins_the_words_anew():
    source = LfsrSource(seed=6)
    spin = source.spin
    inputs = [spin.reset, spin.write, spin.read, spin.drive]
    first, after = play_then_reset(source, inputs, [[0, 1, 0, 65535], [0] * 4] * 5, [spin.sense])
    assert first == after == [[0]] * 2


def test_rings_of_a_simulation_make_bits_that_pass():
    source = RingSource(family=None)
    rng = np.random.default_rng(0)
    found = pulses(source, [20_000] * 1500, rng, longest=1)
    assert assess(np.array(found, dtype=np.uint8), 20_000 / 65536).passed


def test_a_ring_source_of_a_simulation_is_the_same_every_time():
    once = [pulses(RingSource(family=None), [30_000] * 50, np.random.default_rng(1)) for _ in "ab"]
    assert once[0] == once[1] and 0 < sum(once[0]) < 50


@pytest.mark.parametrize(("family", "cell"), [("ice40", "SB_LUT4"), ("ecp5", "LUT4")])
def test_rings_are_made_of_the_cells_of_a_family(family, cell):
    text = verilog_text(RingOscillators(family=family, rings=4), "rings")
    assert text.count(f"  {cell} #(") == 3 + 5 + 7 + 9
    assert text.count("16'h5555") == 24
    assert text.count("(* keep = ") >= 24
    # Every inverter of a ring is driven by the one before it, the first one by the last.
    ports = {"ice40": (".I0", ".O"), "ecp5": (".A", ".Z")}[family]
    for before, after in ((2, 0), (0, 1), (1, 2)):
        assert f"{ports[0]}(ring_0_{before})" in text
        assert f"{ports[1]}(ring_0_{after})" in text
