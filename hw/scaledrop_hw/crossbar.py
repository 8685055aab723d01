# SPDX-License-Identifier: Apache-2.0
"""Digital crossbar tile."""

from amaranth.hdl import Cat, Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from scaledrop.device_sizes import MemoryShape
from scaledrop_hw.checks import require_range, require_words
from scaledrop_hw.hosted_memory import HostedMemory

__all__ = ["CrossbarTile", "popcount"]


def popcount(bits):
    """Number of ones in a value, as a balanced tree of adders."""
    terms = list(bits)
    while len(terms) > 1:
        pairs = [terms[i] + terms[i + 1] for i in range(0, len(terms) - 1, 2)]
        terms = pairs + terms[len(terms) & ~1 :]
    return terms[0]


class CrossbarTile(wiring.Component):
    """Many R x C arrays of +-1 cells behind one port; the tile address selects one.

    For every column c, with r over the driven rows:

        partials[c] = sum_r (sign[r] == weight[r, c] ? +1 : -1)        in [-R, R]

    An undriven row adds nothing. An 8-bit input is applied one bit plane at a time with ``drive``
    equal to the plane and ``sign`` all ones; a +-1 input drives every row in use.

    Parameters
    ----------
    rows, columns : int
        Size of a tile, 1 to 1024 each.
    init : list of int
        One integer per tile: bit ``column * rows + row``, 1 for +1 and 0 for -1.

    Members
    -------
    enable : In(1)
        Pipeline advances. When low, nothing changes and the outputs hold.
    start : In(1)
        An activation begins in this cycle. Without it no weight is read and no row driven.
    tile : In(range(tiles))
    drive, sign : In(rows)
    partials : Out(ArrayLayout(signed, columns))
    driven : Out
        Number of driven rows, with the same latency as ``partials``.
    host : In(host_part_signature)
        Loads and reads back the tiles, a word each.

    Timing
    ------
    Latency 2 enabled cycles (weight read, then count); one activation per enabled cycle.
    Nothing is reset: validity travels beside the data.

    Reference
    ---------
    arXiv 2311.15816, the binary crossbar; XNOR and AND are one cell with a drive line.
    """

    LATENCY = 2

    def __init__(self, *, rows, columns, init):
        self._rows = require_range("rows", rows, 1, 1024)
        self._columns = require_range("columns", columns, 1, 1024)
        words = require_words("tile", ([word] for word in init), 1, 0, (1 << rows * columns) - 1)
        self._init = [word for (word,) in words]
        require_range("number of tiles", len(self._init), 1, 2**20)
        self._memory = HostedMemory(width=rows * columns, depth=len(self._init), init=self._init)
        super().__init__(
            {
                "enable": In(1),
                "start": In(1),
                "tile": In(range(max(len(self._init), 2))),
                "drive": In(rows),
                "sign": In(rows),
                "partials": Out(data.ArrayLayout(signed(rows.bit_length() + 1), columns)),
                "driven": Out(range(rows + 1)),
                "host": In(self._memory.host.signature.flip()),
            }
        )

    @property
    def rows(self):
        return self._rows

    @property
    def columns(self):
        return self._columns

    @property
    def tiles(self):
        return len(self._init)

    @property
    def shape(self):
        """Words and parts of the weights."""
        return MemoryShape(self.tiles, self._memory.parts)

    @staticmethod
    def twin(word, drive, sign, rows, columns):
        """Partial sums of one activation in plain integers."""
        partials = []
        for column in range(columns):
            weights = word >> (column * rows)
            cells = [r for r in range(rows) if drive >> r & 1]
            partials.append(sum(1 if (sign ^ weights) >> r & 1 == 0 else -1 for r in cells))
        return partials

    def elaborate(self, platform):
        m = Module()
        m.submodules.weights = weights = self._memory
        connect(m, flipped(self.host), weights.host)
        driven, signs = Signal(self._rows), Signal(self._rows)
        m.d.comb += [weights.address.eq(self.tile), weights.read.eq(self.enable & self.start)]
        with m.If(self.enable):
            m.d.sync += [
                driven.eq(self.drive & self.start.replicate(self._rows)),
                signs.eq(self.sign),
                self.driven.eq(popcount(driven)),
            ]
            for column in range(self._columns):
                weight = weights.word[column * self._rows : (column + 1) * self._rows]
                match = Signal(self._rows, name=f"match_{column}")
                m.d.comb += match.eq(driven & ~(signs ^ weight))
                ones = Signal(range(self._rows + 1), name=f"ones_{column}")
                m.d.comb += ones.eq(popcount(match))
                m.d.sync += self.partials[column].eq(Cat(0, ones) - popcount(driven))
        return m
