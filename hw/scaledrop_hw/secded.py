# SPDX-License-Identifier: Apache-2.0
"""Encoder and decoder of code words that survive one wrong bit and report two."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from scaledrop.secded import MAX_WIDTH, check_bits, columns, decode, encode, masks
from scaledrop_hw.checks import require_range

__all__ = ["SecdedDecoder", "SecdedEncoder"]


def _parities(bits, width):
    return Cat((bits & Const(mask, width)).xor() for mask in masks(width))


class SecdedEncoder(wiring.Component):
    """Puts check bits above a word: ``code = data | check << width``.

    Parameters
    ----------
    width : int
        Data bits, 1 to 1024.

    Members
    -------
    data : In(width)
    code : Out(width + check_bits(width))

    Timing
    ------
    Combinational.

    Reference
    ---------
    Hsiao's code; construction and source in scaledrop.secded.
    """

    twin = staticmethod(encode)

    def __init__(self, *, width):
        self._width = require_range("width", width, 1, MAX_WIDTH)
        super().__init__({"data": In(width), "code": Out(width + check_bits(width))})

    @property
    def width(self):
        return self._width

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.code.eq(Cat(self.data, _parities(self.data, self._width)))
        return m


class SecdedDecoder(wiring.Component):
    """Puts one wrong bit of a code word right and tells two from one.

    Parameters
    ----------
    width : int
        Data bits, 1 to 1024.
    registered : bool
        A register between finding the syndrome and correcting.

    Members
    -------
    code : In(width + check_bits(width))
    data : Out(width)
        The data bits, the wrong one put right; as found when the word cannot be corrected.
    corrected : Out(1)
        One bit was wrong, among the data or the check bits.
    uncorrected : Out(1)
        Two bits were wrong. More are either reported here or mistaken for one.

    Timing
    ------
    Combinational, or latency 1 where ``registered``.

    Reference
    ---------
    Hsiao's code; construction and source in scaledrop.secded.
    """

    twin = staticmethod(decode)

    def __init__(self, *, width, registered=False):
        self._width = require_range("width", width, 1, MAX_WIDTH)
        self._registered = bool(registered)
        super().__init__(
            {
                "code": In(width + check_bits(width)),
                "data": Out(width),
                "corrected": Out(1),
                "uncorrected": Out(1),
            }
        )

    @property
    def width(self):
        return self._width

    @property
    def registered(self):
        return self._registered

    def elaborate(self, platform):
        m = Module()
        width, check = self._width, check_bits(self._width)
        found, syndrome, wrong = Signal(width), Signal(check), Signal(width)
        m.d["sync" if self._registered else "comb"] += [
            found.eq(self.code[:width]),
            syndrome.eq(_parities(self.code[:width], width) ^ self.code[width:]),
        ]
        m.d.comb += [
            wrong.eq(Cat(syndrome == column for column in columns(width))),
            self.data.eq(found ^ wrong),
            self.corrected.eq(wrong.any() | Cat(syndrome == 1 << i for i in range(check)).any()),
            self.uncorrected.eq(syndrome.any() & ~self.corrected),
        ]
        return m
