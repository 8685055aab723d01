# SPDX-License-Identifier: Apache-2.0
"""The serial bridge's states that take a command byte by byte and send its answer."""

from amaranth.hdl import Cat, Const, Mux, Signal
from amaranth.lib import data
from amaranth.lib.crc import Algorithm, Processor

from scaledrop.driver.protocol import ANSWER_BYTES, Opcode, Status

__all__ = ["ADDRESS_BITS", "SerialFraming"]

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


class SerialFraming:
    """Registers of the bridge, and those of its states that deal with bytes alone.

    One shift register of 32 bits holds the word of a command and then that of its answer, one check
    looks at both, one counter counts the bytes of both: they never overlap.

    byte, waiting, take     a byte that waits, if one does; it is taken
    silent                  none has come for a while
    spoiled                 something came that was no byte, or found no room
    opcode, flags           of the command
    address, word           of the command; the word of the answer
    """

    def __init__(self):
        self.byte, self.waiting, self.take = Signal(8), Signal(), Signal()
        self.silent, self.spoiled = Signal(), Signal()
        flags = data.StructLayout({"count": 2, "last": 1, "first": 1})
        # A command writes all of these before anything reads them.
        self.opcode, self.flags = Signal(4, reset_less=True), Signal(flags, reset_less=True)
        self.address = Signal(ADDRESS_BITS, reset_less=True)
        self.word = Signal(32, reset_less=True)
        self._left, self._status, self._answering = Signal(3), Signal(4), Signal()
        self._check = Processor(CHECK(data_width=8))

    @property
    def whole(self):
        """The check byte was right, and nothing was lost."""
        return self._check.match_detected & ~self.spoiled

    def receive(self, m):
        """States from OPCODE, which ends in EXECUTE with a command."""
        m.submodules.check = self._check
        check, waiting = self._check, self.waiting
        with m.State("OPCODE"):
            m.d.comb += [self.take.eq(1), check.start.eq(1), check.valid.eq(waiting)]
            with m.If(waiting):
                self._begin(m)
            with m.Elif(self.silent):
                m.d.sync += self.spoiled.eq(0)
        with m.State("PAYLOAD"):
            m.d.comb += [self.take.eq(1), check.valid.eq(waiting)]
            with m.If(waiting):
                self._keep(m)
            with m.Elif(self.silent):
                m.next = "OPCODE"
        with m.State("CHECK"):
            m.d.comb += [self.take.eq(1), check.valid.eq(waiting)]
            with m.If(waiting):
                m.next = "EXECUTE"
            with m.Elif(self.silent):
                m.next = "OPCODE"

    def _begin(self, m):
        m.d.sync += [self.opcode.eq(self.byte[4:]), self.flags.eq(self.byte[:4])]
        m.next = "CHECK"
        with m.Switch(self.byte[4:]):
            for opcode, count in PAYLOAD.items():
                with m.Case(opcode >> 4):
                    m.d.sync += self._left.eq(count)
                    m.next = "PAYLOAD"

    def _keep(self, m):
        left = self._left
        m.d.sync += left.eq(left - 1)
        with m.Switch(left):
            with m.Case(6):
                m.d.sync += self.address[:8].eq(self.byte)
            with m.Case(5):
                m.d.sync += self.address[8:].eq(self.byte)
            with m.Default():
                self.shift(m)
        with m.If((left == 1) | ((left == 5) & (self.opcode == Opcode.READ >> 4))):
            m.next = "CHECK"

    def begin_wait(self, m):
        """Have patience for 7 cycles, which the counter of bytes counts meanwhile."""
        m.d.sync += self._left.eq(7)

    def wait(self, m):
        """A cycle of patience less; returns whether there is none left."""
        m.d.sync += self._left.eq(self._left - 1)
        return self._left == 0

    def shift(self, m):
        """The next byte of the word, and the one that came last at its other end."""
        m.d.sync += self.word.eq(Cat(self.word[8:], self.byte))

    def answer(self, m, status):
        """Go on with an answer of this status, a Status or an AXI response, and of ``word``."""
        m.d.sync += [self._status.eq(status), self._left.eq(ANSWER_BYTES - 1)]
        m.next = "ANSWER"

    def send(self, m, stream):
        """State ANSWER: status, word and check byte; then OPCODE, or DEAF after REFUSED."""
        check, left = self._check, self._left
        begin, end = left == ANSWER_BYTES - 1, left == 0
        payload = Mux(begin, Cat(self._status, Const(TOP, 4)), self.word[:8])
        m.d.comb += check.data.eq(Mux(self._answering, payload, self.byte))
        with m.State("ANSWER"):
            m.d.comb += [
                self._answering.eq(1),
                stream.valid.eq(1),
                stream.payload.eq(Mux(end, check.crc, payload)),
            ]
            with m.If(stream.ready):
                m.d.comb += [check.start.eq(begin), check.valid.eq(1)]
                m.d.sync += left.eq(left - 1)
                with m.If(~begin):
                    self.shift(m)
                with m.If(end):
                    m.next = "OPCODE"
                    with m.If(self._status == Status.REFUSED & 0xF):
                        m.next = "DEAF"
