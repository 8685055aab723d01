# SPDX-License-Identifier: Apache-2.0
"""Serial line: every byte both ways, senders that are off, noise, and rates that cannot be made."""

import numpy as np
import pytest
from simulate import play, play_then_reset
from wrong_parameters import refusal

from scaledrop.errors import UserError
from scaledrop_hw.uart import UartReceiver, UartTransmitter, baud_divisor

BITS = UartTransmitter.twin


@pytest.mark.parametrize(
    ("clock_hz", "baud", "divisor"),
    [(12_000_000, 115_200, 104), (25_000_000, 1_000_000, 25), (4_000_000, 1_000_000, 4)],
)
def test_the_nearest_divisor(clock_hz, baud, divisor):
    assert baud_divisor(clock_hz, baud) == divisor


@pytest.mark.parametrize(
    ("clock_hz", "baud", "message"),
    [
        (
            12_000_000,
            4_000_000,
            "baud must be from 184 to 3000000 with a clock of 12000000 Hz, not 4000000",
        ),
        (
            12_000_000,
            100,
            "baud must be from 184 to 3000000 with a clock of 12000000 Hz, not 100",
        ),
        (
            12_000_000,
            921_600,
            None,
        ),
        (
            12_000_000,
            2_700_000,
            "baud 2700000 cannot be made of a clock of 12000000 Hz: 4 cycles a bit give 3000000, "
            "more than 2 % off; ask for 3000000",
        ),
        (0, 115_200, "clock_hz must be an integer from 1 to 10000000000, not 0"),
        (12_000_000, 0, "baud must be an integer from 1 to 1000000000, not 0"),
    ],
)
def test_a_rate_that_cannot_be_made(clock_hz, baud, message):
    if message is None:
        assert baud_divisor(clock_hz, baud) == 13
        return
    with pytest.raises(UserError) as caught:
        baud_divisor(clock_hz, baud)
    assert str(caught.value) == message


@pytest.mark.parametrize("part", [UartReceiver, UartTransmitter])
def test_parameters(part):
    assert refusal(part, {"divisor": 4}, {"divisor": 3}) == (
        "divisor must be an integer from 4 to 65535, not 3"
    )
    assert part(divisor=9).divisor == 9


def samples(values, bit_cycles, gap=0.0, phase=0.0):
    """The line in each cycle when bits take ``bit_cycles``, which need not be a whole number."""
    line = [1] * 3
    bits = [bit for value in values for bit in [*BITS(value), *[1] * round(gap)]]
    cycles = int(len(bits) * bit_cycles)
    line += [bits[min(int((at + phase) / bit_cycles), len(bits) - 1)] for at in range(cycles)]
    return line + [1] * round(12 * bit_cycles)


def heard(line, divisor):
    dut = UartReceiver(divisor=divisor)
    rows = play(dut, [dut.rx], [[bit] for bit in line], [dut.valid, dut.byte, dut.broken])
    return [byte for valid, byte, _ in rows if valid], sum(row[2] for row in rows)


@pytest.mark.parametrize("divisor", [4, 5, 7])
def test_every_byte_is_heard_without_a_pause(divisor):
    values = np.random.default_rng(divisor).permutation(256).tolist()
    assert heard(samples(values, divisor), divisor) == (values, 0)


@pytest.mark.parametrize(("divisor", "off"), [(4, 0.02), (16, 0.04), (26, 0.045)])
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_sender_may_be_off(divisor, off, sign):
    values = np.random.default_rng(divisor).integers(0, 256, 40).tolist()
    for phase in (0.0, 0.5):
        line = samples(values, divisor * (1 + sign * off), phase=phase)
        assert heard(line, divisor) == (values, 0)


def test_a_sender_that_is_further_off_is_not_understood():
    values = [0x00, 0xFF] * 10
    assert heard(samples(values, 16 * 1.09), 16) != (values, 0)


def test_a_short_pulse_is_no_start_bit():
    assert heard([1, 1, 0, 0, 1, *samples([0x5A], 8)], 8) == ([0x5A], 0)


def test_a_break_is_no_byte_and_the_next_one_is_heard():
    line = [1] * 3 + [0] * 200 + [1] * 12 + samples([0xA5], 8)
    assert heard(line, 8) == ([0xA5], 1)


def sent(values, divisor, idle):
    dut = UartTransmitter(divisor=divisor)
    rng, waiting, line = np.random.default_rng(0), list(values), []
    cycles = (10 * divisor + idle) * len(values) + 30

    async def run(ctx):
        while len(line) < cycles:
            offer = bool(waiting) and (not idle or rng.random() < 1 / idle)
            ctx.set(dut.bytes.valid, offer)
            if offer:
                ctx.set(dut.bytes.payload, waiting[0])
            ready = ctx.get(dut.bytes.ready)
            line.append(ctx.get(dut.tx))
            await ctx.tick()
            if offer and ready:
                waiting.pop(0)

    from simulate import simulate

    simulate(dut, run)
    return line


@pytest.mark.parametrize("divisor", [4, 9])
def test_every_byte_is_sent_without_a_pause(divisor):
    values = list(range(256))
    line = sent(values, divisor, 0)
    start = line.index(0)
    bits = [bit for value in values for bit in BITS(value)]
    assert start == 1
    assert line[start:][: len(bits) * divisor] == [bit for bit in bits for _ in range(divisor)]
    assert set(line[start + len(bits) * divisor :]) == {1}


@pytest.mark.parametrize("idle", [0, 20])
def test_what_is_sent_is_heard(idle):
    values = np.random.default_rng(1).integers(0, 256, 30).tolist()
    assert heard(sent(values, 6, idle), 6) == (values, 0)


def test_at_rest_after_reset():
    dut = UartReceiver(divisor=4)
    first, after = play_then_reset(dut, [dut.rx], [[1]] * 4 + [[0]] * 7, [dut.valid, dut.broken])
    assert first == [[0, 0]] * 2
    dut = UartTransmitter(divisor=4)
    inputs = [dut.bytes.valid, dut.bytes.payload]
    first, after = play_then_reset(dut, inputs, [[1, 0x55]] * 7, [dut.tx, dut.bytes.ready])
    assert first == after == [[1, 1]] * 2
