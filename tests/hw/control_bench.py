# SPDX-License-Identifier: Apache-2.0
"""Operates an accelerator by hand: one script stops, spoils and repeats what it does."""

import numpy as np
from amaranth.lib import data
from amaranth.sim import Simulator
from simulate import plain

from scaledrop.engine import infer
from scaledrop.images import stream_order
from scaledrop.walk import Mode, leaves
from scaledrop_cosim.capture import Capture
from scaledrop_cosim.checker import check
from scaledrop_cosim.contract import Workload
from scaledrop_cosim.monitor import observe

__all__ = ["Bench", "leaf_records"]

TRACES = {"visit": "visits", "drawn": "drawn", "hidden": "hidden", "logit": "logits"}


class Bench:
    """An accelerator in the simulator, with an ideal spin unit and streams around it.

    ``gap(name)`` says in each cycle whether "pixels", "results" or "records" pause.
    """

    def __init__(self, dut, workload):
        self.dut, self.workload, self.ctx = dut, workload, None
        self.gap = lambda name: False
        self.values, self.pixels = {}, []
        self.state = self.writing = 0
        self.streams = {"results": dut.results, "records": dut.records}
        self.watched = [dut.pixels.ready, dut.spin.reset, dut.spin.write, dut.spin.drive]
        self.watched += [dut.busy, dut.refused, dut.stop, dut.status]
        for port in self.streams.values():
            self.watched += [port.valid, port.payload.as_value()]
        for name in TRACES:
            self.watched += [getattr(dut.trace, f"{name}_valid")]
            self.watched += [getattr(dut.trace, name).as_value()]
        self._forget()

    def _forget(self):
        """Begin anew: the device's next word is the workload's first."""
        self.cycles = self.writes = self.taken = 0
        self.busy = self.refused = self.stop = self.status = 0
        self.seen = {name: [] for name in (*TRACES.values(), *self.streams)}

    def set(self, signal, value):
        if self.values.get(id(signal)) != value:
            self.values[id(signal)] = value
            self.ctx.set(signal, value)

    async def cycle(self):
        """One cycle of everything around the accelerator."""
        dut = self.dut
        offered = bool(self.pixels) and not self.gap("pixels")
        ready = [not self.gap(name) for name in self.streams]
        if offered:
            self.set(dut.pixels.payload, self.pixels[-1])
        self.set(dut.pixels.valid, int(offered))
        for port, now in zip(self.streams.values(), ready, strict=True):
            self.set(port.ready, int(now))
        _, _, *values = await self.ctx.tick().sample(*self.watched)
        if offered and values[0]:
            self.pixels.pop()
            self.taken += 1
        self._spin(*values[1:4])
        self.busy, self.refused, self.stop, self.status = values[4:8]
        pairs = list(zip(values[8::2], values[9::2], strict=True))
        for name, now, (valid, word) in zip(self.streams, ready, pairs, strict=False):
            if valid and now:
                self.seen[name].append((self.cycles, word))
        for name, (valid, word) in zip(TRACES.values(), pairs[2:], strict=True):
            if valid:
                self.seen[name].append((self.cycles, word))
        self.cycles += 1

    def _spin(self, reset, write, drive):
        if reset:
            self.state = 0
        if write and not self.writing:
            words = self.workload.words
            self.state |= int(words[self.writes % max(len(words), 1)] < drive)
            self.writes += 1
        self.writing = write
        self.set(self.dut.spin.sense, self.state)

    def offer(self, pixels, last=None):
        """An image behind those that wait; ``last`` is the place of the mark of its end."""
        last = len(pixels) - 1 if last is None else last
        image = [{"value": int(value), "last": int(at == last)} for at, value in enumerate(pixels)]
        self.pixels = [*reversed(image), *self.pixels]

    def begin(self, workload=None, images=None):
        """Offer the images of a workload, the first ``images`` of them."""
        self.workload = workload or self.workload
        self._forget()
        network = self.workload.network
        for pixels in stream_order(self.workload.images, network.input_shape)[:images]:
            self.offer(pixels)

    async def until(self, condition, limit=3000):
        """Cycles until ``condition()``, which must come within ``limit``."""
        while not condition():
            assert limit, "hangs"
            limit -= 1
            await self.cycle()

    async def abort(self):
        """Abort in this cycle, whatever else happens in it; nothing is offered afterwards."""
        self.set(self.dut.abort, 1)
        await self.cycle()
        self.set(self.dut.abort, 0)
        self.pixels = []

    async def infer(self, workload=None):
        """A whole workload; returns what was seen of it, with the cycles in which it came."""
        self.begin(workload)
        count = len(self.workload.images) * self.workload.network.classes
        await self.until(lambda: len(self.seen["results"]) == count)
        await self.until(lambda: not self.busy)
        return self.seen

    async def access(self, memory, address, part, word=None):
        """Write a part of a memory's word, or read it."""
        host = self.dut.host
        fields = {"memory": memory, "address": address, "part": part, "data": word or 0}
        for name, value in {**fields, "write": int(word is not None), "valid": 1}.items():
            self.set(getattr(host, name), int(value))
        _, _, ready = await self.ctx.tick().sample(host.ready)
        self.set(host.valid, 0)
        assert ready, "memories are not the host's"
        if word is None:
            assert self.ctx.get(host.reply_valid)
            return self.ctx.get(host.word)
        return None

    def run(self, script, exact=None):
        """Run ``script(bench)`` from power-up."""
        simulator = Simulator(self.dut)
        simulator.add_clock(1e-6)

        async def testbench(ctx):
            self.ctx = ctx
            for name, value in settings(self.workload).items():
                self.set(getattr(self.dut, name), value)
            await script(self)

        simulator.add_testbench(testbench)
        simulator.run()

    def decoded(self, name):
        """What was seen as dicts."""
        port = self.streams.get(name)
        kind = {plural: kind for kind, plural in TRACES.items()}.get(name)
        layout = (port.payload if port else getattr(self.dut.trace, kind)).shape()
        return layout, [plain(data.Const(layout, word)) for _, word in self.seen[name]]

    def check(self):
        """Everything that was seen against the golden model."""
        tables = {name: self._table(name) for name in (*TRACES.values(), "results")}
        capture = Capture(**tables, counters={}, device_writes=self.writes)
        found = observe(capture, self.workload, self.dut.mapping)
        report = check("RTL", self.workload, found)
        assert report.ok, str(report)

    def _table(self, name):
        layout, rows = self.decoded(name)
        return {field: np.array([row[field] for row in rows]) for field, _ in layout}


def settings(workload):
    """Inputs that hold during a workload."""
    return {
        "mode": list(Mode).index(workload.inference.mode),
        "passes": workload.passes,
        "cutoff": workload.cutoff,
        "drive_codes": list(workload.codes),
    }


def leaf_records(workload):
    """Records of a workload's leaves, from the golden model."""
    layers, found = len(workload.network.layers), []
    for image, visits in zip(workload.images, workload.walks, strict=True):
        for visit in visits:
            if visit.layer < layers - 1:
                continue
            for keep, weight in ((1, visit.kept), (0, visit.dropped)):
                path = visit.path | keep << visit.layer
                mask = np.array([[[path >> at & 1 for at in range(layers)]]], dtype=np.uint8)
                logits = infer(workload.network, image[None], mask).logits[0, 0].tolist()
                last = visit.last and (not keep or not visit.dropped)
                found += [
                    {
                        "path": path,
                        "weight": weight,
                        "label": label,
                        "value": value,
                        "ends_leaf": int(label == len(logits) - 1),
                        "ends_image": int(last and label == len(logits) - 1),
                    }
                    for label, value in enumerate(logits)
                    if weight
                ]
    return found
