# SPDX-License-Identifier: Apache-2.0
"""Operates an accelerator by hand: one script stops, spoils and repeats what it does."""

from itertools import product

import numpy as np
from amaranth.lib import data
from amaranth.sim import Simulator
from simulate import plain

from scaledrop.engine import infer
from scaledrop.events import Event
from scaledrop.images import stream_order
from scaledrop.mapping import NetworkMapping
from scaledrop.walk import Mode
from scaledrop_cosim.capture import Capture
from scaledrop_cosim.checker import check
from scaledrop_cosim.monitor import observe
from scaledrop_hw.memory_host import MemoryHost

__all__ = ["Bench", "leaf_records"]

TRACES = {"visits": "visit", "drawn": "drawn", "hidden": "hidden", "logits": "logit"}
STREAMS = ("results", "records")
FLAGS = ("busy", "refused", "stop", "status")


class Bench:
    """An accelerator in the simulator, with an ideal spin unit and streams around it.

    ``gap(name)`` says in each cycle whether "pixels", "results" or "records" pause. What was seen
    and the cycle counter begin anew with every ``begin``, and so do the device's words.
    """

    def __init__(self, dut, workload):
        self.dut, self.workload, self.ctx = dut, workload, None
        self.gap = lambda name: False
        self.values, self.pixels, self.state, self.writing = {}, [], 0, 0
        streams = [getattr(dut, name) for name in STREAMS]
        pairs = [(port.valid, port.payload) for port in streams]
        pairs += [
            (getattr(dut.trace, f"{name}_valid"), getattr(dut.trace, name))
            for name in TRACES.values()
        ]
        self.layouts = {
            name: payload.shape()
            for name, (_, payload) in zip((*STREAMS, *TRACES), pairs, strict=True)
        }
        spin = dut.spin
        self.watched = [dut.pixels.ready, spin.reset, spin.write, spin.drive]
        self.watched += [getattr(dut, name) for name in FLAGS]
        self.watched += [one for valid, payload in pairs for one in (valid, payload.as_value())]
        self._forget()

    def _forget(self):
        self.cycles = self.writes = 0
        self.took = []
        self.busy = self.refused = self.stop = self.status = 0
        self.seen = {name: [] for name in self.layouts}

    def set(self, signal, value):
        """Change an input, unless it has the value already."""
        if self.values.get(id(signal)) != value:
            self.values[id(signal)] = value
            self.ctx.set(signal, value)

    async def cycle(self):
        """One cycle of everything around the accelerator."""
        dut = self.dut
        offered = bool(self.pixels) and not self.gap("pixels")
        ready = {name: not self.gap(name) for name in STREAMS}
        if offered:
            self.set(dut.pixels.payload, self.pixels[-1])
        self.set(dut.pixels.valid, int(offered))
        for name, now in ready.items():
            self.set(getattr(dut, name).ready, int(now))
        _, _, *values = await self.ctx.tick().sample(*self.watched)
        if offered and values[0]:
            self.pixels.pop()
            self.took.append(self.cycles)
        self._spin(*values[1:4])
        self.busy, self.refused, self.stop, self.status = values[4:8]
        for at, name in enumerate(self.seen):
            valid, word = values[8 + 2 * at : 10 + 2 * at]
            if valid and ready.get(name, True):
                self.seen[name].append((self.cycles, word))
        self.cycles += 1

    def _spin(self, reset, write, drive):
        words = self.workload.words
        if reset:
            self.state = 0
        if write and not self.writing:
            self.state |= int(self.writes < len(words) and words[self.writes] < drive)
            self.writes += 1
        self.writing = write
        self.set(self.dut.spin.sense, self.state)

    def offer(self, pixels, last=None):
        """An image behind those that wait; ``last`` is the place of the mark of its end."""
        last = len(pixels) - 1 if last is None else last
        image = [{"value": int(value), "last": int(at == last)} for at, value in enumerate(pixels)]
        self.pixels = [*reversed(image), *self.pixels]

    def begin(self, workload=None):
        """Offer the images of a workload."""
        self.workload = workload or self.workload
        self._forget()
        for pixels in stream_order(self.workload.images, self.workload.network.input_shape):
            self.offer(pixels)

    async def until(self, condition, limit=3000):
        """Cycles until ``condition()``, which must come within ``limit``."""
        while not condition():
            assert limit, "hangs"
            limit -= 1
            await self.cycle()

    async def rest(self, cycles):
        for _ in range(cycles):
            await self.cycle()

    async def clear(self):
        """Every flag of the monitors."""
        self.set(self.dut.clear, (1 << len(self.dut.clear)) - 1)
        await self.cycle()
        self.set(self.dut.clear, 0)

    async def abort(self):
        """Abort in this cycle, whatever else happens in it; nothing is offered afterwards."""
        self.set(self.dut.abort, 1)
        await self.cycle()
        self.set(self.dut.abort, 0)
        self.pixels = []

    @property
    def complete(self):
        """All results are there."""
        count = len(self.workload.images) * self.workload.network.classes
        return len(self.seen["results"]) == count

    async def infer(self, workload=None):
        """A whole workload; returns what was seen of it, with the cycles in which it came."""
        self.begin(workload)
        await self.until(lambda: self.complete)
        await self.until(lambda: not self.busy)
        return self.seen

    async def counter(self, event, layer=0):
        """Events of a layer since power-up."""
        layers = len(self.workload.network.layers)
        self.set(self.dut.counter_select, list(Event).index(event) * layers + layer)
        await self.rest(2)
        return self.ctx.get(self.dut.counter_value)

    async def access(self, memory, address, part, word=None):
        """Write a part of a memory's word, or read it; the memories must be the host's."""
        host = self.dut.host
        fields = {"memory": memory, "address": address, "part": part, "data": word or 0}
        for name, value in {**fields, "write": word is not None, "valid": 1}.items():
            self.set(getattr(host, name), int(value))
        _, _, ready = await self.ctx.tick().sample(host.ready)
        assert ready
        self.set(host.valid, 0)
        if word is not None:
            return None
        await self.rest(MemoryHost.LATENCY - 1)
        assert self.ctx.get(host.reply_valid)
        return self.ctx.get(host.word)

    async def dump(self, memory):
        """All parts of all words."""
        words, parts = self.dut.sizes.memories[memory]
        return [await self.access(memory, *place) for place in product(range(words), range(parts))]

    async def load(self, memory, contents):
        """Write all parts of all words."""
        words, parts = self.dut.sizes.memories[memory]
        for place, word in zip(product(range(words), range(parts)), contents, strict=True):
            await self.access(memory, *place, word)

    def run(self, script):
        """Run ``script(bench)`` from power-up."""
        simulator, workload = Simulator(self.dut), self.workload
        simulator.add_clock(1e-6)

        async def testbench(ctx):
            self.ctx = ctx
            self.set(self.dut.mode, list(Mode).index(workload.inference.mode))
            self.set(self.dut.passes, workload.passes)
            self.set(self.dut.cutoff, workload.cutoff)
            self.set(self.dut.drive_codes, list(workload.codes))
            await script(self)

        simulator.add_testbench(testbench)
        simulator.run()

    def table(self, name):
        """What was seen as dicts."""
        layout = self.layouts[name]
        return [plain(data.Const(layout, word)) for _, word in self.seen[name]]

    def check(self):
        """Everything that was seen against the golden model."""
        tables = {
            name: {
                field: np.array([row[field] for row in self.table(name)])
                for field, _ in self.layouts[name]
            }
            for name in (*TRACES, "results")
        }
        capture = Capture(**tables, counters={}, device_writes=self.writes)
        built = self.dut.mapping
        mapping = NetworkMapping(self.workload.network, built.array, built.convolution)
        report = check("RTL", self.workload, observe(capture, self.workload, mapping))
        assert report.ok, str(report)


def leaf_records(workload):
    """Records of a workload's leaves, from the golden model."""
    layers, found = len(workload.network.layers), []
    for image, visits in zip(workload.images, workload.walks, strict=True):
        for visit in visits:
            for keep, weight in ((1, visit.kept), (0, visit.dropped)):
                if visit.layer < layers - 1 or not weight:
                    continue
                path = visit.path | keep << visit.layer
                mask = np.array([[[path >> at & 1 for at in range(layers)]]], dtype=np.uint8)
                logits = infer(workload.network, image[None], mask).logits[0, 0].tolist()
                last = visit.last and (not keep or not visit.dropped)
                found += [
                    {
                        **{"path": path, "weight": weight, "label": label, "value": value},
                        "ends_leaf": int(label == len(logits) - 1),
                        "ends_image": int(last and label == len(logits) - 1),
                    }
                    for label, value in enumerate(logits)
                ]
    return found
