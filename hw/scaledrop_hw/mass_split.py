# SPDX-License-Identifier: Apache-2.0
"""Mass split: how the probability mass that reaches a visit goes on, and what is left out."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from scaledrop.mass import MASS_BITS, split
from scaledrop.numbers import DROP_BITS
from scaledrop_hw.checks import require_range

__all__ = ["MassSplit"]


class MassSplit(wiring.Component):
    """Splits mass between the kept and the dropped scale and prunes the lighter side.

        dropped = (weight * code) >> 16
        kept    = weight - dropped

    The lighter one (ties: dropped) becomes 0 if no leaf behind it has at least ``cutoff``. As both
    sides rise with the weight, its heaviest leaf is found by following the heavier side of each
    split, layer by layer. The heavier side is never pruned: what is not 0 leads to a leaf.

    Parameters
    ----------
    layers : int

    Members
    -------
    start : In(1); layer : In(layer index); weight : In(MASS_BITS + 1)
        A new split. One in progress is given up.
    cutoff : In(MASS_BITS + 1)
        Stable while ``done``.
    asked : Out(layer index); code : In(16)
        Drive code of layer ``asked``, in the same cycle.
    done : Out(1); kept, dropped : Out(MASS_BITS + 1); keeps, drops : Out(1)
        The result, until the next ``start``; whether ``kept`` and ``dropped`` are not 0.

    Timing
    ------
    ``done`` rises 2 * (layers - layer) + 1 cycles after ``start``: for each layer from this one on
    one cycle to multiply and one to subtract. Not done after reset.
    """

    def __init__(self, *, layers):
        self._layers = require_range("number of layers", layers, 1, 1024)
        layer = range(max(layers, 2))
        super().__init__(
            {
                "start": In(1),
                "layer": In(layer),
                "weight": In(MASS_BITS + 1),
                "cutoff": In(MASS_BITS + 1),
                "asked": Out(layer),
                "code": In(DROP_BITS),
                "done": Out(1),
                "kept": Out(MASS_BITS + 1),
                "dropped": Out(MASS_BITS + 1),
                "keeps": Out(1),
                "drops": Out(1),
            }
        )

    @property
    def layers(self):
        return self._layers

    @staticmethod
    def twin(codes, layer, weight, cutoff):
        """(kept, dropped) of a visit of ``layer``."""
        return split(codes, layer, weight, cutoff)

    def elaborate(self, platform):
        m = Module()
        mass = self.weight.shape()
        product, rest, lighter, heavier, operand, kept, dropped = (
            Signal(mass, name=name)
            for name in (
                "product",
                "rest",
                "lighter",
                "heavier",
                "operand",
                "own_rest",
                "own_product",
            )
        )
        multiply, subtract, own, less, swapped, pruned = (
            Signal(name=name)
            for name in ("multiply", "subtract", "own", "less", "swapped", "pruned")
        )
        m.d.comb += [
            rest.eq(operand - product),
            less.eq(operand < product << 1),  # rest < product, without waiting for the rest
            lighter.eq(Mux(less, rest, product)),
            heavier.eq(Mux(less, product, rest)),
            pruned.eq(operand < self.cutoff),
            self.keeps.eq((kept != 0) & ~(pruned & swapped)),
            self.drops.eq((dropped != 0) & ~(pruned & ~swapped)),
            self.kept.eq(Mux(pruned & swapped, 0, kept)),
            self.dropped.eq(Mux(pruned & ~swapped, 0, dropped)),
        ]
        m.d.sync += [multiply.eq(0), subtract.eq(multiply)]
        with m.If(multiply):
            m.d.sync += product.eq((operand * self.code) >> DROP_BITS)
        with m.If(subtract):
            m.d.sync += [own.eq(0), operand.eq(heavier)]
            with m.If(own):
                m.d.sync += [kept.eq(rest), dropped.eq(product), operand.eq(lighter)]
                m.d.sync += swapped.eq(less)
            with m.If(self.asked == self._layers - 1):
                m.d.sync += self.done.eq(1)
            with m.Else():
                m.d.sync += [self.asked.eq(self.asked + 1), multiply.eq(1)]
        with m.If(self.start):
            m.d.sync += [multiply.eq(1), subtract.eq(0), own.eq(1), self.done.eq(0)]
            m.d.sync += [self.asked.eq(self.layer), operand.eq(self.weight)]
        return m
