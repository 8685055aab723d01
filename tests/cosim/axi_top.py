# SPDX-License-Identifier: Apache-2.0
"""A small device behind the real buses: its core is arithmetic that a test can do in its head."""

from amaranth.hdl import Array, Cat, Module, Mux, ResetInserter, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.memory import Memory as Words
from amaranth.lib.wiring import In, Out, connect

from scaledrop.device_sizes import DeviceSizes, Memory, MemoryShape
from scaledrop.monitors import MonitorFlag
from scaledrop.packets import Frame, Leaf, Result
from scaledrop_hw.axi_stream import PixelInput
from scaledrop_hw.bus_ports import connect_ports, ports
from scaledrop_hw.control_port import ControlPort
from scaledrop_hw.framing import pixel_layout
from scaledrop_hw.packet_merge import ResultOutput
from scaledrop_hw.sticky import StickyStatus

SIZES = DeviceSizes(
    layers=3,
    classes=4,
    rows=8,
    columns=8,
    lanes=2,
    pixels=10,
    squares_words=3,
    scale_parts=3,
    memories={Memory.SCALES: MemoryShape(5, 3), Memory.DESCRIPTORS: MemoryShape(6, 1)},
    drive_codes=(100, 2000, 65535),
    digest="c0ffee" + "1" * 58,
)
LEAVES = 2
RESULT = data.StructLayout(
    {
        "label": range(SIZES.classes),
        "sum": signed(40),
        "squares": unsigned(72),
        "votes": unsigned(25),
        "predicted": range(SIZES.classes),
        "abstain": 1,
        "covered": unsigned(25),
        "last": 1,
    }
)
LEAF = data.StructLayout(
    {
        "path": SIZES.layers,
        "weight": 25,
        "label": range(SIZES.classes),
        "value": signed(20),
        "ends_leaf": 1,
        "ends_image": 1,
    }
)


def expected(image, passes, cutoff, records):
    """What the core makes of an image, in plain integers."""
    total, classes = sum(image), range(SIZES.classes)
    result = Result(
        sums=tuple(-total * (label + 1) for label in classes),
        squares=tuple((total * (label + 1)) << 50 for label in classes),
        votes=tuple(passes + label for label in classes),
        predicted=total % SIZES.classes,
        abstain=bool(total & 4),
        covered=cutoff,
    )
    leaves = tuple(
        Leaf(path=number + 5, weight=passes, logits=tuple(label * 3 - total for label in classes))
        for number in range(LEAVES if records else 0)
    )
    return Frame(leaves, result)


class Core(wiring.Component):
    """Adds up the pixels of an image; two images fit in."""

    def __init__(self):
        super().__init__(
            {
                "pixels": In(stream.Signature(pixel_layout(SIZES.input_bits))),
                "results": Out(stream.Signature(RESULT)),
                "leaves": Out(stream.Signature(LEAF)),
                "passes": In(16),
                "cutoff": In(25),
                "records": In(1),
                "busy": Out(1),
                "misframed": Out(1),
                "abort": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        images = SyncFIFO(width=20, depth=2)
        m.submodules.images = ResetInserter(self.abort)(images)
        total, count = Signal(20), Signal(range(SIZES.pixels + 1))
        pixel, taken = self.pixels.payload, Signal()
        m.d.comb += [
            self.pixels.ready.eq(images.w_rdy & ~self.abort),
            taken.eq(self.pixels.valid & self.pixels.ready),
            self.misframed.eq(taken & (pixel.last ^ (count == SIZES.pixels - 1))),
            images.w_data.eq(total + pixel.value),
            images.w_en.eq(taken & pixel.last),
        ]
        with m.If(taken):
            m.d.sync += [
                total.eq(Mux(pixel.last, 0, total + pixel.value)),
                count.eq(Mux(pixel.last, 0, count + 1)),
            ]
        self._send(m, images)
        with m.If(self.abort):
            m.d.sync += [total.eq(0), count.eq(0)]
        return m

    def _send(self, m, images):
        label, number = Signal(range(SIZES.classes)), Signal(range(LEAVES + 1))
        total, result, leaf = images.r_data, self.results.payload, self.leaves.payload
        last, ends = label == SIZES.classes - 1, number == LEAVES
        sending_leaves = self.records & ~ends
        m.d.comb += [
            self.busy.eq(images.r_rdy),
            self.leaves.valid.eq(images.r_rdy & sending_leaves),
            self.results.valid.eq(images.r_rdy & ~sending_leaves),
            result.sum.eq(-(total * (label + 1))),
            result.squares.eq((total * (label + 1)) << 50),
            result.votes.eq(self.passes + label),
            result.predicted.eq(total),
            result.abstain.eq(total[2]),
            result.covered.eq(self.cutoff),
            result.label.eq(label),
            result.last.eq(last),
            leaf.path.eq(number + 5),
            leaf.weight.eq(self.passes),
            leaf.label.eq(label),
            leaf.value.eq(label * 3 - total),
            leaf.ends_leaf.eq(last),
            leaf.ends_image.eq(last & (number == LEAVES - 1)),
            images.r_en.eq(self.results.valid & self.results.ready & last),
        ]
        sent = (self.leaves.valid & self.leaves.ready) | (self.results.valid & self.results.ready)
        with m.If(sent):
            m.d.sync += label.eq(label + 1)
            with m.If(last):
                m.d.sync += number.eq(Mux(sending_leaves, number + 1, 0))
        with m.If(self.abort):
            m.d.sync += [label.eq(0), number.eq(0)]


class AxiTop(wiring.Component):
    """Control port, pixel input, core, result output."""

    def __init__(self):
        self.control = ControlPort(sizes=SIZES)
        self.input = PixelInput(data_bits=32, input_bits=SIZES.input_bits)
        self.output = ResultOutput(result_layout=RESULT, leaf_layout=LEAF, sizes=SIZES)
        super().__init__(
            {
                **ports("s_axi", self.control.axi.signature),
                **ports("s_axis_pixels", self.input.axi.signature),
                **ports("m_axis_results", self.output.axi.signature),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.control_port = control = self.control
        m.submodules.input = pixels = self.input
        m.submodules.output = output = self.output
        m.submodules.core = core = Core()
        m.submodules.status = status = StickyStatus(flags=len(MonitorFlag))
        connect_ports(m, self, "s_axi", control.axi)
        connect_ports(m, self, "s_axis_pixels", pixels.axi)
        connect_ports(m, self, "m_axis_results", output.axi)
        connect(m, pixels.pixels, core.pixels)
        connect(m, core.results, output.results)
        connect(m, core.leaves, output.leaves)
        abort = control.control.abort
        m.d.comb += [
            *[part.abort.eq(abort) for part in (pixels, core, output)],
            core.passes.eq(control.passes.value),
            core.cutoff.eq(control.cutoff.value),
            *[part.records.eq(control.setup.records) for part in (core, output)],
            control.status.busy.eq(core.busy),
            status.events[MonitorFlag.IMAGE_MISFRAMED].eq(core.misframed),
            status.clear.eq(control.monitors_clear),
            control.monitors.eq(status.status),
            status.select.eq(control.monitor_select),
            control.monitor_count.eq(status.count),
        ]
        m.d.sync += control.counter_value.eq(control.counter_select * 0x100000003 + 7)
        self._memories(m, control.host)
        return m

    def _memories(self, m, host):
        """One memory of single parts for each of the host's, at consecutive places."""
        places = Cat(host.part[:2], host.address[:3], host.memory[:3])
        m.submodules.words = words = Words(shape=32, depth=256, init=[])
        read, write = words.read_port(), words.write_port()
        wait = Signal(2)
        m.d.comb += [
            read.addr.eq(places),
            write.addr.eq(places),
            write.data.eq(host.data),
            write.en.eq(host.valid & host.ready & host.write),
            host.ready.eq(Array([1, 0, 0, 0])[wait]),
            host.word.eq(read.data),
            host.reply_valid.eq(wait == 1),
        ]
        with m.If(wait != 0):
            m.d.sync += wait.eq(wait - 1)
        with m.Elif(host.valid & ~host.write):
            m.d.sync += wait.eq(3)
