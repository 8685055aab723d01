# SPDX-License-Identifier: Apache-2.0
"""Guard: descriptors that would make the accelerator hang or read nonsense are refused."""

from math import prod

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from scaledrop.layer_mapping import Method
from scaledrop.refusal import Refusal
from scaledrop_hw.checks import require_range
from scaledrop_hw.descriptors import Place
from scaledrop_hw.sequencer import step_layout

__all__ = ["REFUSAL_BITS", "Guard"]

REFUSAL_BITS = 3
"""Of a code of scaledrop.refusal."""


class Guard(wiring.Component):
    """Checks a descriptor when its layer is commanded, and every step that follows from it.

    Parameters
    ----------
    mapping : scaledrop.mapping.NetworkMapping
    layout : StructLayout
        From :func:`scaledrop_hw.descriptors.descriptor_layout`.
    patience : int
        Cycles without progress after which the visit is given up, 1 to 2**20; more than the
        pipeline takes for a beat and a window for its columns.

    Members
    -------
    offered : In(1); layer : In(layer index); descriptor : In(layout)
        A command is about to be taken, with the descriptor of its layer.
    running : In(1); current : In(layer index); place : In(Place)
        A visit is being made, of this layer and source.
    stepping : In(1); step : In(step_layout)
        A step is issued.
    progress : In(1)
        Something moved, or what does not move waits for the outside.
    refuse : Out(1)
        The offered command must not be taken.
    code : Out(Refusal); refused_layer : Out(layer index); refused : Out(1)
        The first refusal since reset; ``refused`` stays high and nothing more may be taken or
        issued.

    Timing
    ------
    ``refuse`` is combinational; ``refused`` comes one cycle after its cause.
    """

    def __init__(self, *, mapping, layout, patience=4096):
        self._mapping = mapping
        self._layout = layout
        self._patience = require_range("patience", patience, 1, 2**20)
        layer = range(max(len(mapping.layers), 2))
        self._step = step_layout(layout, mapping.end.tile, mapping.end.mask)
        super().__init__(
            {
                "offered": In(1),
                "layer": In(layer),
                "descriptor": In(layout),
                "running": In(1),
                "current": In(layer),
                "place": In(Place),
                "stepping": In(1),
                "step": In(self._step),
                "progress": In(1),
                "refuse": Out(1),
                "code": Out(REFUSAL_BITS),
                "refused_layer": Out(layer),
                "refused": Out(1),
            }
        )

    @property
    def mapping(self):
        return self._mapping

    @property
    def layout(self):
        return self._layout

    @property
    def patience(self):
        return self._patience

    def elaborate(self, platform):
        m = Module()
        waited = Signal(range(self._patience + 1))
        cause = Signal(REFUSAL_BITS)
        layer = Signal(self.layer.shape())
        m.d.sync += waited.eq(waited + 1)
        with m.If(self.progress | ~self.running):
            m.d.sync += waited.eq(0)
        wrong = self._of_descriptor(m)
        m.d.comb += [layer.eq(self.current), self.refuse.eq(wrong != 0)]
        with m.If(self.offered & self.refuse):
            m.d.comb += [cause.eq(wrong), layer.eq(self.layer)]
        with m.Elif(self.stepping & self._outside()):
            m.d.comb += cause.eq(Refusal.RANGE)
        with m.Elif(waited == self._patience):
            m.d.comb += cause.eq(Refusal.STALLED)
        with m.If((cause != 0) & ~self.refused):
            m.d.sync += [self.refused.eq(1), self.code.eq(cause), self.refused_layer.eq(layer)]
        return m

    def _of_descriptor(self, m):
        """Code of what is wrong with the offered descriptor; 0 for nothing."""
        found, now, array = Signal(REFUSAL_BITS, name="found"), self.descriptor, self._mapping.array
        is_last = self.layer == len(self._mapping.layers) - 1
        beats = array.columns // array.lanes
        wrong_beats = (
            (now.last_beats == 0)
            | (now.last_beats > beats)
            | (now.last_columns == 0)
            | (now.last_columns > array.columns)
            | (now.last_columns > now.last_beats * array.lanes)
            | ((now.last_beats - 1) * array.lanes >= now.last_columns)
        )
        wrong_target = ((now.target == Place.HEAD) != is_last) | (now.target == Place.IMAGE)
        with m.If(wrong_beats):
            m.d.comb += found.eq(Refusal.BEATS)
        with m.If(wrong_target | self._absent(now.target, now.target_window)):
            m.d.comb += found.eq(Refusal.TARGET)
        with m.If((now.source == Place.HEAD) | self._absent(now.source, now.source_window)):
            m.d.comb += found.eq(Refusal.SOURCE)
        return found

    def _absent(self, place, window):
        """Whether a buffer is not there."""
        mapping = self._mapping
        absent = (place == Place.WINDOW) & (window >= len(mapping.windows))
        if not mapping.end.target:
            absent |= place == Place.VECTOR
        if mapping.layers[0].method is Method.UNROLLED:
            absent |= place == Place.IMAGE
        return absent

    def _outside(self):
        """Whether the step lies outside of a memory."""
        step, mapping = self.step, self._mapping
        masked = self.place != Place.WINDOW
        words = Mux(self.place == Place.IMAGE, self._image_words, mapping.end.target)
        return (
            (step.tile >= mapping.end.tile)
            | (masked & (step.mask >= max(mapping.end.mask, 1)))
            | (masked & step.inside & (step.word >= words))
        )

    @property
    def _image_words(self):
        """Words of a plane of the image."""
        first = self._mapping.layers[0]
        positions = prod(first.source.shape[1:]) if first.method is Method.TAPS else 1
        return first.row_tiles * positions
