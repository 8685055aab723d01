# SPDX-License-Identifier: Apache-2.0
"""Serial bridge: every command on buses at any pace, and what it does when bytes go wrong."""

import numpy as np
import pytest
from serial_world import (
    BROKEN,
    REFUSED_ADDRESS,
    SILENCE,
    SerialWorld,
    hello,
    pixels,
    read,
    reset,
    take,
    write,
)
from wrong_parameters import refusal

from scaledrop.driver.protocol import Opcode, Status, checked
from scaledrop_hw.serial_bridge import SerialBridge

GOOD = {"buffer": 64, "quiet": 256, "pixel_bits": 32, "source": 1}
OKAY, BUSY, REFUSED = Status.OKAY, Status.BUSY, Status.REFUSED


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"buffer": 48}, "buffer must be a power of two, not 48"),
        ({"buffer": 8}, "buffer must be an integer from 16 to 4096, not 8"),
        ({"quiet": 32}, "quiet must be an integer from 64 to 1073741824, not 32"),
        ({"quiet": 100}, "quiet must be a power of two, not 100"),
        ({"pixel_bits": 24}, "pixel_bits must be 8, 16 or 32, not 24"),
        ({"source": 256}, "source must be an integer from 0 to 255, not 256"),
    ],
)
def test_wrong_parameters(wrong, message):
    assert refusal(SerialBridge, GOOD, wrong) == message


def test_parameters_read_back():
    dut = SerialBridge(**GOOD)
    assert {name: getattr(dut, name) for name in GOOD} == GOOD
    assert dut.hello == 0x5D010106
    assert SerialBridge(buffer=0, quiet=64).hello == 0x5D010000


def run(items, answers, world=None, **changes):
    world = world or SerialWorld()
    return world.run(SerialBridge(**{**GOOD, **changes}), items, answers), world


@pytest.mark.parametrize("slow", [0.0, 0.7])
def test_reads_and_writes(slow):
    rng = np.random.default_rng(3)
    world = SerialWorld(slow=slow)
    commands, expected, memory = [], [], {}
    for _ in range(40):
        address, word = int(rng.integers(0, 8)) * 0x124, int(rng.integers(0, 1 << 32))
        if rng.random() < 0.5:
            commands.append(write(address, word))
            memory[address] = word
            expected.append((OKAY, None))
        else:
            commands.append(read(address))
            expected.append((OKAY, memory.get(address, 0)))
    answers = []
    for at in range(0, 40, 5):
        # Not more at once than the buffer holds.
        answers += run(commands[at : at + 5], 5, world)[0]
    assert [status for status, _ in answers] == [OKAY] * 40
    reads = [(a[1], e[1]) for a, e in zip(answers, expected, strict=True) if e[1] is not None]
    assert all(found == wanted for found, wanted in reads)
    assert world.memory == memory and not world.breaches


def test_a_bus_error_is_passed_on():
    answers, world = run([read(REFUSED_ADDRESS), write(REFUSED_ADDRESS, 7), read(0)], 3)
    assert [status for status, _ in answers] == [Status.SLVERR, Status.SLVERR, OKAY]
    assert world.deaf == 0


@pytest.mark.parametrize("pixel_bits", [8, 16, 32])
@pytest.mark.parametrize("slow", [0.0, 0.5])
def test_pixels(pixel_bits, slow):
    size = pixel_bits // 8
    image = bytes(range(1, 19))
    parts = [image[at : at + 4] for at in range(0, 18, 4)]
    items = [pixels(part, last=at == 4) for at, part in enumerate(parts)]
    world = SerialWorld()
    answers, _ = run(items, 5, world, pixel_bits=pixel_bits)
    assert [status for status, _ in answers] == [OKAY] * 5
    wanted = [image[at : at + size] for at in range(0, 18, size)]
    assert world.pixels == [(part, at == len(wanted) - 1) for at, part in enumerate(wanted)]


def test_the_gate_of_pixels_stays_shut():
    class Late(SerialWorld):
        def _buses(self, ctx, dut, response):
            super()._buses(ctx, dut, response)
            self.cycle = getattr(self, "cycle", 0) + 1
            if self.cycle == 150:
                self.room = 9

    world = Late(room=1)
    items = [pixels(b"abcd"), pixels(b"efgh"), pixels(b"ijkl"), pixels(b"mnop")]
    items += [pixels(b"efgh", first=True), pixels(b"ijkl")]
    answers, _ = run(items, 6, world)
    assert [status for status, _ in answers] == [OKAY, BUSY, BUSY, BUSY, OKAY, OKAY]
    assert [data for data, _ in world.pixels] == [b"abcd", b"efgh", b"ijkl"]


def test_results_end_with_a_frame_until_the_next_is_asked_for():
    world = SerialWorld(results=[(1, 0), (2, 0), (3, 1), (4, 0), (5, 1)])
    items = [take(True), take(), take(), take(), take(), take(True), take(), take(True)]
    answers, _ = run(items, 8, world)
    assert [status for status, _ in answers] == [
        OKAY,
        OKAY,
        Status.LAST,
        BUSY,
        BUSY,
        OKAY,
        Status.LAST,
        BUSY,
    ]
    assert [word for status, word in answers if status is not BUSY] == [1, 2, 3, 4, 5]


def test_hello_says_what_it_is_and_reset_restarts():
    answers, world = run([hello(), reset(), hello()], 3)
    assert answers == [(OKAY, 0x5D010106)] * 3
    assert world.restarts == 1


@pytest.mark.parametrize(
    "noise",
    [
        [0x00],
        [0xFF, 0x37],
        [Opcode.READ, 1],
        [checked(bytes([0x70]))],
        [checked(bytes([0x00]))],
        [write(8, 9)[:-1] + b"\x00"],
        [write(8, 9)[:3]],
        [BROKEN],
        [BROKEN, 0x10],
    ],
)
def test_what_is_no_command_is_refused_once_and_forgotten_after_silence(noise):
    items = [*noise, read(4), read(4), SILENCE, write(4, 5), read(4)]
    answers, world = run(items, 3)
    assert answers[0][0] is REFUSED
    assert answers[1:] == [(OKAY, answers[1][1]), (OKAY, 5)]
    assert world.writes == [(4, 5)]
    assert world.deaf > 0


@pytest.mark.parametrize("length", range(1, 8))
def test_a_command_that_does_not_go_on_is_forgotten(length):
    answers, world = run([write(8, 9)[:length], SILENCE, write(4, 5)], 1)
    assert [status for status, _ in answers] == [OKAY]
    assert world.writes == [(4, 5)]


def test_a_turned_bit_is_always_noticed():
    items = []
    for turned in range(64):
        command = bytearray(write(8, 0x12345678))
        command[turned // 8] ^= 1 << turned % 8
        items += [bytes(command), SILENCE]
    answers, world = run([*items, hello()], 1, quiet=64)
    # A longer command than was meant is not refused but forgotten.
    assert {status for status, _ in answers[:-1]} == {REFUSED}
    assert answers[-1] == (OKAY, 0x5D010106)
    assert world.writes == []


def test_more_than_the_buffer_holds_is_noticed():
    answers, _ = run([*[read(4)] * 60, SILENCE, hello()], 3, buffer=16)
    statuses = [status for status, _ in answers]
    assert 4 < len(statuses) < 60
    assert statuses == [OKAY] * (len(statuses) - 2) + [REFUSED, OKAY]


def test_without_a_buffer_one_command_at_a_time():
    pause = [SILENCE]
    items = [write(4, 5), *pause, read(4), *pause, take(True)]
    answers, _ = run(items, 3, SerialWorld(results=[(6, 1)]), buffer=0, quiet=64)
    assert answers[1:] == [(OKAY, 5), (Status.LAST, 6)]
    answers, world = run([read(4), read(4), SILENCE, hello()], 2, buffer=0, quiet=64)
    assert [status for status, _ in answers] == [OKAY, OKAY]
    assert world.deaf == 0
