# SPDX-License-Identifier: Apache-2.0
"""Calibrator: drive codes that hold each layer's probability while the device drifts."""

from amaranth.hdl import C, Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from scaledrop.calibration import Calibration, CalibrationTwin
from scaledrop.numbers import DROP_BITS
from scaledrop_hw.calibration_loop import CalibrationLoop
from scaledrop_hw.checks import require_range

__all__ = ["Calibrator"]


class Calibrator(wiring.Component):
    """Holds p = target / 2**16 for each layer by moving its drive code with the bits it gives.

    Over a window of N bits, exactly: ``error = N target - 2**16 ones``. A search by halving steps
    with bits drawn for it, then ``code += error << shift`` with the bits drawn in use; see
    :mod:`scaledrop.calibration` for the loop and its numbers. ``code`` is the drive of the highest
    ``dac_bits`` bits, dithered by those below.

    Parameters
    ----------
    layers : int
        1 to 1024.
    dac_bits, window_bits, fraction_bits, lock_windows, lose_windows : int
        Of :class:`scaledrop.calibration.Calibration`.

    Members
    -------
    enable : In(1)
        Low: every layer's target goes out unchanged, in the same cycle, and all is forgotten.
    start : In(1)
        Strobe: search anew, all layers one after the other. Ignored while ``enable`` is low.
    target : In(ArrayLayout(16, layers))
        Drop codes, steady from ``start`` on. Code 0 is not searched: it goes out unchanged.
    request : Out(stream of layer index)
        Own draws of the search; a request stays until it is taken.
    busy : Out(1)
        A search is going on.
    serving : In(layer index); code : Out(16)
        Layer of the bit being written and its drive code, combinational. The target until the
        layer's search has begun.
    bit_valid : In(1); bit : In(1); bit_layer : In(layer index)
        A bit as it is drawn, 1 if the device switched. While ``busy``, bits that come before the
        request is taken are not counted; the first one after it is the own draw.
    locked : Out(layers)
        Layers that are held, and those of code 0 once the search has come to them.
    lost : Out(1)
        Strobe: a layer has lost its lock.
    select : In(layer index); value : Out(16)
        A layer's drive code without dither, combinational; the target as for ``code``.

    Timing
    ------
    A bit given in cycle t shows in ``code`` from cycle t + 2 on; the last one of a window shows in
    ``code``, ``value`` and ``locked`` from t + 3 on, and ``lost`` strobes in t + 2. Bits come 3
    cycles or more apart; others are not counted. A layer's search takes ``steps << window_bits``
    draws, each 2 cycles longer than the bit takes from its request, 3 at the end of a window, and 1
    cycle on top; a layer of code 0 takes 1 cycle. ``start`` and a low ``enable`` are obeyed at
    once, or after the own draw that is under way: its bit is not counted. Bypass after reset.

    Stochastic contract
    -------------------
    One bit is consumed for each request, none twice; the bits of the search reach nobody else.
    """

    def __init__(
        self,
        *,
        layers,
        dac_bits=10,
        window_bits=10,
        fraction_bits=16,
        lock_windows=16,
        lose_windows=2,
    ):
        self._layers = require_range("number of layers", layers, 1, 1024)
        self._config = Calibration(dac_bits, window_bits, fraction_bits, lock_windows, lose_windows)
        layer = Signal(range(max(layers, 2))).shape()
        super().__init__(
            {
                "enable": In(1),
                "start": In(1),
                "target": In(data.ArrayLayout(DROP_BITS, layers)),
                "request": Out(stream.Signature(layer)),
                "busy": Out(1),
                "serving": In(layer),
                "code": Out(DROP_BITS),
                "bit_valid": In(1),
                "bit": In(1),
                "bit_layer": In(layer),
                "locked": Out(layers),
                "lost": Out(1),
                "select": In(layer),
                "value": Out(DROP_BITS),
            }
        )

    @property
    def layers(self):
        return self._layers

    @property
    def config(self):
        return self._config

    def twin(self):
        """The same loop on plain integers."""
        return CalibrationTwin(self._config, self._layers)

    def _memories(self, m, loop, put, at):
        """A layer's word, read at ``bit_layer`` or, searching, at ``at``; its codes for all."""
        dac_bits = self._config.dac_bits
        depth = max(self._layers, 2)
        shown = data.StructLayout({"drive": dac_bits, "value": DROP_BITS})
        m.submodules.words = words = Memory(shape=loop.after.shape(), depth=depth, init=[])
        m.submodules.codes = codes = Memory(shape=shown, depth=depth, init=[])
        word, read = words.write_port(), words.read_port()
        new, serving, select = codes.write_port(), *(codes.read_port(domain="comb") for _ in "ab")
        m.d.comb += [
            *(port.addr.eq(at) for port in (word, new)),
            *(port.en.eq(put) for port in (word, new)),
            word.data.eq(loop.after),
            new.data.drive.eq(loop.drive),
            new.data.value.eq(loop.after.code[self._config.fraction_bits :]),
            serving.addr.eq(self.serving),
            select.addr.eq(self.select),
            read.addr.eq(Mux(self.busy, at, self.bit_layer)),
            read.en.eq(0),
            loop.before.eq(read.data),
        ]
        drive = Cat(C(0, DROP_BITS - dac_bits), serving.data.drive)
        return read, drive, select.data.value

    def _codes(self, m, begun, drive, value):
        """What goes out for ``serving`` and ``select``: what is held, or the target."""
        for code, layer, held in (
            (self.code, self.serving, drive),
            (self.value, self.select, value),
        ):
            holds = self.enable & begun.bit_select(layer, 1) & (self.target[layer] != 0)
            m.d.comb += code.eq(Mux(holds, held, self.target[layer]))

    def _orders(self, m):
        """``start`` and a low ``enable``, kept until they can be obeyed."""
        kept_start, kept_stop, anew, stop = (
            Signal(name=name) for name in ("kept_start", "kept_stop", "anew", "stop")
        )
        m.d.comb += [
            anew.eq(self.enable & (self.start | kept_start)),
            stop.eq(~anew & (~self.enable | kept_stop)),
        ]
        m.d.sync += [kept_start.eq(anew), kept_stop.eq(stop)]
        return anew, stop, [kept_start.eq(0), kept_stop.eq(0)]

    def _unless_ordered(self, m, orders, at):
        """Obeys; returns the context of what is done otherwise."""
        anew, stop, obeyed = orders
        with m.If(anew):
            m.d.sync += [at.eq(0), self.busy.eq(1), *obeyed]
            m.next = "BEGIN"
        with m.Elif(stop):
            m.d.sync += [self.busy.eq(0), *obeyed]
            m.next = "BYPASS"
        return m.Else()

    def _next_layer(self, m, at):
        """The search of the next layer, or use."""
        with m.If(at == self._layers - 1):
            m.d.sync += self.busy.eq(0)
            m.next = "TRACK"
        with m.Else():
            m.d.sync += at.eq(at + 1)
            m.next = "BEGIN"

    def _flow(self, m, loop, read, put, at):
        """Whose bit is taken when; returns where layer ``at`` begins and where nothing is held."""
        orders, bare = self._orders(m), Signal()
        m.d.comb += [self.request.payload.eq(at), bare.eq(loop.target == 0)]
        with m.FSM() as flow:
            with m.State("BYPASS"), self._unless_ordered(m, orders, at):
                pass
            with m.State("BEGIN"):
                m.d.comb += [loop.fresh.eq(1), put.eq(1)]
                m.next = "REQUEST"
                with m.If(bare):
                    self._next_layer(m, at)
            with m.State("REQUEST"):
                m.d.comb += self.request.valid.eq(1)
                with m.If(self.request.ready):
                    m.next = "WAIT"
            with m.State("WAIT"):
                m.d.comb += read.en.eq(self.bit_valid)
                with m.If(self.bit_valid), self._unless_ordered(m, orders, at):
                    m.next = "COUNT"
            with m.State("TRACK"):
                m.d.comb += read.en.eq(self.bit_valid)
                with self._unless_ordered(m, orders, at), m.If(self.bit_valid):
                    m.d.sync += at.eq(self.bit_layer)
                    with m.If(self.target[self.bit_layer] != 0):
                        m.next = "COUNT"
            with m.State("COUNT"):
                m.d.comb += put.eq(~loop.last)
                m.d.sync += loop.error.eq(loop.after.error)
                self._resume(m)
                with m.If(loop.last):
                    m.next = "ADAPT"
            with m.State("ADAPT"):
                m.d.comb += [loop.adapt.eq(1), put.eq(1)]
                self._resume(m)
                with m.If(self.busy & (loop.after.step == self._config.steps)):
                    self._next_layer(m, at)
        with m.If(read.en):
            m.d.sync += loop.bit.eq(self.bit)
        return flow.ongoing("BEGIN"), flow.ongoing("BYPASS")

    def _resume(self, m):
        m.next = "TRACK"
        with m.If(self.busy):
            m.next = "REQUEST"

    def _locks(self, m, loop, begin, bypass, begun, at):
        """Which layers have begun, and which are locked."""
        alive, locked = begun.bit_select(at, 1), self.locked.bit_select(at, 1)
        m.d.comb += [loop.locked.eq(locked), self.lost.eq(alive & loop.flips & loop.locked)]
        with m.If(alive & loop.flips):
            m.d.sync += locked.eq(~locked)
        with m.If(begin):
            m.d.sync += [alive.eq(1), locked.eq(loop.target == 0)]
        with m.If(~self.enable | bypass):
            m.d.sync += [begun.eq(0), self.locked.eq(0)]

    def elaborate(self, platform):
        m = Module()
        m.submodules.loop = loop = CalibrationLoop(config=self._config)
        begun, at, put = Signal(self._layers), Signal(self.bit_layer.shape()), Signal()
        m.d.comb += loop.target.eq(self.target[at])
        read, drive, value = self._memories(m, loop, put, at)
        self._codes(m, begun, drive, value)
        begin, bypass = self._flow(m, loop, read, put, at)
        self._locks(m, loop, begin, bypass, begun, at)
        return m
