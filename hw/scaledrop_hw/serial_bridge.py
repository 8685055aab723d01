# SPDX-License-Identifier: Apache-2.0
"""Serial bridge: commands in bytes become accesses of the buses of a system."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.crc import Algorithm, Processor
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from scaledrop.driver.protocol import (
    ANSWER_BYTES,
    HELLO_MAGIC,
    VERSION,
    Opcode,
    Status,
)
from scaledrop.errors import UserError
from scaledrop_hw.axi_lite import axi_lite_signature
from scaledrop_hw.axi_stream import axi_stream_signature
from scaledrop_hw.checks import require_range

__all__ = ["SerialBridge"]

ADDRESS_BITS = 12
CHECK = Algorithm(
    crc_width=8,
    polynomial=0x07,
    initial_crc=0xFF,
    reflect_input=False,
    reflect_output=False,
    xor_output=0x00,
)
TOP = Status.OKAY >> 4
PAYLOAD = {Opcode.READ: 6, Opcode.WRITE: 6, Opcode.PIXELS: 4}
"""What the counter of bytes begins with: 6 and 5 are the address, 4 to 1 the word."""


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
        The first word of four pixels is offered only while ``tready`` is high, so that nothing is
        held back: ``tready`` must not wait for ``tvalid``, as that of PixelInput does not.
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
        m.submodules.check = check = Processor(CHECK(data_width=8))
        state = _State()
        self._hear(m, state)
        with m.FSM():
            self._receive(m, state, check)
            with m.State("EXECUTE"):
                with m.If(check.match_detected & ~state.spoiled):
                    self._execute(m, state)
                with m.Else():
                    self._answer(m, state, Status.REFUSED)
            with m.State("READ"):
                m.d.comb += self.axi.rready.eq(1)
                with m.If(self.axi.rvalid):
                    m.d.sync += state.word.eq(self.axi.rdata)
                    self._answer(m, state, self.axi.rresp)
            with m.State("WRITE"):
                m.d.comb += self.axi.bready.eq(1)
                with m.If(self.axi.bvalid):
                    self._answer(m, state, self.axi.bresp)
            with m.State("PIXELS"):
                self._send_pixels(m, state)
            self._send_answer(m, state, check)
            with m.State("DEAF"):
                m.d.comb += [state.take.eq(1), self.deaf.eq(1)]
                with m.If(state.silent & ~state.waiting):
                    m.d.sync += state.spoiled.eq(0)
                    m.next = "OPCODE"
        self._address_bus(m, state)
        return m

    def _hear(self, m, state):
        """Bytes that wait, and how long none has come."""
        silence = Signal(range(self._quiet + 1))
        m.d.comb += state.silent.eq(silence[-1])
        with m.If(self.valid | self.broken):
            m.d.sync += silence.eq(0)
        with m.Elif(~state.silent):
            m.d.sync += silence.eq(silence + 1)
        lost = Signal()
        if self._buffer:
            m.submodules.buffer = buffer = SyncFIFOBuffered(width=8, depth=self._buffer)
            m.d.comb += [
                buffer.w_data.eq(self.byte),
                buffer.w_en.eq(self.valid),
                buffer.r_en.eq(state.take),
                state.byte.eq(buffer.r_data),
                state.waiting.eq(buffer.r_rdy),
                lost.eq(self.valid & ~buffer.w_rdy),
            ]
        else:
            m.d.comb += [
                state.byte.eq(self.byte),
                state.waiting.eq(self.valid),
                lost.eq(self.valid & ~state.take),
            ]
        with m.If(self.broken | lost):
            m.d.sync += state.spoiled.eq(1)

    def _receive(self, m, state, check):
        """Take a command, byte by byte."""
        byte, waiting, left = state.byte, state.waiting, state.left
        with m.State("OPCODE"):
            m.d.comb += [state.take.eq(1), check.start.eq(1), check.valid.eq(waiting)]
            with m.If(waiting):
                m.d.sync += [state.opcode.eq(byte[4:]), state.flags.eq(byte[:4])]
                m.next = "CHECK"
                with m.Switch(byte[4:]):
                    for opcode, count in PAYLOAD.items():
                        with m.Case(opcode >> 4):
                            m.d.sync += left.eq(count)
                            m.next = "PAYLOAD"
            with m.Elif(state.silent):
                m.d.sync += state.spoiled.eq(0)
        with m.State("PAYLOAD"):
            m.d.comb += [state.take.eq(1), check.valid.eq(waiting)]
            with m.If(waiting):
                m.d.sync += left.eq(left - 1)
                with m.Switch(left):
                    with m.Case(6):
                        m.d.sync += state.address[:8].eq(byte)
                    with m.Case(5):
                        m.d.sync += state.address[8:].eq(byte)
                    with m.Default():
                        m.d.sync += state.word.eq(Cat(state.word[8:], byte))
                with m.If((left == 1) | ((left == 5) & (state.opcode == Opcode.READ >> 4))):
                    m.next = "CHECK"
            with m.Elif(state.silent):
                m.next = "OPCODE"
        with m.State("CHECK"):
            m.d.comb += [state.take.eq(1), check.valid.eq(waiting)]
            with m.If(waiting):
                m.next = "EXECUTE"
            with m.Elif(state.silent):
                m.next = "OPCODE"

    def _execute(self, m, state):
        """Begin what the command asks for; stays until the bus has taken it."""
        flags, results = state.flags, self.results
        m.next = "EXECUTE"
        with m.Switch(state.opcode):
            with m.Case(Opcode.HELLO >> 4, Opcode.RESET >> 4):
                m.d.comb += self.restart.eq(state.opcode == Opcode.RESET >> 4)
                m.d.sync += state.word.eq(self.hello)
                self._answer(m, state, Status.OKAY)
            with m.Case(Opcode.READ >> 4):
                m.d.comb += self.axi.arvalid.eq(1)
                with m.If(self.axi.arready):
                    m.next = "READ"
            with m.Case(Opcode.WRITE >> 4):
                self._request_write(m)
            with m.Case(Opcode.PIXELS >> 4):
                m.d.sync += state.pixels_shut.eq(0)
                m.next = "PIXELS"
                with m.If(~self.pixels.tready | (state.pixels_shut & ~flags.first)):
                    m.d.sync += state.pixels_shut.eq(1)
                    self._answer(m, state, Status.BUSY)
            with m.Case(Opcode.TAKE >> 4):
                with m.If(flags.first):
                    m.d.sync += state.results_shut.eq(0)
                self._answer(m, state, Status.BUSY)
                with m.If(results.tvalid & (flags.first | ~state.results_shut)):
                    m.d.comb += results.tready.eq(1)
                    m.d.sync += [state.word.eq(results.tdata), state.results_shut.eq(results.tlast)]
                    self._answer(m, state, Mux(results.tlast, Status.LAST, Status.OKAY))
            with m.Default():
                self._answer(m, state, Status.REFUSED)

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

    def _send_pixels(self, m, state):
        """Offer the bytes that count, the first ones in the lowest bits."""
        pixels, flags, size = self.pixels, state.flags, self._pixel_bits // 8
        ending = Signal()
        m.d.comb += [
            ending.eq(flags.count < size),
            pixels.tvalid.eq(1),
            pixels.tlast.eq(flags.last & ending),
            pixels.tkeep.eq(Cat(flags.count >= at for at in range(size))),
        ]
        with m.If(pixels.tready):
            m.d.sync += [
                state.word.eq(state.word >> self._pixel_bits),
                flags.count.eq(flags.count - size),
            ]
            with m.If(ending):
                self._answer(m, state, Status.OKAY)

    def _answer(self, m, state, status):
        m.d.sync += [state.status.eq(status), state.left.eq(ANSWER_BYTES - 1)]
        m.next = "ANSWER"

    def _send_answer(self, m, state, check):
        """Status, word and check byte, one after another."""
        begin, end = state.left == ANSWER_BYTES - 1, state.left == 0
        payload = Mux(begin, Cat(state.status, Const(TOP, 4)), state.word[:8])
        with m.State("ANSWER"):
            m.d.comb += [
                self.bytes.valid.eq(1),
                self.bytes.payload.eq(Mux(end, check.crc, payload)),
                state.answering.eq(1),
            ]
            with m.If(self.bytes.ready):
                m.d.comb += [check.start.eq(begin), check.valid.eq(1)]
                m.d.sync += state.left.eq(state.left - 1)
                with m.If(~begin):
                    m.d.sync += state.word.eq(state.word >> 8)
                with m.If(end):
                    m.next = "OPCODE"
                    with m.If(state.status == Status.REFUSED & 0xF):
                        m.next = "DEAF"
        m.d.comb += check.data.eq(Mux(state.answering, payload, state.byte))

    def _address_bus(self, m, state):
        m.d.comb += [
            self.axi.awaddr.eq(state.address),
            self.axi.araddr.eq(state.address),
            self.axi.wdata.eq(state.word),
            self.axi.wstrb.eq(0b1111),
            self.pixels.tdata.eq(state.word),
        ]


class _State:
    """Registers and wires that the states share."""

    def __init__(self):
        self.opcode, self.status = Signal(4), Signal(4)
        self.flags = Signal(data.StructLayout({"count": 2, "last": 1, "first": 1}))
        self.address, self.word = Signal(ADDRESS_BITS), Signal(32)
        self.left = Signal(3)
        self.pixels_shut, self.results_shut, self.spoiled = Signal(), Signal(), Signal()
        self.byte, self.waiting, self.take = Signal(8), Signal(), Signal()
        self.silent, self.answering = Signal(), Signal()


def _power_of_two(name, value, low, high):
    if require_range(name, value, low, high) & (value - 1):
        raise UserError(f"{name} must be a power of two, not {value}")
    return value
