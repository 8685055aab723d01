# SPDX-License-Identifier: Apache-2.0
"""Column converter: clipping and rounding of a tile's column sums."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from scaledrop.errors import UserError
from scaledrop.numbers import signed_width
from scaledrop_hw.checks import require_range

__all__ = ["ColumnConverter"]


class ColumnConverter(wiring.Component):
    """What a converter of few bits makes of every column sum, in digital logic.

        code = clamp((sum + before) >> shift, low, high);    value = (code << shift) + behind

    with the constants of scaledrop.converter.Converter. It stands where an analog array has its
    converters, so that a digital array gives the numbers that the analog one would. An array
    without one is read without loss, and no logic stands in its place.

    Parameters
    ----------
    rows, columns : int
        Of a tile, 1 to 1024 each; sums are within -rows to rows.
    converter : scaledrop.converter.Converter

    Members
    -------
    sums : In(ArrayLayout(signed, columns))
    values : Out(ArrayLayout(signed(value_width), columns))

    Timing
    ------
    Combinational, in front of the accumulator's adder: a constant adder, two comparisons and a
    multiplexer. The latency of the pipeline is that of the lossless one.

    Reference
    ---------
    scaledrop.converter, docs/design/0014-converter.md.
    """

    def __init__(self, *, rows, columns, converter):
        self._rows = require_range("rows", rows, 1, 1024)
        self._columns = require_range("columns", columns, 1, 1024)
        if converter is None:
            raise UserError("converter: must be a Converter, not None; leave the component out")
        self._converter = converter
        self._value_width = signed_width(converter.reach(rows))
        super().__init__(
            {
                "sums": In(data.ArrayLayout(signed(rows.bit_length() + 1), columns)),
                "values": Out(data.ArrayLayout(signed(self._value_width), columns)),
            }
        )

    @property
    def rows(self):
        return self._rows

    @property
    def columns(self):
        return self._columns

    @property
    def converter(self):
        return self._converter

    @property
    def value_width(self):
        """Bits of the largest value that a sum within ``rows`` can get, signed."""
        return self._value_width

    def elaborate(self, platform):
        m = Module()
        one = self._converter
        low, high = Const(one.low), Const(one.high)
        for column in range(self._columns):
            step = (self.sums[column] + one.before) >> one.shift
            code = Signal(signed(one.bits), name=f"code_{column}")
            m.d.comb += [
                code.eq(Mux(step < low, low, Mux(step > high, high, step))),
                self.values[column].eq(Cat(Const(one.behind, one.shift), code).as_signed()),
            ]
        return m
