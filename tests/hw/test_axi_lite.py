# SPDX-License-Identifier: Apache-2.0
"""AXI4-Lite slave: every order and pace of the channels, rules of the protocol, exact timing."""

import numpy as np
import pytest
from amaranth.hdl import Cat
from handshakes import check_held, transfers
from simulate import play_then_reset, simulate
from wrong_parameters import refusal

from scaledrop_hw.axi_lite import OKAY, SLVERR, AxiLiteSlave

BITS = 8


def made():
    return AxiLiteSlave(address_bits=BITS)


@pytest.mark.parametrize("bits", [2, 33])
def test_wrong_parameters(bits):
    message = f"address_bits must be an integer from 3 to 32, not {bits}"
    assert refusal(AxiLiteSlave, {"address_bits": 3}, {"address_bits": bits}) == message


def test_parameters_read_back():
    assert made().address_bits == BITS


async def offer(ctx, dut, name, payloads, rng, idle):
    """Drive a request channel; payloads are dicts of its signals."""
    valid, ready = (getattr(dut.axi, f"{name}{end}") for end in ("valid", "ready"))
    for payload in payloads:
        while rng.random() < idle:
            await ctx.tick()
        for field, value in payload.items():
            ctx.set(getattr(dut.axi, field), value)
        ctx.set(valid, 1)
        await ctx.tick().until(ready)
        ctx.set(valid, 0)


async def accept(ctx, dut, name, count, rng, stall):
    """Take ``count`` responses."""
    valid, ready = (getattr(dut.axi, f"{name}{end}") for end in ("valid", "ready"))
    while count:
        ctx.set(ready, int(rng.random() >= stall))
        _, _, *shaken = await ctx.tick().sample(valid, ready)
        count -= all(shaken)
    ctx.set(ready, 0)


def answer(address):
    """What the bus of the bench reads at a word address, and whether it refuses."""
    return address * 0x01010101 ^ 0x5A, address % 5 == 3


async def serve(ctx, dut, count, rng, wait):
    """Answer ``count`` accesses on the bus, each after a random wait."""
    while count:
        ctx.set(dut.bus.ready, 0)
        if ctx.get(dut.bus.valid) and rng.random() >= wait:
            word, error = answer(ctx.get(dut.bus.address))
            ctx.set(dut.bus.word, word)
            ctx.set(dut.bus.error, int(error))
            ctx.set(dut.bus.ready, 1)
            count -= 1
        await ctx.tick()
    ctx.set(dut.bus.ready, 0)


def channel(dut, name, *payload):
    """Signals of a channel for the record: valid, ready, payload."""
    axi = dut.axi
    fields = Cat(getattr(axi, field) for field in payload)
    return [getattr(axi, f"{name}valid"), getattr(axi, f"{name}ready"), fields]


def run(dut, writes, reads, seed=0, idle=0.0, stall=0.0, wait=0.0):
    """Make the accesses; returns the rows (valid, ready, payload) of every channel by name."""
    pace = np.random.default_rng(seed).spawn(6)
    requests = {
        "aw": [{"awaddr": address, "awprot": 5} for address, _, _ in writes],
        "w": [{"wdata": word, "wstrb": strobe} for _, word, strobe in writes],
        "ar": [{"araddr": address, "arprot": 2} for address in reads],
    }
    answers = {"b": len(writes), "r": len(reads)}

    def job(function, *arguments):
        rng = pace.pop()

        async def testbench(ctx):
            await function(ctx, dut, *arguments[:-1], rng, arguments[-1])

        return testbench

    jobs = [job(offer, name, payloads, idle) for name, payloads in requests.items()]
    jobs += [job(accept, name, count, stall) for name, count in answers.items()]
    jobs.append(job(serve, len(writes) + len(reads), wait))
    bus = dut.bus
    written = Cat(bus.strobe, bus.data) & bus.write.replicate(36)
    watched = {
        "bus": [bus.valid, bus.ready, Cat(bus.address, written, bus.write)],
        "aw": channel(dut, "aw", "awaddr"),
        "w": channel(dut, "w", "wdata"),
        "ar": channel(dut, "ar", "araddr"),
        "b": channel(dut, "b", "bresp"),
        "r": channel(dut, "r", "rdata", "rresp"),
    }
    rows = simulate(
        dut, *jobs, watch=[signal for signals in watched.values() for signal in signals]
    )
    return {name: [row[3 * at :][:3] for row in rows] for at, name in enumerate(watched)}


def random_accesses(rng, count):
    """``count`` writes (address, word, strobe) and as many read addresses."""
    addresses = rng.integers(1 << BITS, size=(2, count))
    words, strobes = rng.integers(1 << 32, size=count), rng.integers(16, size=count)
    writes = list(zip(addresses[0].tolist(), words.tolist(), strobes.tolist(), strict=True))
    return writes, addresses[1].tolist()


@pytest.mark.parametrize("idle", [0.0, 0.6])
@pytest.mark.parametrize("stall", [0.0, 0.7])
@pytest.mark.parametrize("wait", [0.0, 0.7])
def test_every_access_is_made_once_and_answered(idle, stall, wait):
    writes, reads = random_accesses(np.random.default_rng(3), 80)
    seen = run(made(), writes, reads, 7, idle, stall, wait)
    for rows in seen.values():
        check_held(rows)
    made_accesses = transfers(seen["bus"])
    strobed = BITS - 2
    assert [one for one in made_accesses if one >> strobed + 36] == [
        address >> 2 | strobe << strobed | word << strobed + 4 | 1 << strobed + 36
        for address, word, strobe in writes
    ]
    assert [one & (1 << strobed) - 1 for one in made_accesses if not one >> strobed + 36] == [
        address >> 2 for address in reads
    ]
    assert transfers(seen["b"]) == [
        SLVERR if answer(address >> 2)[1] else OKAY for address, _, _ in writes
    ]
    assert transfers(seen["r"]) == [
        word | (SLVERR if error else OKAY) << 32 for word, error in (answer(a >> 2) for a in reads)
    ]


@pytest.mark.parametrize(("writes", "reads", "response"), [(6, 0, "b"), (0, 6, "r")])
def test_three_cycles_an_access(writes, reads, response):
    seen = run(made(), [(8, 1, 15)] * writes, [4] * reads)
    request = {"b": "w", "r": "ar"}[response]
    asked, answered = (
        [at for at, (valid, ready, _) in enumerate(seen[name]) if valid and ready]
        for name in (request, response)
    )
    assert asked == [3 * at for at in range(6)]
    assert answered == [at + 3 for at in asked]


def test_reads_and_writes_take_turns():
    seen = run(made(), [(8, 1, 15)] * 10, [4] * 10)
    kinds = [one >> BITS + 34 for one in transfers(seen["bus"])]
    assert kinds == [1, 0] * 10


@pytest.mark.parametrize("first", ["aw", "w"])
def test_a_write_waits_for_its_other_half(first):
    dut, second = made(), {"aw": "w", "w": "aw"}[first]

    async def master(ctx):
        ctx.set(dut.axi.awaddr, 0x44)
        ctx.set(dut.axi.wdata, 99)
        ctx.set(dut.axi.wstrb, 15)
        for name in (first, second):
            ctx.set(getattr(dut.axi, f"{name}valid"), 1)
            await ctx.tick()
            ctx.set(getattr(dut.axi, f"{name}valid"), 0)
            await ctx.tick().repeat(4)

    rows = simulate(dut, master, watch=[dut.bus.valid, dut.bus.address, dut.bus.data])
    assert [row for row in rows if row[0]] == [[1, 0x11, 99]] * 3
    assert [row[0] for row in rows] == [0] * 7 + [1] * 3


def test_a_waiting_response_does_not_stop_the_other_direction():
    dut = made()

    async def master(ctx):
        ctx.set(dut.bus.ready, 1)
        ctx.set(dut.axi.awvalid, 1)
        ctx.set(dut.axi.wvalid, 1)
        ctx.set(dut.axi.arvalid, 1)
        ctx.set(dut.axi.rready, 1)
        await ctx.tick().repeat(40)

    bus = dut.bus
    rows = simulate(dut, master, watch=[bus.valid & bus.write, bus.valid & ~bus.write])
    assert sum(row[0] for row in rows) == 1
    assert sum(row[1] for row in rows) >= 12


def test_nothing_is_held_after_reset():
    dut = made()
    axi = dut.axi
    inputs = [axi.awvalid, axi.wvalid, axi.arvalid, dut.bus.ready]
    outputs = [axi.awready, axi.wready, axi.arready, axi.bvalid, axi.rvalid, dut.bus.valid]
    first, after = play_then_reset(dut, inputs, [[1, 1, 1, 1]] * 9 + [[1, 1, 1, 0]] * 3, outputs)
    assert first == after == [[1, 1, 1, 0, 0, 0]] * 2
