# SPDX-License-Identifier: Apache-2.0
"""Single-port memory that a memory compiler's macro can replace."""

import re

from amaranth.hdl import ClockSignal, Instance, Module
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from scaledrop.errors import UserError
from scaledrop_hw.checks import require_range, require_words

__all__ = ["NO_COLLISIONS", "Sram"]

NO_COLLISIONS = {"no_rw_check": 1}
"""Attributes of a memory of which no word is read and written in one cycle: synthesis then leaves
out the logic that would decide what is read."""


class Sram(wiring.Component):
    """Synchronous single-port memory: one read or one write a cycle.

    Without ``macro`` the body is an array of words, which becomes block RAM. With it the body is
    one instance of the module ``macro``, of which nothing is known but its ports and that it
    behaves as

        module <macro> (
            input clk, en, we, input [A-1:0] addr, input [width-1:0] din,
            output reg [width-1:0] dout
        );
            reg [width-1:0] words [0:depth-1];
            always @(posedge clk)
                if (en) if (we) words[addr] <= din; else dout <= words[addr];
        endmodule

    with A address bits for max(depth, 2) words. A macro whose output changes in other cycles than
    those of a read needs a wrapper of this name that holds it.

    Parameters
    ----------
    width, depth : int
    init : list of int
        The first words after power-up, at most ``depth``; the others are 0. Empty for a macro,
        which is loaded through the port.
    macro : str
        Name of the module to instantiate; "" for the array.

    Members
    -------
    en : In(1); write : In(1); address : In(range(depth)); data : In(width)
        An access happens where ``en`` is high. Addresses are below ``depth``.
    word : Out(width)
        The word read, one cycle later; holds until the next read, over writes as well.

    Timing
    ------
    Read latency 1; one access a cycle; what is written is seen by reads from the next cycle on.
    Nothing is reset.

    Platform overrides
    ------------------
    ``get_sram(sram)`` returns the name of the macro, or "" for the array.
    """

    def __init__(self, *, width, depth, init=(), macro=""):
        self._width = require_range("width", width, 1, 2**20)
        self._depth = require_range("depth", depth, 1, 2**20)
        words = require_words("init", ([word] for word in init), 1, 0, (1 << width) - 1)
        require_range("number of words in init", len(words), 0, 0 if macro else depth)
        if not re.fullmatch(r"([A-Za-z_][A-Za-z0-9_]*)?", macro):
            raise UserError(f"macro must be a Verilog identifier or empty, not {macro!r}")
        self._init = [word for (word,) in words]
        self._macro = macro
        super().__init__(
            {
                "en": In(1),
                "write": In(1),
                "address": In(range(max(depth, 2))),
                "data": In(width),
                "word": Out(width),
            }
        )

    @property
    def width(self):
        return self._width

    @property
    def depth(self):
        return self._depth

    @property
    def init(self):
        return list(self._init)

    @property
    def macro(self):
        return self._macro

    def elaborate(self, platform):
        m = Module()
        macro = platform.get_sram(self) if hasattr(platform, "get_sram") else self._macro
        if macro:
            m.submodules.macro = self._instance(macro)
        else:
            self._infer(m)
        return m

    def _instance(self, macro):
        return Instance(
            macro,
            i_clk=ClockSignal(),
            i_en=self.en,
            i_we=self.write,
            i_addr=self.address,
            i_din=self.data,
            o_dout=self.word,
        )

    def _infer(self, m):
        m.submodules.array = array = Memory(
            shape=self._width,
            depth=max(self._depth, 2),
            init=self._init,
            attrs=NO_COLLISIONS,
        )
        read = array.read_port()
        write = array.write_port()
        m.d.comb += [
            read.addr.eq(self.address),
            read.en.eq(self.en & ~self.write),
            write.addr.eq(self.address),
            write.data.eq(self.data),
            write.en.eq(self.en & self.write),
            self.word.eq(read.data),
        ]
