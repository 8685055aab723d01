# SPDX-License-Identifier: Apache-2.0
"""Wide multiplier: a product of wide numbers from small multipliers, in two cycles."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from scaledrop_hw.checks import require_range

__all__ = ["LIMB_BITS", "WideMultiplier"]

LIMB_BITS = 17
"""Bits of an unsigned part: with a sign they fill the 18 bits of a multiplier of an FPGA."""


class WideMultiplier(wiring.Component):
    """Multiplies signed numbers part by part, then adds the parts up.

        product = sum over i, j of (a[i] * b[j]) << (17 * (i + j))

    where a[i] and b[j] are parts of 17 bits of the factors: the highest is signed, those below it
    are not.

    Parameters
    ----------
    a_width, b_width : int
        Signed widths of the factors, 1 to 128.

    Members
    -------
    a : In(signed(a_width)); b : In(signed(b_width))
    product : Out(signed(a_width + b_width))

    Timing
    ------
    Latency 2: one cycle to multiply, one to add; one product a cycle. Nothing is reset.
    """

    LATENCY = 2

    def __init__(self, *, a_width, b_width):
        self._a_width = require_range("a_width", a_width, 1, 128)
        self._b_width = require_range("b_width", b_width, 1, 128)
        super().__init__(
            {
                "a": In(signed(a_width)),
                "b": In(signed(b_width)),
                "product": Out(signed(a_width + b_width)),
            }
        )

    @property
    def a_width(self):
        return self._a_width

    @property
    def b_width(self):
        return self._b_width

    @staticmethod
    def twin(a, b):
        """The product, from the parts of ``a`` and ``b``."""
        parts = [
            [(value >> at) & ((1 << LIMB_BITS) - 1) for at in range(0, 128, LIMB_BITS)]
            + [value >> 136]
            for value in (a, b)
        ]
        return sum(
            p * q << LIMB_BITS * (i + j)
            for i, p in enumerate(parts[0])
            for j, q in enumerate(parts[1])
        )

    @staticmethod
    def _parts(value):
        """The parts of a factor, lowest first."""
        starts = range(0, max(len(value) - 1, 1), LIMB_BITS)
        parts = [value[at : at + LIMB_BITS] for at in starts]
        return [*parts[:-1], value[starts[-1] :].as_signed()]

    def elaborate(self, platform):
        m = Module()
        terms = []
        for i, p in enumerate(self._parts(self.a)):
            for j, q in enumerate(self._parts(self.b)):
                partial = Signal((p * q).shape(), name=f"partial_{i}_{j}", reset_less=True)
                m.d.sync += partial.eq(p * q)
                terms.append(partial << LIMB_BITS * (i + j))
        total = Signal.like(self.product, name="total", reset_less=True)
        m.d.sync += total.eq(sum(terms))
        m.d.comb += self.product.eq(total)
        return m
