# SPDX-License-Identifier: Apache-2.0
"""Serial line: bytes from and to one wire each, 8 data bits, no parity, 1 stop bit."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from scaledrop.errors import UserError
from scaledrop_hw.checks import require_range

__all__ = ["UartReceiver", "UartTransmitter", "baud_divisor"]

LEAST, MOST = 4, 65535
TOLERANCE = 0.02
SYNCHRONISER = 2


def baud_divisor(clock_hz, baud):
    """Clock cycles of a bit, the nearest whole number of them.

    Raises:
        UserError: fewer than 4 or more than 65,535 cycles, or more than 2 % off the rate asked for.
    """
    require_range("clock_hz", clock_hz, 1, 10**10)
    require_range("baud", baud, 1, 10**9)
    cycles = (clock_hz + baud // 2) // baud
    if not LEAST <= cycles <= MOST:
        most, least = clock_hz // LEAST, -(-clock_hz // MOST)
        raise UserError(
            f"baud must be from {least} to {most} with a clock of {clock_hz} Hz, not {baud}"
        )
    got = clock_hz / cycles
    if abs(got / baud - 1) > TOLERANCE:
        raise UserError(
            f"baud {baud} cannot be made of a clock of {clock_hz} Hz: {cycles} cycles a bit give "
            f"{got:.0f}, more than 2 % off; ask for {round(got)}"
        )
    return cycles


class UartReceiver(wiring.Component):
    """Takes bytes from a line, sampled in the middle of each bit.

    Parameters
    ----------
    divisor : int
        Clock cycles of a bit, 4 to 65,535.

    Members
    -------
    rx : In(1)
        The line, 1 at rest; goes through two flip-flops before anything looks at it.
    byte : Out(8); valid : Out(1)
        A byte, in the one cycle in which ``valid`` is high. Nothing holds it.
    broken : Out(1)
        Instead of ``valid``: there was no stop bit.

    Timing
    ------
    A start bit that is gone by its middle is no start bit. ``valid`` comes 9.5 bits and 2 cycles
    after the start bit's edge, to within a cycle, and the next start bit may follow half a bit
    later. So the sender may be off by 5 % less one cycle a bit at most. Waits for the line to be at
    rest after a byte without a stop bit. At rest after reset.
    """

    def __init__(self, *, divisor):
        self._divisor = require_range("divisor", divisor, LEAST, MOST)
        super().__init__({"rx": In(1), "byte": Out(8), "valid": Out(1), "broken": Out(1)})

    @property
    def divisor(self):
        return self._divisor

    def elaborate(self, platform):
        m = Module()
        line = Signal(init=1)
        m.submodules.synchroniser = FFSynchronizer(self.rx, line, init=1, stages=SYNCHRONISER)
        timer = Signal(range(self._divisor))
        # A one walks down ahead of the bits, and is out when all of them are in.
        shifter, begun = Signal(9, init=0x100), Signal()
        m.d.sync += timer.eq(timer - 1)
        with m.FSM():
            with m.State("REST"):
                m.d.sync += [timer.eq((self._divisor - 1) // 2), shifter.eq(0x100), begun.eq(0)]
                with m.If(~line):
                    m.next = "BITS"
            with m.State("BITS"), m.If(timer == 0):
                m.d.sync += [timer.eq(self._divisor - 1), begun.eq(1)]
                with m.If(~begun & line):
                    m.next = "REST"
                with m.Elif(begun & ~shifter[0]):
                    m.d.sync += shifter.eq(Cat(shifter[1:], line))
                with m.Elif(begun):
                    m.d.comb += [self.valid.eq(line), self.broken.eq(~line)]
                    m.next = "BROKEN"
                    with m.If(line):
                        m.next = "REST"
            with m.State("BROKEN"), m.If(line):
                m.next = "REST"
        m.d.comb += self.byte.eq(shifter[1:])
        return m


class UartTransmitter(wiring.Component):
    """Puts bytes on a line: a start bit, eight bits from the lowest on, a stop bit.

    Parameters
    ----------
    divisor : int
        Clock cycles of a bit, 4 to 65,535.

    Members
    -------
    bytes : In(stream of 8 bits)
    tx : Out(1)
        The line, 1 at rest; comes from a flip-flop.

    Timing
    ------
    A byte takes ``10 * divisor`` cycles, and its start bit begins one cycle after it was taken; a
    byte that waits is taken in time to follow without a gap. At rest after reset.
    """

    def __init__(self, *, divisor):
        self._divisor = require_range("divisor", divisor, LEAST, MOST)
        super().__init__({"bytes": In(stream.Signature(8)), "tx": Out(1, init=1)})

    @property
    def divisor(self):
        return self._divisor

    @staticmethod
    def twin(value):
        """The ten bits of a byte on the line."""
        return [0, *(value >> at & 1 for at in range(8)), 1]

    def elaborate(self, platform):
        m = Module()
        timer = Signal(range(self._divisor))
        # Holds the bits still to come and a one above them, which becomes the stop bit.
        shifter = Signal(9)
        ending = Signal()
        m.d.comb += [
            ending.eq(timer == 0),
            self.bytes.ready.eq(ending & (shifter == 0)),
        ]
        with m.If(~ending):
            m.d.sync += timer.eq(timer - 1)
        with m.Elif(shifter != 0):
            m.d.sync += [
                self.tx.eq(shifter[0]),
                shifter.eq(shifter[1:]),
                timer.eq(self._divisor - 1),
            ]
        with m.Elif(self.bytes.valid):
            m.d.sync += [
                self.tx.eq(0),
                shifter.eq(Cat(self.bytes.payload, Const(1, 1))),
                timer.eq(self._divisor - 1),
            ]
        return m
