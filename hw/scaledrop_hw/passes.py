# SPDX-License-Identifier: Apache-2.0
"""Pass control, mode ``passes``: T passes one after another, one fresh bit per layer per pass."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from scaledrop_hw.checks import require_range
from scaledrop_hw.sequencer import command_layout

__all__ = ["PassControl"]


class PassControl(wiring.Component):
    """Commands every layer of every pass of an image, and requests their bits in the same order.

    Commands and requests are two walks over (pass, layer): requests run ahead as far as the dropout
    controller takes them, so that a bit is ready before its layer's first sum. All stochastic bits
    go through this component, so that another mode can be another component in its place.

    Parameters
    ----------
    layers : int
    max_passes : int
        Largest T, 1 to 65535.

    Members
    -------
    passes : In(range(max_passes + 1))
        T; sampled when an image starts. 0 is taken as 1.
    available : In(1); free : Out(1)
        To the image buffer.
    command : Out(stream of command_layout)
    request : Out(stream of layer index)
    done : In(1)
        The running layer is done.
    drawn_bits : In(stream of 1 bit); mask_bits : Out(stream of 1 bit)
        What the dropout controller draws, and what the layers use: here the same, in the same
        order. A mode that counts or chooses bits does so between the two.

    Timing
    ------
    The first command comes one cycle after ``available``; ``free`` with the last layer's
    ``done``. An image that is already there waits two cycles between the one before it and its
    first layer.

    Stochastic contract
    -------------------
    Exactly ``layers * T`` requests per image, none before the image is held.
    """

    def __init__(self, *, layers, max_passes):
        self._layers = require_range("number of layers", layers, 1, 1024)
        self._max_passes = require_range("max_passes", max_passes, 1, 65535)
        layer = Signal(range(max(layers, 2))).shape()
        super().__init__(
            {
                "passes": In(range(max_passes + 1)),
                "available": In(1),
                "free": Out(1),
                "command": Out(stream.Signature(command_layout(layers))),
                "request": Out(stream.Signature(layer)),
                "done": In(1),
                "drawn_bits": In(stream.Signature(1)),
                "mask_bits": Out(stream.Signature(1)),
            }
        )

    @property
    def layers(self):
        return self._layers

    @property
    def max_passes(self):
        return self._max_passes

    def _walk(self, m, name, start, output):
        """Counters over (pass, layer) that advance with each transfer of ``output``."""
        walking = Signal(name=f"{name}_walking")
        layer = Signal(self.request.payload.shape(), name=f"{name}_layer")
        left = Signal(range(self._max_passes + 1), name=f"{name}_passes_left")
        last_layer, last = Signal(name=f"{name}_last_layer"), Signal(name=f"{name}_last")
        m.d.comb += [
            output.valid.eq(walking),
            last_layer.eq(layer == self._layers - 1),
            last.eq(last_layer & (left == 1)),
        ]
        with m.If(output.valid & output.ready):
            m.d.sync += layer.eq(layer + 1)
            with m.If(last_layer):
                m.d.sync += [layer.eq(0), left.eq(left - 1)]
            with m.If(last):
                m.d.sync += walking.eq(0)
        with m.If(start):
            m.d.sync += [walking.eq(1), left.eq(Mux(self.passes == 0, 1, self.passes))]
        return walking, layer, left

    def elaborate(self, platform):
        m = Module()
        start, first = Signal(), Signal()
        connect(m, flipped(self.drawn_bits), flipped(self.mask_bits))
        commanding, layer, left = self._walk(m, "command", start, self.command)
        _, requested, _ = self._walk(m, "request", start, self.request)
        payload = self.command.payload
        m.d.comb += [
            self.request.payload.eq(requested),
            payload.layer.eq(layer),
            payload.first_pass.eq(first),
            payload.last_pass.eq(left == 1),
        ]
        with m.If(self.command.valid & self.command.ready & (layer == self._layers - 1)):
            m.d.sync += first.eq(0)
        with m.FSM():
            with m.State("IDLE"), m.If(self.available):
                m.d.comb += start.eq(1)
                m.d.sync += first.eq(1)
                m.next = "RUN"
            with m.State("RUN"), m.If(self.done & ~commanding):
                m.d.comb += self.free.eq(1)
                m.next = "IDLE"
        return m
