# SPDX-License-Identifier: Apache-2.0
"""Health of the bits in hardware: the alarms of the twin, one cycle after each bit."""

import numpy as np
import pytest
from amaranth.hdl import ResetInserter, Signal
from simulate import play, simulate
from wrong_parameters import refusal

from scaledrop.health import HealthLimits, find_alarms, limits_of
from scaledrop.spin import uniform_words
from scaledrop_hw.bit_health import BitHealth, limits_layout

GOOD = {"layers": 2, "window": 8, "run_bits": 4}
QUIET = dict.fromkeys(HealthLimits._fields, 0)
NOTHING = HealthLimits(0, 0, 0, 8, 0, 7)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"layers": 0}, "number of layers must be an integer from 1 to 1024, not 0"),
        ({"window": 1}, "window must be an integer from 2 to 4096, not 1"),
        ({"window": 4097}, "window must be an integer from 2 to 4096, not 4097"),
        ({"run_bits": 0}, "run_bits must be an integer from 1 to 20, not 0"),
        ({"run_bits": 21}, "run_bits must be an integer from 1 to 20, not 21"),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(BitHealth, GOOD, wrong) == message


def test_parameters_read_back():
    dut = BitHealth(**GOOD)
    assert (dut.layers, dut.window, dut.run_bits) == (2, 8, 4)
    assert (BitHealth(layers=1).window, BitHealth(layers=1).run_bits) == (1024, 16)


@pytest.mark.parametrize("code", [0, 1, 32768, 65535])
@pytest.mark.parametrize("window", [2, 1000, 1024])
def test_every_limit_fits_its_field(code, window):
    limits = limits_of(code, window=window, alpha_bits=2, run_bits=16)._asdict()
    constant = limits_layout(window, 16).const(limits)
    assert {name: constant[name] for name in limits} == limits


def run(dut, limits, bits, wrap=lambda dut: dut, extra=()):
    """Play (valid, layer, keep, restart, *extra) rows; returns alarms and their layer."""
    table = [each._asdict() for each in limits]
    before = [0, *(row[1] for row in bits)]
    stimulus = [(*row, table[layer]) for row, layer in zip(bits, before, strict=False)]
    inputs = [dut.valid, dut.layer, dut.keep, dut.restart, *extra, dut.limits]
    return play(wrap(dut), inputs, stimulus, [dut.alarms, dut.alarm_layer])


def expect(dut, limits, bits):
    """The rows of ``run``, by the twin."""
    twin, rows = dut.twin(limits), [[QUIET, 0]]
    for valid, layer, keep, restart in bits:
        if restart:
            twin.restart()
        rows.append([twin.step(layer, keep)._asdict() if valid else QUIET, layer])
    return rows[:-1]


def random_bits(rng, codes, count, idle, restart):
    """Bits of random layers, each in stretches, drawn with its code; some cycles are idle."""
    layer = 0
    for _ in range(count):
        layer = int(rng.integers(len(codes))) if rng.random() < 0.3 else layer
        keep = int(rng.integers(65536) >= codes[layer])
        yield int(rng.random() >= idle), layer, keep, int(rng.random() < restart)


@pytest.mark.parametrize(
    ("codes", "window", "run_bits", "count"),
    [
        ([32768], 2, 2, 1500),
        ([9830, 50000], 16, 5, 4000),
        ([0, 3000, 65535, 32768, 20000], 33, 16, 6000),
    ],
)
@pytest.mark.parametrize(("idle", "restart"), [(0.0, 0.0), (0.5, 0.002)])
def test_alarms_are_those_of_the_twin(codes, window, run_bits, count, idle, restart):
    rng = np.random.default_rng(window)
    dut = BitHealth(layers=len(codes), window=window, run_bits=run_bits)
    limits = [limits_of(code, alpha_bits=2, window=window, run_bits=run_bits) for code in codes]
    bits = list(random_bits(rng, codes, count, idle, restart))
    rows = run(dut, limits, bits)
    assert rows == expect(dut, limits, bits)
    raised = {name for alarms, _ in rows for name in alarms if alarms[name]}
    assert raised >= {"run_kept", "run_dropped"} and (window < 16 or len(raised) == 6)


def test_twenty_thousand_healthy_bits_raise_no_alarm():
    """As the programmed limits promise: the chance of one here is below 2e-5."""
    dut, code = BitHealth(layers=1), 9830
    keeps = (uniform_words(2, 20_000) >= code).astype(int)

    async def drive(ctx):
        ctx.set(dut.limits, limits_of(code)._asdict())
        ctx.set(dut.valid, 1)
        for keep in keeps.tolist():
            ctx.set(dut.keep, keep)
            await ctx.tick()

    rows = simulate(dut, drive, watch=[dut.alarms.as_value()])
    assert len(rows) == 20_000 and not any(alarms for (alarms,) in rows)
    assert not find_alarms(keeps, limits_of(code), dut.window).any()


@pytest.mark.parametrize("keep", [0, 1])
def test_a_run_alarms_one_cycle_after_its_cutoff_and_as_long_as_it_goes_on(keep):
    dut = BitHealth(**GOOD)
    limits = NOTHING._replace(run_kept=5, run_dropped=5)
    bits = [(1, 0, 1 - keep, 0), *[(1, 0, keep, 0), (1, 1, 1 - keep, 0), (0, 0, 0, 0)] * 20]
    rows = run(dut, [limits, NOTHING], bits)
    name = "run_kept" if keep else "run_dropped"
    found = [at for at, (alarms, _) in enumerate(rows) if alarms[name]]
    assert found == [1 + 3 * index + 1 for index in range(4, 20)]
    assert all(rows[at] == [{**QUIET, name: 1}, 0] for at in found)


def test_a_count_alarms_one_cycle_after_the_last_bit_of_its_window():
    dut = BitHealth(**GOOD)
    bits = [(1, 0, keep, 0) for keep in [1] * 8 + [0, 1] * 4 + [1] * 8 + [0] * 8]
    rows = run(dut, [HealthLimits(0, 0, 1, 7, 1, 6)] * 2, [*bits, (0, 0, 0, 0)])
    found = {at: sorted(n for n, up in alarms.items() if up) for at, (alarms, _) in enumerate(rows)}
    assert {at: names for at, names in found.items() if names} == {
        8: ["drops_low", "equal_high"],
        16: ["equal_low"],
        24: ["drops_low", "equal_high"],
        32: ["drops_high", "equal_high"],
    }


def test_reset_forgets_every_bit():
    """The memory keeps its words; they must not be believed."""
    dut, reset = BitHealth(layers=1, window=8, run_bits=4), Signal()
    limits = [NOTHING._replace(run_kept=4)]
    bits = [(1, 0, 1, 0, at in (0, 6)) for at in range(12)]
    rows = run(dut, limits, bits, wrap=ResetInserter(reset), extra=[reset])
    assert [alarms["run_kept"] for alarms, _ in rows] == [0] * 5 + [1, 1, 0, 0, 0, 0, 1]


def test_a_restart_forgets_what_came_before_its_cycle():
    dut = BitHealth(layers=1, window=8, run_bits=4)
    bits = [(1, 0, 1, int(at == 6)) for at in range(12)]
    rows = run(dut, [NOTHING._replace(run_kept=4)], bits)
    assert [alarms["run_kept"] for alarms, _ in rows] == [0] * 4 + [1, 1, 1, 0, 0, 0, 1, 1]
