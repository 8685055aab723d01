# SPDX-License-Identifier: Apache-2.0
"""A design of two blocks and a memory, in a folder as the step generate leaves it."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from scaledrop_flow.asic.design import box_values
from scaledrop_flow.asic.folder import Folder
from scaledrop_hw.black_boxes import with_black_boxes
from scaledrop_hw.export import as_text, ports

LIBRARY = "four.lib"


class Counter(wiring.Component):
    step: In(2)
    total: Out(4)

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.total.eq(self.total + self.step)
        return m


class Core(wiring.Component):
    step: In(2)
    word: Out(4)

    def elaborate(self, platform):
        m = Module()
        m.submodules.counter = counter = Counter()
        m.submodules.table = memory = Memory(shape=4, depth=16, init=range(1, 16))
        read = memory.read_port()
        kept = Signal(4)
        m.d.comb += [counter.step.eq(self.step), read.addr.eq(counter.total)]
        m.d.sync += kept.eq(read.data)
        m.d.comb += self.word.eq(kept ^ counter.total)
        return m


class Chip(wiring.Component):
    """word(t) = table[total(t - 2)] xor total(t), total(t + 1) = total(t) + step(t)."""

    step: In(2)
    word: Out(4)

    def elaborate(self, platform):
        m = Module()
        m.submodules.core = core = Core()
        m.d.comb += [core.step.eq(self.step), self.word.eq(core.word)]
        return m


def write_chip(root):
    """The folder with RTL, stubs, bodies and lists of the chip."""
    folder, chip = Folder(root), Chip()
    text, boxes, modules = with_black_boxes(chip, "scaledrop", 1024)
    files = {
        folder.rtl: text,
        folder.sidecar: as_text({"ports": ports(chip)}),
        folder.boxes: as_text([box_values(box) for box in boxes.values()]),
        folder.work / "modules.json": as_text(modules),
        **{folder.stubs / f"{box.name}.v": box.stub for box in boxes.values()},
        **{folder.behavioural / f"{box.name}.v": box.body for box in boxes.values()},
    }
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder
