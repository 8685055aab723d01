# SPDX-License-Identifier: Apache-2.0
"""One step of the calibrator's loop: a layer's word before and after a bit, or after a window."""

from amaranth.hdl import C, Cat, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from scaledrop.calibration import DITHER_BITS, GEAR, LARGEST_BAND, band, bound
from scaledrop.numbers import DROP_BITS

__all__ = ["CalibrationLoop", "word_layout"]


def word_layout(config):
    """What is remembered of a layer; see :class:`scaledrop.calibration.LayerCalibration`."""
    return data.StructLayout(
        {
            "code": unsigned(config.width),
            "error": signed(config.window_bits + DROP_BITS + 1),
            "count": unsigned(config.window_bits),
            "step": range(config.steps + 1),
            "dither": unsigned(DITHER_BITS),
            "streak": range(max(config.lock_windows, config.lose_windows) + 1),
        }
    )


class CalibrationLoop(wiring.Component):
    """Combinational; ``after`` is the word of

        fresh          a layer whose search begins
        adapt          the end of a window: code + (error << shift), or a step of the search
        neither        one more bit: error + target - (bit << 16)

    and ``drive`` the DAC code of the next bit. The two sums share one adder.

    Parameters
    ----------
    config : scaledrop.calibration.Calibration

    Members
    -------
    before : In(word_layout)
    fresh, adapt : In(1)
    target : In(16); bit : In(1)
    locked : In(1)
        The layer is locked; it is with its word, but visible to all.
    error : In(signed)
        Sum over the window that ends, for ``adapt``: ``after.error`` of its last bit.
    after : Out(word_layout); drive : Out(dac_bits)
    last : Out(1)
        The bit ends its window: ``adapt`` is to follow, from the same ``before``.
    flips : Out(1)
        With ``adapt``: the layer locks or loses its lock.
    """

    def __init__(self, *, config):
        self._config = config
        word = word_layout(config)
        super().__init__(
            {
                "before": In(word),
                "fresh": In(1),
                "adapt": In(1),
                "target": In(DROP_BITS),
                "bit": In(1),
                "locked": In(1),
                "error": In(word["error"].shape),
                "after": Out(word),
                "drive": Out(config.dac_bits),
                "last": Out(1),
                "flips": Out(1),
            }
        )

    @property
    def config(self):
        return self._config

    def _octave(self, m, geared, limit, shift):
        """Bound and shift by the highest bit of q = min(p, 1 - p); q = 2**-16 has none."""
        config, folded = self._config, Signal(DROP_BITS - 1)
        m.d.comb += folded.eq(Mux(self.target[-1], ~self.target, self.target))
        for target, known in [(65535, 1), *((1 << n, folded[n]) for n in range(DROP_BITS - 1))]:
            long, short = (bound(target, config.length_bits(one)) for one in (False, True))
            with m.If(known):
                m.d.comb += [
                    limit.eq(Mux(geared, short, long)),
                    shift.eq(band(target) + Mux(geared, GEAR, 0)),
                ]

    def _lock(self, m, limit, cut):
        """Windows in a row that speak against the present state."""
        config, before = self._config, self.before
        missed, inside, against = self.error >> DROP_BITS, Signal(), Signal()
        wanted = Mux(self.locked, config.lose_windows, config.lock_windows)
        m.d.comb += [
            inside.eq(~cut & (missed >= -limit) & (missed < limit)),
            against.eq(inside != self.locked),
            self.flips.eq(against & (before.streak + 1 == wanted)),
            self.after.streak.eq(Mux(against & ~self.flips, before.streak + 1, 0)),
        ]

    def _aim(self, m):
        """One step of the modulator on the new code."""
        places = self._config.width - self._config.dac_bits
        total, dac = Signal(DITHER_BITS + 1), self.after.code[places:]
        m.d.comb += [
            total.eq(self.before.dither + self.after.code[places - DITHER_BITS : places]),
            self.after.dither.eq(total),
            self.drive.eq(dac + (total[-1] & ~dac.all())),
        ]

    def elaborate(self, platform):
        m = Module()
        config, before, after = self._config, self.before, self.after
        width = config.width
        wide = signed(max(width, config.window_bits + DROP_BITS + LARGEST_BAND) + 2)
        addend, added, cut = Signal(wide), Signal(wide), Signal()
        searching, geared = Signal(), Signal()
        limit = Signal(range(bound(1 << (DROP_BITS - 1), config.window_bits) + 1))
        shift = Signal(range(LARGEST_BAND + GEAR + 1))
        self._octave(m, geared, limit, shift)
        halves = [C(sign << (width - 2), signed(width)) for sign in (1, -1)]
        halving = Mux(self.error < 0, halves[1], halves[0]) >> before.step
        short = before.count[: config.length_bits(True)]
        m.d.comb += [
            searching.eq(before.step != config.steps),
            geared.eq(~searching & ~self.locked),
            self.last.eq(Mux(geared, short.all(), before.count.all())),
            added.eq(Mux(self.adapt, before.code, before.error) + addend),
            addend.eq(Cat(self.target, self.bit).as_signed()),
            after.eq(before),
        ]
        with m.If(self.fresh):
            m.d.comb += after.eq(after.shape().const({"code": 1 << (width - 1)}))
        with m.Elif(self.adapt):
            m.d.comb += [
                addend.eq(Mux(searching, halving, self.error << shift)),
                cut.eq(added >> width != 0),
                after.code.eq(Mux(cut, Mux(added < 0, 0, -1), added)),
                after.error.eq(0),
                after.count.eq(0),
                after.step.eq(before.step + searching),
            ]
            with m.If(~searching):
                self._lock(m, limit, cut)
        with m.Else():
            m.d.comb += [after.error.eq(added), after.count.eq(before.count + 1)]
        self._aim(m)
        with m.If(self.fresh):
            m.d.comb += after.dither.eq(0)
        return m
