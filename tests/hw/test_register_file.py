# SPDX-License-Identifier: Apache-2.0
"""Register file: every kind of register against plain integers, cycle by cycle."""

import numpy as np
import pytest
from simulate import plain, play_then_reset, simulate
from wrong_parameters import refusal

from scaledrop.device_sizes import DeviceSizes, Memory, MemoryShape
from scaledrop.register_types import Access, Field, Keeper, Register, RegisterMap
from scaledrop.registers import register_map
from scaledrop_hw.register_file import RegisterFile

RO, RW, W1C, WO = Access.RO, Access.RW, Access.W1C, Access.WO


def fields(*rows):
    return tuple(Field(name, offset, width, name, reset) for name, offset, width, reset in rows)


KINDS = RegisterMap(
    (
        Register("FIXED", 0, RO, "", fields(("v", 4, 20, 0xABCDE)), Keeper.CONSTANT),
        Register("LIVE", 4, RO, "", fields(("a", 0, 4, 0), ("b", 9, 8, 0)), Keeper.CORE),
        Register("PLAIN", 8, RW, "", fields(("x", 0, 8, 3), ("y", 12, 12, 0))),
        Register("HELD", 12, RW, "", fields(("v", 0, 16, 1)), locked=True),
        Register("MOVED", 16, RW, "", fields(("v", 0, 24, 0)), updated=True),
        Register("STICKY", 20, W1C, "", fields(("p", 0, 1, 0), ("q", 3, 9, 0))),
        Register("KEPT", 24, W1C, "", fields(("v", 0, 5, 0)), Keeper.CORE),
        Register("GO", 28, WO, "", fields(("v", 2, 10, 0))),
        Register(
            *("LIST", 32, RW, "", fields(("v", 8, 8, 0)), Keeper.FILE, True, False, 4, 3, "one"),
            resets=(0x100, 0x200, 0xFF00),
        ),
        Register("BLIND", 48, RO, "", fields(("v", 0, 32, 0)), Keeper.WINDOW),
        Register("WINDOW", 64, RW, "", fields(("v", 0, 32, 0)), Keeper.WINDOW, room=2, count=2),
    ),
    7,
)
ALL = (1 << 32) - 1


def made():
    return RegisterFile(registers=KINDS)


def test_wrong_parameters():
    message = refusal(RegisterFile, {"registers": KINDS}, {"registers": 3})
    assert message == "registers must be a RegisterMap, not 3"


def test_parameters_read_back():
    assert made().registers is KINDS


async def access(ctx, dut, address, data=None, strobe=15):
    """One access at a byte address, in one cycle; a read without ``data``. Gives (word, error)."""
    bus = dut.bus
    ctx.set(bus.valid, 1)
    ctx.set(bus.write, int(data is not None))
    ctx.set(bus.address, address >> 2)
    ctx.set(bus.data, data or 0)
    ctx.set(bus.strobe, strobe)
    _, _, ready, word, error = await ctx.tick().sample(bus.ready, bus.word, bus.error)
    assert ready
    ctx.set(bus.valid, 0)
    return word, error


def ports_of(ctx, dut):
    """Words that the members of the kept registers stand for."""
    words = {}
    for name in ("PLAIN", "HELD", "MOVED", "LIST"):
        register = KINDS[name]
        for index in range(register.count):
            port = getattr(dut, name.lower())
            values = plain(ctx.get(port[index] if register.is_array else port))
            words[name, index] = register.encode(**values)
    return words


def test_random_writes_with_strobes_and_lock():
    dut, rng = made(), np.random.default_rng(1)

    async def host(ctx):
        words = {
            (name, index): KINDS[name].reset(index)
            for name in ("PLAIN", "HELD", "MOVED", "LIST")
            for index in range(KINDS[name].count)
        }
        assert ports_of(ctx, dut) == words
        for _ in range(1500):
            name, index = list(words)[rng.integers(len(words))]
            register, locked = KINDS[name], int(rng.integers(2))
            data, strobe = int(rng.integers(1 << 32)), int(rng.integers(16))
            ctx.set(dut.locked, locked)
            _, error = await access(ctx, dut, register.address(index), data, strobe)
            assert error == (register.locked and locked)
            if not error:
                inside = sum(field.mask for field in register.fields)
                new = RegisterFile.twin(RW, words[name, index], data, strobe)
                words[name, index] = new & inside
            assert ports_of(ctx, dut) == words
            assert await access(ctx, dut, register.address(index)) == (words[name, index], 0)

    simulate(dut, host)


def test_only_what_is_mapped_answers_and_only_what_can_be_written_is():
    dut = made()

    async def host(ctx):
        for address in range(0, 1 << KINDS.address_bits, 4):
            found = KINDS.at(address)
            if found and found[0].keeper is Keeper.WINDOW:
                continue
            assert await access(ctx, dut, address + 3) == (
                found[0].reset(found[1]) if found else 0,
                int(found is None),
            )
            _, error = await access(ctx, dut, address, 0)
            assert error == (found is None or found[0].access is RO)

    simulate(dut, host)


def test_refused_is_a_pulse_and_reads_are_never_refused():
    dut = made()

    async def host(ctx):
        ctx.set(dut.locked, 1)
        for address in (KINDS["HELD"].offset, KINDS["PLAIN"].offset):
            await access(ctx, dut, address, 5)
            await access(ctx, dut, address)

    rows = simulate(dut, host, watch=[dut.refused, dut.bus.error])
    assert rows == [[1, 1], [0, 0], [0, 0], [0, 0]]


def test_live_bits_are_read_as_they_are():
    dut = made()

    async def host(ctx):
        ctx.set(dut.live, {"a": 9, "b": 0x81})
        ctx.set(dut.kept, {"v": 0x13})
        assert await access(ctx, dut, KINDS["LIVE"].offset) == (9 | 0x81 << 9, 0)
        assert await access(ctx, dut, KINDS["KEPT"].offset) == (0x13, 0)

    simulate(dut, host)


def test_no_event_is_lost_while_it_is_cleared():
    dut, rng = made(), np.random.default_rng(2)
    register = KINDS["STICKY"]

    async def host(ctx):
        word = 0
        for _ in range(600):
            events = {"p": int(rng.random() < 0.2), "q": int(rng.integers(512) & rng.integers(512))}
            ctx.set(dut.sticky_set, events)
            clear, strobe = int(rng.integers(1 << 32)), int(rng.integers(16))
            found, _ = await access(ctx, dut, register.offset, clear, strobe)
            assert found == word
            word = RegisterFile.twin(W1C, word, clear, strobe, register.encode(**events))
            assert register.encode(**plain(ctx.get(dut.sticky))) == word

    simulate(dut, host)


@pytest.mark.parametrize(
    ("name", "port"), [("KEPT", "kept_clear"), ("STICKY", "sticky_clear"), ("GO", "go")]
)
def test_pulses_last_one_cycle_and_heed_strobes(name, port):
    dut = made()
    register, signal = KINDS[name], getattr(dut, port)

    async def host(ctx):
        await access(ctx, dut, register.offset, ALL)
        await access(ctx, dut, register.offset)
        await access(ctx, dut, register.offset, ALL, 0b1110)
        await access(ctx, dut, register.offset, 0)
        ctx.set(dut.bus.data, ALL)
        await ctx.tick().repeat(2)

    rows = [register.encode(**row[0]) for row in simulate(dut, host, watch=[signal])]
    inside = sum(field.mask for field in register.fields)
    assert rows == [inside, 0, inside & 0xFFFFFF00, 0, 0, 0]


def test_the_hardware_moves_a_register_unless_the_bus_writes_it():
    dut, at = made(), KINDS["MOVED"].offset

    async def host(ctx):
        ctx.set(dut.moved_next, {"v": 77})
        await access(ctx, dut, at, 5)
        assert await access(ctx, dut, at) == (5, 0)
        ctx.set(dut.moved_update, 1)
        await ctx.tick()
        assert await access(ctx, dut, at) == (77, 0)
        await access(ctx, dut, at, 6)
        ctx.set(dut.moved_update, 0)
        assert await access(ctx, dut, at) == (6, 0)

    simulate(dut, host)


def test_a_window_answers_in_its_own_time():
    dut = made()
    window, bus, at = dut.window, dut.bus, KINDS["WINDOW"].address(1)

    async def host(ctx):
        for signal, value in ((bus.write, 1), (bus.data, 0x1234), (bus.strobe, 5)):
            ctx.set(signal, value)
        ctx.set(bus.address, at >> 2)
        ctx.set(window.word, 99)
        ctx.set(window.error, 1)
        for valid, ready in ((0, 0), (1, 0), (1, 0), (1, 1), (0, 1)):
            ctx.set(bus.valid, valid)
            ctx.set(window.ready, ready)
            await ctx.tick()

    watch = [window.valid, bus.ready, bus.error, bus.word]
    watch += [window.write, window.index, window.data, window.strobe, dut.blind.valid]
    rows = simulate(dut, host, watch=watch)
    assert [row[:2] for row in rows] == [[0, 0], [1, 0], [1, 0], [1, 1], [0, 1]]
    assert all(row[2:] == [1, 99, 1, 1, 0x1234, 5, 0] for row in rows)


def test_a_window_that_is_read_only_is_never_written():
    dut = made()

    async def host(ctx):
        assert await access(ctx, dut, KINDS["BLIND"].offset, 1) == (0, 1)

    assert simulate(dut, host, watch=[dut.blind.valid]) == [[0]]


def test_reset_values_of_the_accelerator():
    sizes = DeviceSizes(
        layers=3,
        classes=10,
        drive_codes=(7, 65535, 0),
        memories={Memory.SCALES: MemoryShape(300, 4)},
        digest="0123456789abcdef" * 4,
    )
    registers = register_map(sizes)
    dut = RegisterFile(registers=registers)

    async def host(ctx):
        for register in registers:
            if register.keeper is not Keeper.WINDOW:
                for index in range(register.count):
                    word = register.reset(index)
                    assert await access(ctx, dut, register.address(index)) == (word, 0)

    simulate(dut, host)


def test_after_reset():
    dut = made()
    inputs = [dut.bus.valid, dut.bus.write, dut.bus.address, dut.bus.data, dut.bus.strobe]
    inputs += [dut.sticky_set.p]
    stimulus = [[1, 1, word, ALL, 15, 1] for word in range(12)]
    outputs = [dut.plain, dut.list, dut.moved, dut.sticky]
    first, after = play_then_reset(dut, inputs, stimulus, outputs)
    assert first == after
    assert first[0][0] == {"x": 3, "y": 0}
    assert first[0][1] == [{"v": 1}, {"v": 2}, {"v": 0xFF}]
