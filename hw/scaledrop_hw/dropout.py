# SPDX-License-Identifier: Apache-2.0
"""Dropout controller: one fresh stochastic bit per request from the one spin unit."""

from dataclasses import dataclass

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from scaledrop.numbers import DROP_BITS
from scaledrop_hw.checks import require_range

__all__ = ["DropoutController", "SpinSignature", "SpinTiming"]


SpinSignature = wiring.Signature(
    {
        "reset": Out(1),
        "write": Out(1),
        "read": Out(1),
        "drive": Out(DROP_BITS),
        "sense": In(1),
    }
)
"""Port to the spin unit: three pulses, the drive code of the write, and the sensed state.

``reset`` returns the device to its initial state, ``write`` switches it with probability
``drive / 2**16``, ``read`` senses it: ``sense`` must be valid in the last cycle of the pulse.
"""


@dataclass(frozen=True)
class SpinTiming:
    """Cycles of each pulse and of the pause after reset, each 1 to 255 (pause 0 to 255)."""

    reset: int = 2
    settle: int = 1
    write: int = 1
    read: int = 1

    def __post_init__(self):
        for name in ("reset", "write", "read"):
            require_range(f"spin {name} cycles", getattr(self, name), 1, 255)
        require_range("spin settle cycles", self.settle, 0, 255)

    @property
    def cycles(self):
        """Cycles from the one after a request to the one before its bit is offered."""
        return self.reset + self.settle + self.write + self.read


class DropoutController(wiring.Component):
    """Serves requests for stochastic bits from one spin unit, one at a time, in order.

    Each request runs reset, settle, write at the layer's drive code, read; the sensed state is
    offered once and never again. Sense 1 (the device switched) means that the scale is dropped, so
    the mask bit is m = not sense.

    Parameters
    ----------
    layers : int
    timing : SpinTiming

    Members
    -------
    request : In(stream of layer index)
    bits : Out(stream of 1 bit)
        Mask bit m. One transfer per request; held until taken.
    spin : Out(SpinSignature)
    serving : Out(layer index); code : In(16)
        Layer of the request in progress, and its drive code in the same cycle: the device switches
        with probability code / 65536.

    Timing
    ------
    A bit is offered ``timing.cycles + 1`` cycles after its request; the next request is taken one
    cycle after the bit. Idle after reset.

    Stochastic contract
    -------------------
    Exactly one device write per request; the bit of request k is the k-th transfer on ``bits``.

    Reference
    ---------
    arXiv 2311.15816, one dropout module for the whole model.
    """

    def __init__(self, *, layers, timing=SpinTiming()):
        self._layers = require_range("number of layers", layers, 1, 1024)
        self._timing = timing
        layer = range(max(layers, 2))
        super().__init__(
            {
                "request": In(stream.Signature(Signal(layer).shape())),
                "bits": Out(stream.Signature(1)),
                "spin": Out(SpinSignature),
                "serving": Out(Signal(layer).shape()),
                "code": In(DROP_BITS),
            }
        )

    @property
    def layers(self):
        return self._layers

    @property
    def timing(self):
        return self._timing

    def elaborate(self, platform):
        m = Module()
        count = Signal(range(256))
        keep = Signal()
        m.d.comb += [self.spin.drive.eq(self.code), self.bits.payload.eq(keep)]

        def hold(name, cycles, following):
            with m.State(name):
                m.d.sync += count.eq(count + 1)
                with m.If(count == cycles - 1):
                    m.d.sync += count.eq(0)
                    m.next = following
                if name != "SETTLE":
                    m.d.comb += getattr(self.spin, name.lower()).eq(1)

        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += self.request.ready.eq(1)
                with m.If(self.request.valid):
                    m.d.sync += self.serving.eq(self.request.payload)
                    m.next = "RESET"
            hold("RESET", self._timing.reset, "SETTLE" if self._timing.settle else "WRITE")
            if self._timing.settle:
                hold("SETTLE", self._timing.settle, "WRITE")
            hold("WRITE", self._timing.write, "READ")
            hold("READ", self._timing.read, "OFFER")
            with m.State("OFFER"):
                m.d.comb += self.bits.valid.eq(1)
                with m.If(self.bits.ready):
                    m.next = "IDLE"
        with m.If(self.spin.read):
            m.d.sync += keep.eq(~self.spin.sense)
        return m
