# SPDX-License-Identifier: Apache-2.0
"""AXI4-Lite slave: one access at a time for a plain register bus."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from scaledrop_hw.checks import require_range

__all__ = ["OKAY", "SLVERR", "AxiLiteSlave", "axi_lite_signature", "bus_signature"]

DATA_BITS = 32
STROBES = DATA_BITS // 8
OKAY, SLVERR = 0, 2


def axi_lite_signature(address_bits):
    """AXI4-Lite with 32 bits of data, from the master's side."""
    return wiring.Signature(
        {
            "awvalid": Out(1),
            "awready": In(1),
            "awaddr": Out(address_bits),
            "awprot": Out(3),
            "wvalid": Out(1),
            "wready": In(1),
            "wdata": Out(DATA_BITS),
            "wstrb": Out(STROBES),
            "bvalid": In(1),
            "bready": Out(1),
            "bresp": In(2),
            "arvalid": Out(1),
            "arready": In(1),
            "araddr": Out(address_bits),
            "arprot": Out(3),
            "rvalid": In(1),
            "rready": Out(1),
            "rdata": In(DATA_BITS),
            "rresp": In(2),
        }
    )


def bus_signature(address_bits):
    """Register bus, from the side that asks.

    An access happens in the cycle in which ``valid`` and ``ready`` are high; ``word`` and ``error``
    belong to that cycle. Until then the one who asks holds everything as it is.

    address         of a word: the byte address without its two lowest bits
    data, strobe    to be written, and which bytes of it; of no meaning in a read
    word            what was read
    error           refused: nothing was written
    """
    return wiring.Signature(
        {
            "valid": Out(1),
            "ready": In(1),
            "write": Out(1),
            "address": Out(address_bits - 2),
            "data": Out(DATA_BITS),
            "strobe": Out(STROBES),
            "word": In(DATA_BITS),
            "error": In(1),
        }
    )


class AxiLiteSlave(wiring.Component):
    """Takes a write and a read at once and makes them one after the other.

    Address and data of a write may come in any order. The two lowest address bits and the
    protection bits are not heeded. Where both wait, they take turns.

    Parameters
    ----------
    address_bits : int
        Of a byte address, 3 to 32.

    Members
    -------
    axi : In(axi_lite_signature(address_bits))
        Response OKAY, or SLVERR where the bus reports an error.
    bus : Out(bus_signature(address_bits))

    Timing
    ------
    With a bus that answers at once, a response is valid 3 cycles after the last of its requests
    was accepted, and an access can be accepted every 3 cycles. Outputs depend on registers only.
    While a response waits, the other direction goes on. A write that follows another one at once
    is not yet there when the bus is given away again, so neither direction starves. After reset
    nothing is held.
    """

    def __init__(self, *, address_bits):
        self._address_bits = require_range("address_bits", address_bits, 3, 32)
        super().__init__(
            {
                "axi": In(axi_lite_signature(address_bits)),
                "bus": Out(bus_signature(address_bits)),
            }
        )

    @property
    def address_bits(self):
        return self._address_bits

    def elaborate(self, platform):
        m = Module()
        axi, bus = self.axi, self.bus
        write_address, address_held = self._hold(m, "aw", axi.awaddr)
        data, data_held = self._hold(m, "w", axi.wdata)
        read_address, read_held = self._hold(m, "ar", axi.araddr)
        strobe = Signal(STROBES)
        with m.If(axi.wvalid & axi.wready):
            m.d.sync += strobe.eq(axi.wstrb)
        m.d.comb += [
            bus.address.eq(Mux(bus.write, write_address, read_address)[2:]),
            bus.data.eq(data),
            bus.strobe.eq(strobe),
        ]
        with m.If(axi.bready):
            m.d.sync += axi.bvalid.eq(0)
        with m.If(axi.rready):
            m.d.sync += axi.rvalid.eq(0)
        writes = address_held & data_held & ~axi.bvalid
        reads = read_held & ~axi.rvalid
        with m.FSM():
            with m.State("IDLE"):
                with m.If(writes):
                    m.next = "WRITE"
                with m.Elif(reads):
                    m.next = "READ"
            with m.State("WRITE"):
                m.d.comb += [bus.valid.eq(1), bus.write.eq(1)]
                with m.If(bus.ready):
                    m.d.sync += [
                        address_held.eq(0),
                        data_held.eq(0),
                        axi.bvalid.eq(1),
                        axi.bresp.eq(Mux(bus.error, SLVERR, OKAY)),
                    ]
                    m.next = "IDLE"
            with m.State("READ"):
                m.d.comb += bus.valid.eq(1)
                with m.If(bus.ready):
                    m.d.sync += [
                        read_held.eq(0),
                        axi.rvalid.eq(1),
                        axi.rdata.eq(bus.word),
                        axi.rresp.eq(Mux(bus.error, SLVERR, OKAY)),
                    ]
                    m.next = "IDLE"
        return m

    def _hold(self, m, channel, payload):
        """A request of a channel, from its acceptance until it has been made."""
        valid, ready = (getattr(self.axi, f"{channel}{name}") for name in ("valid", "ready"))
        held = Signal(name=f"{channel}_held")
        kept = Signal(payload.shape(), name=f"{channel}_kept")
        m.d.comb += ready.eq(~held)
        with m.If(valid & ready):
            m.d.sync += [held.eq(1), kept.eq(payload)]
        return kept, held
