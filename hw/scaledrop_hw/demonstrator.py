# SPDX-License-Identifier: Apache-2.0
"""The demonstrator: a system, a serial line that reaches it, and a source of bits."""

from amaranth.hdl import Module, ResetInserter
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect

from scaledrop.driver.protocol import Source
from scaledrop.errors import UserError
from scaledrop.lfsr import MAX_SEED
from scaledrop_hw.bit_generators import LfsrSource, RingSource
from scaledrop_hw.bus_ports import connect_ports
from scaledrop_hw.checks import require_range
from scaledrop_hw.serial_bridge import SerialBridge
from scaledrop_hw.uart import UartReceiver, UartTransmitter, baud_divisor

__all__ = ["SOURCES", "Demonstrator"]

SOURCES = {"lfsr": Source.LFSR, "ring": Source.RING}
SILENCE_S = 0.05


class Demonstrator(wiring.Component):
    """A system that a host reaches over a serial line, with pseudo-random bits or those of ring
    oscillators: STAND-INS for the magnetic device that no FPGA has.

    Parameters
    ----------
    system : System
    clock_hz, baud : int
        See baud_divisor.
    source : "lfsr" or "ring"
        See LfsrSource and RingSource.
    seed : int
        Of ``lfsr``.
    family : "ice40", "ecp5" or None
        Of ``ring``: whose cells the oscillators are made of; None is for simulation only.
    buffer : int
        Of the commands that wait; see SerialBridge. 0 takes no memory and is slow.
    quiet : int or None
        Cycles of silence after which a command begins; None takes the power of two from 50 ms on.

    Members
    -------
    rx : In(1); tx : Out(1)
        The line, 8 data bits, no parity, 1 stop bit; commands of scaledrop.driver.protocol.
    busy : Out(1)
        An image is held.
    fault : Out(1)
        The system's interrupt, or the line was misunderstood and bytes are thrown away.

    Timing
    ------
    See SerialBridge. RESET of the protocol resets the system and the source of bits.

    Stochastic contract
    -------------------
    With ``lfsr`` the k-th bit after a reset is drawn from the k-th word of
    scaledrop.lfsr.
    """

    def __init__(
        self, *, system, clock_hz, baud, source="lfsr", seed=0, family=None, buffer=256, quiet=None
    ):
        if source not in SOURCES:
            raise UserError(f"source must be one of {', '.join(SOURCES)}, not {source!r}")
        self._system, self._source = system, source
        self._divisor = baud_divisor(clock_hz, baud)
        self._clock_hz, self._baud = clock_hz, baud
        self._seed, self._family = require_range("seed", seed, 0, MAX_SEED), family
        ring = source == "ring"
        self._bits = RingSource(family=family) if ring else LfsrSource(seed=seed)
        self._bridge = SerialBridge(
            buffer=buffer,
            quiet=_quiet(clock_hz) if quiet is None else quiet,
            pixel_bits=system.pixel_bits,
            source=SOURCES[source],
        )
        super().__init__({"rx": In(1), "tx": Out(1), "busy": Out(1), "fault": Out(1)})

    @property
    def system(self):
        return self._system

    @property
    def clock_hz(self):
        return self._clock_hz

    @property
    def baud(self):
        return self._baud

    @property
    def divisor(self):
        """Clock cycles of a bit on the line."""
        return self._divisor

    @property
    def source(self):
        return self._source

    @property
    def seed(self):
        return self._seed

    @property
    def family(self):
        return self._family

    @property
    def bridge(self):
        return self._bridge

    def elaborate(self, platform):
        m = Module()
        bridge, system, bits = self._bridge, self._system, self._bits
        m.submodules.bridge = bridge
        m.submodules.receiver = receiver = UartReceiver(divisor=self._divisor)
        m.submodules.transmitter = transmitter = UartTransmitter(divisor=self._divisor)
        m.submodules.system = ResetInserter(bridge.restart)(system)
        m.submodules.bits = ResetInserter(bridge.restart)(bits)
        connect_ports(m, system, "s_axi", bridge.axi)
        connect_ports(m, system, "s_axis_pixels", bridge.pixels)
        connect_ports(m, system, "m_axis_results", bridge.results)
        connect(m, bridge.bytes, transmitter.bytes)
        connect(m, system.spin, bits.spin)
        m.d.comb += [
            receiver.rx.eq(self.rx),
            self.tx.eq(transmitter.tx),
            bridge.byte.eq(receiver.byte),
            bridge.valid.eq(receiver.valid),
            bridge.broken.eq(receiver.broken),
            self.busy.eq(system.accelerator.busy),
            self.fault.eq(system.interrupt | bridge.deaf),
        ]
        return m


def _quiet(clock_hz):
    """Power of two of cycles."""
    return max(64, 1 << (int(clock_hz * SILENCE_S) - 1).bit_length())
