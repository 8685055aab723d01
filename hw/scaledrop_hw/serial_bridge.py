# SPDX-License-Identifier: Apache-2.0
"""Serial bridge: commands in bytes become accesses of the buses of a system."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from scaledrop.driver.protocol import HELLO_MAGIC, VERSION, Opcode, Status
from scaledrop.errors import UserError
from scaledrop_hw.axi_lite import axi_lite_signature
from scaledrop_hw.axi_stream import axi_stream_signature
from scaledrop_hw.checks import require_range
from scaledrop_hw.serial_framing import ADDRESS_BITS, SerialFraming

__all__ = ["SerialBridge"]


class SerialBridge(wiring.Component):
    """Executes commands of scaledrop.driver.protocol, one at a time and in order, each answered.

    A command runs after its check byte was found right. One that was not, or that is unknown, is
    answered REFUSED, and then everything is thrown away until the line has been silent for
    ``quiet`` cycles; so is the beginning of a command that does not go on for so long.

    Parameters
    ----------
    buffer : int
        Bytes of commands that can wait, a power of two from 16 to 4096; or 0, where the next
        command comes only after the answer to the last.
    quiet : int
        Cycles of silence after which a command begins, a power of two from 64 to 2**30.
    pixel_bits : int
        Width of the pixel stream: 8, 16 or 32.
    source : int
        What HELLO says of the source of bits.

    Members
    -------
    byte : In(8); valid : In(1); broken : In(1)
        A byte that came, or that something came which was none; see UartReceiver.
    bytes : Out(stream of 8 bits)
        Answers.
    axi : Out(axi_lite_signature(12))
    pixels : Out(axi_stream_signature(pixel_bits, keep=True))
        A word is offered only while ``tready`` is high, so that nothing is held back: ``tready``
        must not wait for ``tvalid``, as that of PixelInput does not. Where it is low for 8 cycles
        there is no room.
    results : In(axi_stream_signature(32))
    restart : Out(1)
        High for one cycle: whatever is behind the buses begins anew.
    deaf : Out(1)
        Bytes are being thrown away.

    Timing
    ------
    A command is executed 3 cycles after its last byte was taken from the buffer, and answered as
    soon as the bus has answered. ``results.tready`` is high in the one cycle in which a word is
    taken. Idle after reset.
    """

    def __init__(self, *, buffer, quiet, pixel_bits=32, source=0):
        if buffer != 0:
            _power_of_two("buffer", buffer, 16, 4096)
        self._buffer = buffer
        self._quiet = _power_of_two("quiet", quiet, 64, 2**30)
        if pixel_bits not in (8, 16, 32):
            raise UserError(f"pixel_bits must be 8, 16 or 32, not {pixel_bits!r}")
        self._pixel_bits = pixel_bits
        self._source = require_range("source", source, 0, 255)
        super().__init__(
            {
                "byte": In(8),
                "valid": In(1),
                "broken": In(1),
                "bytes": Out(stream.Signature(8)),
                "axi": Out(axi_lite_signature(ADDRESS_BITS)),
                "pixels": Out(axi_stream_signature(pixel_bits, keep=True)),
                "results": In(axi_stream_signature(32)),
                "restart": Out(1),
                "deaf": Out(1),
            }
        )

    @property
    def buffer(self):
        return self._buffer

    @property
    def quiet(self):
        return self._quiet

    @property
    def pixel_bits(self):
        return self._pixel_bits

    @property
    def source(self):
        return self._source

    @property
    def hello(self):
        """Word with which HELLO is answered."""
        window = self._buffer.bit_length() - 1 if self._buffer else 0
        return HELLO_MAGIC << 24 | VERSION << 16 | self._source << 8 | window

    def elaborate(self, platform):
        m = Module()
        framing = SerialFraming()
        self._hear(m, framing)
        m.d.sync += self.restart.eq(0)
        with m.FSM():
            framing.receive(m)
            with m.State("EXECUTE"):
                with m.If(framing.whole):
                    self._execute(m, framing)
                with m.Else():
                    framing.answer(m, Status.REFUSED)
            self._wait(m, framing)
            framing.send(m, self.bytes)
            with m.State("DEAF"):
                m.d.comb += [framing.take.eq(1), self.deaf.eq(1)]
                with m.If(framing.silent & ~framing.waiting):
                    m.d.sync += framing.spoiled.eq(0)
                    m.next = "OPCODE"
        m.d.comb += [
            self.axi.awaddr.eq(framing.address),
            self.axi.araddr.eq(framing.address),
            self.axi.wdata.eq(framing.word),
            self.axi.wstrb.eq(0b1111),
            self.pixels.tdata.eq(framing.word),
        ]
        return m

    def _hear(self, m, framing):
        """Bytes that wait, and how long none has come."""
        silence = Signal(range(self._quiet + 1))
        m.d.comb += framing.silent.eq(silence[-1])
        with m.If(self.valid | self.broken):
            m.d.sync += silence.eq(0)
        with m.Elif(~framing.silent):
            m.d.sync += silence.eq(silence + 1)
        lost = Signal()
        if self._buffer:
            m.submodules.buffer = buffer = SyncFIFOBuffered(width=8, depth=self._buffer)
            m.d.comb += [
                buffer.w_data.eq(self.byte),
                buffer.w_en.eq(self.valid),
                buffer.r_en.eq(framing.take),
                framing.byte.eq(buffer.r_data),
                framing.waiting.eq(buffer.r_rdy),
                lost.eq(self.valid & ~buffer.w_rdy),
            ]
        else:
            m.d.comb += [
                framing.byte.eq(self.byte),
                framing.waiting.eq(self.valid),
                lost.eq(self.valid & ~framing.take),
            ]
        with m.If(self.broken | lost):
            m.d.sync += framing.spoiled.eq(1)

    def _execute(self, m, framing):
        """Begin what the command asks for; stays until the bus has taken it."""
        m.next = "EXECUTE"
        with m.Switch(framing.opcode):
            with m.Case(Opcode.HELLO >> 4, Opcode.RESET >> 4):
                m.d.sync += [
                    framing.word.eq(self.hello),
                    self.restart.eq(framing.opcode == Opcode.RESET >> 4),
                ]
                framing.answer(m, Status.OKAY)
            with m.Case(Opcode.READ >> 4):
                m.d.comb += self.axi.arvalid.eq(1)
                with m.If(self.axi.arready):
                    m.next = "READ"
            with m.Case(Opcode.WRITE >> 4):
                self._request_write(m)
            with m.Case(Opcode.PIXELS >> 4):
                m.next = "PIXELS"
            with m.Case(Opcode.TAKE >> 4):
                self._take(m, framing)
            with m.Default():
                framing.answer(m, Status.REFUSED)

    def _request_write(self, m):
        """Address and data of a write, which may be taken in any order."""
        axi = self.axi
        address_taken, data_taken = Signal(), Signal()
        m.d.comb += [axi.awvalid.eq(~address_taken), axi.wvalid.eq(~data_taken)]
        with m.If((address_taken | axi.awready) & (data_taken | axi.wready)):
            m.d.sync += [address_taken.eq(0), data_taken.eq(0)]
            m.next = "WRITE"
        with m.Else():
            m.d.sync += [
                address_taken.eq(address_taken | axi.awready),
                data_taken.eq(data_taken | axi.wready),
            ]

    def _send_pixels(self, m, framing):
        """Offer the bytes that count, the first ones in the lowest bits.

        After bytes that found no room none are taken, until the host begins anew.
        """
        pixels, flags, size = self.pixels, framing.flags, self._pixel_bits // 8
        shut, ending = Signal(), Signal()
        no_room = Cat(flags.count, Const(Status.BUSY >> 2 & 3, 2))
        m.d.comb += [
            ending.eq(flags.count < size),
            pixels.tlast.eq(flags.last & ending),
            pixels.tkeep.eq(Cat(flags.count >= at for at in range(size))),
        ]
        with m.State("PIXELS"):
            with m.If(shut & ~flags.first):
                framing.answer(m, no_room)
            with m.Else():
                m.d.sync += shut.eq(0)
                framing.begin_wait(m)
                m.next = "OFFER"
        with m.State("OFFER"):
            m.d.comb += pixels.tvalid.eq(pixels.tready)
            spent = framing.wait(m)
            with m.If(pixels.tready):
                framing.begin_wait(m)
                m.d.sync += flags.count.eq(flags.count - size)
                if size == 1:
                    framing.shift(m)
                elif size == 2:
                    m.d.sync += framing.word[:16].eq(framing.word[16:])
                with m.If(ending):
                    framing.answer(m, Status.OKAY)
            with m.Elif(spent):
                m.d.sync += shut.eq(1)
                framing.answer(m, no_room)

    def _take(self, m, framing):
        """After the last word of a frame none is given, until the host asks for the next frame."""
        results, first = self.results, framing.flags.first
        shut = Signal()
        framing.answer(m, Status.BUSY)
        with m.If(first):
            m.d.sync += shut.eq(0)
        with m.If(results.tvalid & (first | ~shut)):
            m.d.comb += results.tready.eq(1)
            m.d.sync += [framing.word.eq(results.tdata), shut.eq(results.tlast)]
            framing.answer(m, Mux(results.tlast, Status.LAST, Status.OKAY))

    def _wait(self, m, framing):
        """States in which a bus is waited for."""
        axi = self.axi
        with m.State("READ"):
            m.d.comb += axi.rready.eq(1)
            with m.If(axi.rvalid):
                m.d.sync += framing.word.eq(axi.rdata)
                framing.answer(m, axi.rresp)
        with m.State("WRITE"):
            m.d.comb += axi.bready.eq(1)
            with m.If(axi.bvalid):
                framing.answer(m, axi.bresp)
        self._send_pixels(m, framing)


def _power_of_two(name, value, low, high):
    if require_range(name, value, low, high) & (value - 1):
        raise UserError(f"{name} must be a power of two, not {value}")
    return value
