# SPDX-License-Identifier: Apache-2.0
"""Ring oscillators of look-up tables, sampled by the clock."""

from amaranth.hdl import Const, Instance, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import Out

from scaledrop.errors import UserError
from scaledrop_hw.checks import require_range

__all__ = ["FAMILIES", "RingOscillators"]

FAMILIES = ("ice40", "ecp5")
STAGES = (3, 5, 7, 9)
"""Inverters of the rings, in turn: odd, and of several lengths, so that they do not lock."""

INVERTER = Const(0x5555, 16)
"""Table of four inputs: not the first."""


def _inverter(family, source, target):
    """One look-up table that no tool may touch."""
    if family == "ice40":
        ports = {f"i_I{at}": source if at == 0 else 0 for at in range(4)}
        return Instance("SB_LUT4", a_keep=1, p_LUT_INIT=INVERTER, o_O=target, **ports)
    ports = {f"i_{name}": source if name == "A" else 0 for name in "ABCD"}
    return Instance("LUT4", a_keep=1, p_INIT=INVERTER, o_Z=target, **ports)


class RingOscillators(wiring.Component):
    """Free-running rings of inverters, each sampled through two flip-flops.

    Parameters
    ----------
    family : "ice40", "ecp5" or None
        Whose look-up tables the rings are made of. None makes rings of flip-flops, which are no
        oscillators: a simulation that has no delays needs them, and they are the same every time.
    rings : int
        1 to 16. Ring k has 3, 5, 7, 9, 3, ... inverters.

    Members
    -------
    samples : Out(rings)

    Timing
    ------
    A sample a cycle of each ring, two cycles old. Place and route sees loops without a flip-flop,
    and has to be told to leave them: nextpnr takes ``--ignore-loops``.
    """

    def __init__(self, *, family, rings=4):
        if family is not None and family not in FAMILIES:
            raise UserError(f"family must be one of {', '.join(FAMILIES)} or None, not {family!r}")
        self._family = family
        self._rings = require_range("rings", rings, 1, 16)
        super().__init__({"samples": Out(rings)})

    @property
    def family(self):
        return self._family

    @property
    def rings(self):
        return self._rings

    def stages(self, ring):
        """Inverters of a ring."""
        return STAGES[ring % len(STAGES)]

    def elaborate(self, platform):
        m = Module()
        for ring in range(self._rings):
            names = [f"ring_{ring}_{stage}" for stage in range(self.stages(ring))]
            nodes = [Signal(name=name, attrs={"keep": 1}) for name in names]
            before = [nodes[-1], *nodes[:-1]]
            if self._family is None:
                m.d.sync += [node.eq(one) for node, one in zip(nodes, before, strict=True)]
                m.d.sync += nodes[0].eq(~nodes[-1])
            else:
                for name, node, one in zip(names, nodes, before, strict=True):
                    m.submodules[f"inverter_{name}"] = _inverter(self._family, one, node)
            m.submodules[f"sample_{ring}"] = FFSynchronizer(nodes[0], self.samples[ring])
        return m
