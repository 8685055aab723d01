# SPDX-License-Identifier: Apache-2.0
"""A serial bridge between bytes at a pace and buses that are slow, refuse, or have nothing."""

from dataclasses import dataclass, field

import numpy as np
from simulate import simulate

from scaledrop.driver.protocol import FIRST, LAST, Opcode, Status, check_byte, checked

BROKEN, SILENCE = "broken", "silence"
"""Instead of a byte: something that is none; twice the time that makes a command be forgotten."""

REFUSED_ADDRESS = 0xBAD
EVERY = 6
"""Cycles from byte to byte, of commands and of answers."""


def read(address):
    return checked(bytes([Opcode.READ]) + address.to_bytes(2, "little"))


def write(address, word):
    payload = address.to_bytes(2, "little") + word.to_bytes(4, "little")
    return checked(bytes([Opcode.WRITE]) + payload)


def pixels(data, first=False, last=False):
    opcode = Opcode.PIXELS | len(data) - 1 | first * FIRST | last * LAST
    return checked(bytes([opcode]) + bytes(data).ljust(4, b"\xee"))


def take(first=False):
    return checked(bytes([Opcode.TAKE | first * FIRST]))


def hello():
    return checked(bytes([Opcode.HELLO]))


def reset():
    return checked(bytes([Opcode.RESET]))


@dataclass
class SerialWorld:
    """What a bridge is connected to.

    Attributes:
        results: (word, last) that the device has for the host.
        room: Words of pixels that the device takes.
        slow: Chance that a bus is not ready in a cycle.
    """

    results: list = field(default_factory=list)
    room: int = 1 << 30
    slow: float = 0.0
    seed: int = 0
    memory: dict = field(default_factory=dict)
    writes: list = field(default_factory=list)
    pixels: list = field(default_factory=list)
    restarts: int = 0
    deaf: int = 0
    breaches: list = field(default_factory=list)

    def run(self, dut, items, answers):
        """Send bytes and marks; returns what was answered, when it is so much at least."""
        self.rng = np.random.default_rng(self.seed)
        heard, plan = [], self._plan(dut, items)

        async def bench(ctx):
            response = {}
            quiet = 0
            at = 0
            while len(heard) < 6 * answers or quiet < 40 * EVERY:
                now = plan[at] if at < len(plan) else None
                at += 1
                ctx.set(dut.valid, isinstance(now, int))
                ctx.set(dut.byte, now if isinstance(now, int) else 0)
                ctx.set(dut.broken, now == BROKEN)
                ctx.set(dut.bytes.ready, at % EVERY == 0)
                self._buses(ctx, dut, response)
                if ctx.get(dut.bytes.valid) and ctx.get(dut.bytes.ready):
                    heard.append(ctx.get(dut.bytes.payload))
                    quiet = 0
                quiet = quiet + 1 if at > len(plan) else 0
                self.restarts += ctx.get(dut.restart)
                self.deaf += ctx.get(dut.deaf)
                await ctx.tick()
                if at > len(plan) + 10_000:
                    raise TimeoutError(f"{len(heard)} bytes were answered")

        simulate(dut, bench, limit=10**6)
        return parsed(bytes(heard))

    @staticmethod
    def _plan(dut, items):
        """One entry a cycle."""
        plan = [None]
        for item in items:
            if item == SILENCE:
                plan += [None] * 2 * dut.quiet
                continue
            for byte in item if isinstance(item, bytes) else [item]:
                plan += [byte] + [None] * (EVERY - 1)
        return plan

    def _buses(self, ctx, dut, response):
        axi, stream, results = dut.axi, dut.pixels, dut.results
        go = {name: self.rng.random() >= self.slow for name in ("aw", "w", "ar", "b", "r", "px")}
        self._write(ctx, axi, go, response)
        self._read(ctx, axi, go, response)
        ready = self.room > 0 and (go["px"] or response.get("begun", False))
        ctx.set(stream.tready, ready)
        if ctx.get(stream.tvalid) and ready:
            keep, size = ctx.get(stream.tkeep), dut.pixel_bits // 8
            data = ctx.get(stream.tdata).to_bytes(size, "little")
            self.pixels.append((data[: keep.bit_count()], ctx.get(stream.tlast)))
            self.room -= 1
        offer = self.results[0] if self.results else (0, 0)
        ctx.set(results.tvalid, bool(self.results))
        ctx.set(results.tdata, offer[0])
        ctx.set(results.tlast, offer[1])
        if self.results and ctx.get(results.tready):
            self.results.pop(0)

    def _write(self, ctx, axi, go, response):
        for channel in ("aw", "w"):
            free = channel not in response and "b" not in response
            ready = free and go[channel]
            ctx.set(getattr(axi, f"{channel}ready"), ready)
            if ready and ctx.get(getattr(axi, f"{channel}valid")):
                response[channel] = ctx.get(axi.awaddr if channel == "aw" else axi.wdata)
                if channel == "w" and ctx.get(axi.wstrb) != 0b1111:
                    self.breaches.append("strobe")
        offered = "b" in response
        ctx.set(axi.bvalid, offered)
        ctx.set(axi.bresp, response.get("b", 0))
        if offered and ctx.get(axi.bready):
            del response["b"]
        elif "aw" in response and "w" in response and go["b"]:
            address, word = response.pop("aw"), response.pop("w")
            response["b"] = 2 if address == REFUSED_ADDRESS else 0
            if address != REFUSED_ADDRESS:
                self.memory[address] = word
            self.writes.append((address, word))

    def _read(self, ctx, axi, go, response):
        ready = "ar" not in response and "r" not in response and go["ar"]
        ctx.set(axi.arready, ready)
        if ready and ctx.get(axi.arvalid):
            response["ar"] = ctx.get(axi.araddr)
        offered = "r" in response
        ctx.set(axi.rvalid, offered)
        word, resp = response.get("r", (0, 0))
        ctx.set(axi.rdata, word)
        ctx.set(axi.rresp, resp)
        if offered and ctx.get(axi.rready):
            del response["r"]
        elif "ar" in response and not offered and go["r"]:
            address = response.pop("ar")
            response["r"] = (self.memory.get(address, 0), 2 if address == REFUSED_ADDRESS else 0)


def parsed(data):
    """(status, word) of answers, each with the right check byte."""
    assert len(data) % 6 == 0, len(data)
    found = []
    for at in range(0, len(data), 6):
        assert check_byte(data[at : at + 6]) == 0
        status = Status.BUSY if data[at] & 0xFC == Status.BUSY else Status(data[at])
        found.append((status, int.from_bytes(data[at + 1 : at + 5], "little")))
    return found
