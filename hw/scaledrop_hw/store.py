# SPDX-License-Identifier: Apache-2.0
"""Store: where a layer's codes go, behind the pool."""

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from scaledrop_hw.checks import require_divides, require_range
from scaledrop_hw.descriptors import Place
from scaledrop_hw.pool import PoolStage

__all__ = ["Store", "store_signature"]


def store_signature(*, layout, rows, lanes, planes, words):
    """Finished codes on their way to the activation buffer or to a window buffer.

    write, write_address, slot      a beat for the activation buffer, region of its outcome
    write_window, y, x, group       a beat for the running layer's target window
    keep, codes                     its outcome, which is the window's bank, and its data
    """
    return wiring.Signature(
        {
            "write": Out(1),
            "write_address": Out(range(max(words, 2))),
            "slot": Out(range(max(rows // lanes, 2))),
            "write_window": Out(1),
            "y": Out(layout["height"].shape),
            "x": Out(layout["width"].shape),
            "group": Out(layout["groups"].shape),
            "keep": Out(1),
            "codes": Out(data.ArrayLayout(unsigned(planes), lanes)),
        }
    )


class Store(wiring.Component):
    """Pools a layer's beats and addresses what comes out, in the vector or in a window buffer.

    Parameters
    ----------
    layout : StructLayout
        From :func:`scaledrop_hw.descriptors.descriptor_layout`.
    rows, lanes, planes : int
    pool_words : int
        Depth of the pool; 0 without pooling.
    words : int
        Depth of the activation buffer.

    Members
    -------
    descriptor : In(layout)
        Of the running layer.
    valid : In(1); codes : In(ArrayLayout(unsigned(planes), lanes))
        A beat: positions in raster order, beats of a position ascending, the kept outcome of a
        beat before the dropped one.
    keep, last_outcome, ends_position, ends_layer : In(1)
        Its outcome; no outcome of the same beat follows; the beat is its position's, its layer's
        last.
    out : Out(store_signature)

    Timing
    ------
    Combinational from ``valid``; one beat a cycle. The counters return to the first position with
    a layer's last beat.
    """

    def __init__(self, *, layout, rows, lanes, planes, pool_words, words):
        self._layout = layout
        self._rows = require_range("rows", rows, 1, 1024)
        self._lanes = require_divides("lanes", lanes, "rows", rows)
        self._planes = require_range("planes", planes, 1, 8)
        self._pool_words = require_range("pool_words", pool_words, 0, 2**20)
        self._words = require_range("words", words, 1, 2**20)
        sizes = {"layout": layout, "rows": rows, "lanes": lanes, "planes": planes, "words": words}
        codes = data.ArrayLayout(unsigned(planes), lanes)
        super().__init__(
            {
                "descriptor": In(layout),
                "valid": In(1),
                "codes": In(codes),
                "keep": In(1),
                "last_outcome": In(1),
                "ends_position": In(1),
                "ends_layer": In(1),
                "out": Out(store_signature(**sizes)),
            }
        )

    @property
    def rows(self):
        return self._rows

    @property
    def lanes(self):
        return self._lanes

    @property
    def planes(self):
        return self._planes

    @property
    def pool_words(self):
        return self._pool_words

    @property
    def words(self):
        return self._words

    def elaborate(self, platform):
        m = Module()
        advance = Signal()
        complete = Signal()
        m.d.comb += [advance.eq(self.valid & self.last_outcome), self.out.keep.eq(self.keep)]
        place = self._positions(m, advance)
        self._pool(m, advance, complete, *place)
        self._vector(m, advance, complete)
        return m

    def _positions(self, m, advance):
        """Pooled position and group, and where the beat stands in its pooling window."""
        now = self.descriptor
        phase_x, phase_y = (
            Signal(self._layout["pool"].shape, name=f"phase_{side}") for side in "xy"
        )
        column = Signal(self._layout["width"].shape)
        ends_row = Signal()
        m.d.comb += ends_row.eq(self.ends_position & (column == now.width))
        last_x, last_y = phase_x == now.pool, phase_y == now.pool
        with m.If(advance):
            m.d.sync += self.out.group.eq(self.out.group + 1)
            with m.If(self.ends_position):
                m.d.sync += [self.out.group.eq(0), column.eq(column + 1)]
                m.d.sync += phase_x.eq(Mux(last_x, 0, phase_x + 1))
                with m.If(last_x):
                    m.d.sync += self.out.x.eq(self.out.x + 1)
                with m.If(ends_row):
                    m.d.sync += [column.eq(0), phase_x.eq(0), self.out.x.eq(0)]
                    m.d.sync += phase_y.eq(Mux(last_y, 0, phase_y + 1))
                    with m.If(last_y):
                        m.d.sync += self.out.y.eq(self.out.y + 1)
            with m.If(self.ends_layer):
                m.d.sync += [phase_y.eq(0), self.out.y.eq(0)]
        return phase_x, phase_y, ends_row

    def _pool(self, m, advance, complete, phase_x, phase_y, ends_row):
        """The largest codes of the window; without a pool every beat is complete."""
        if not self._pool_words:
            m.d.comb += [self.out.codes.eq(self.codes), complete.eq(1)]
            return
        m.submodules.pool = pool = PoolStage(
            lanes=self._lanes, planes=self._planes, depth=self._pool_words
        )
        window = Signal(pool.address.shape())
        base = Signal(pool.address.shape())
        ends_window = Signal()
        m.d.comb += [
            ends_window.eq(phase_x == self.descriptor.pool),
            pool.valid.eq(self.valid),
            pool.codes.eq(self.codes),
            pool.keep.eq(self.keep),
            pool.address.eq(window),
            pool.first.eq((phase_x == 0) & (phase_y == 0)),
            self.out.codes.eq(pool.result),
            complete.eq(ends_window & (phase_y == self.descriptor.pool)),
        ]
        with m.If(advance):
            m.d.sync += window.eq(window + 1)
            with m.If(self.ends_position):
                m.d.sync += window.eq(Mux(ends_window, window + 1, base))
                with m.If(ends_window):
                    m.d.sync += base.eq(window + 1)
                with m.If(ends_row):
                    m.d.sync += [window.eq(0), base.eq(0)]

    def _vector(self, m, advance, complete):
        """Beats side by side; where positions are aligned, each begins a word."""
        now = self.descriptor
        slots = self._rows // self._lanes
        slot = Signal(self.out.slot.shape())
        word = Signal(self.out.write_address.shape())
        emit = Signal()
        m.d.comb += [
            emit.eq(self.valid & complete),
            self.out.write.eq(emit & (now.target == Place.VECTOR)),
            self.out.write_window.eq(emit & (now.target == Place.WINDOW)),
            self.out.slot.eq(slot),
            self.out.write_address.eq(now.target_base + Mux(self.keep, now.target_bank, 0) + word),
        ]
        with m.If(advance & complete):
            m.d.sync += slot.eq(slot + 1)
            with m.If((slot == slots - 1) | (now.aligned & self.ends_position)):
                m.d.sync += [slot.eq(0), word.eq(word + 1)]
        with m.If(advance & self.ends_layer):
            m.d.sync += [slot.eq(0), word.eq(0)]
