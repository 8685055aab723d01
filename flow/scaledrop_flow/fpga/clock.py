# SPDX-License-Identifier: Apache-2.0
"""The clock of a design on ECP5: the board's oscillator, or a PLL behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from amaranth.hdl import ClockDomain, ClockSignal, Const, Elaboratable, Instance, Module, Signal
from amaranth.lib import io

from scaledrop.errors import UserError

__all__ = ["Ecp5Clock", "PllSetting", "find_pll", "slower"]

VCO_HZ = (400_000_000, 800_000_000)
DETECTOR_HZ = (10_000_000, 400_000_000)
OUTPUT_HZ = (3_125_000, 400_000_000)
MAX_DIVIDER = 128


@dataclass(frozen=True)
class PllSetting:
    """Dividers of an EHXPLLL whose output CLKOP feeds back undivided; CLKOS is the clock.

    Attributes:
        input_hz: Of the oscillator.
        reference, multiply, output: CLKI_DIV, CLKOP_DIV, CLKOS_DIV.

    Reference:
        Lattice FPGA-DS-02012 (sysCLOCK PLL timing) for the ranges, which are asserted.
    """

    input_hz: int
    reference: int
    multiply: int
    output: int

    def __post_init__(self) -> None:
        ranges = (
            (Fraction(self.reference), (1, MAX_DIVIDER)),
            (Fraction(self.multiply), (1, MAX_DIVIDER)),
            (Fraction(self.output), (1, MAX_DIVIDER)),
            (self.hz, OUTPUT_HZ),
            (self.vco_hz, VCO_HZ),
            (self.detector_hz, DETECTOR_HZ),
        )
        assert all(low <= value <= high for value, (low, high) in ranges), self

    @property
    def detector_hz(self) -> Fraction:
        return Fraction(self.input_hz, self.reference)

    @property
    def vco_hz(self) -> Fraction:
        return self.detector_hz * self.multiply

    @property
    def hz(self) -> Fraction:
        """Of the output, exactly."""
        return self.vco_hz / self.output


def _loops(input_hz: int) -> Iterator[tuple[int, int, Fraction]]:
    """Reference divider, multiplier and the VCO that they give, where all is in range."""
    for reference in range(1, input_hz // DETECTOR_HZ[0] + 1):
        for multiply in range(1, MAX_DIVIDER + 1):
            vco = Fraction(input_hz * multiply, reference)
            if VCO_HZ[0] <= vco <= VCO_HZ[1]:
                yield reference, multiply, vco


def _exact(input_hz: int, hz: int) -> PllSetting | None:
    if not OUTPUT_HZ[0] <= hz <= OUTPUT_HZ[1]:
        return None
    for reference, multiply, vco in _loops(input_hz):
        output = vco / hz
        if output.denominator == 1 and output <= MAX_DIVIDER:
            return PllSetting(input_hz, reference, multiply, int(output))
    return None


def _nearest(input_hz: int, hz: int) -> Fraction:
    wanted = min(max(hz, OUTPUT_HZ[0]), OUTPUT_HZ[1])
    found = []
    for _, _, vco in _loops(input_hz):
        below = min(int(vco / wanted), MAX_DIVIDER)
        found += [vco / output for output in (below, below + 1) if 1 <= output <= MAX_DIVIDER]
    whole = [one for one in found if one.denominator == 1 and one <= OUTPUT_HZ[1]]
    return min(whole, key=lambda one: (abs(one - wanted), one))


def find_pll(input_hz: int, hz: int) -> PllSetting:
    """The setting that gives exactly ``hz``: the smallest reference divider, then the slowest VCO.

    Raises:
        UserError: no setting does; the message names the nearest that one does.
    """
    exact = _exact(input_hz, hz)
    if exact is not None:
        return exact
    raise UserError(
        f"freq: {hz / 1e6:g} MHz cannot be made from the oscillator of {input_hz / 1e6:g} MHz; "
        f"the nearest is {float(_nearest(input_hz, hz)) / 1e6:.9g} MHz"
    )


def slower(input_hz: int, hz: float) -> int | None:
    """The fastest whole number of MHz up to 95 % of ``hz`` that a setting gives; None if none."""
    megahertz = range(int(0.95 * hz / 1e6), 0, -1)
    return next((one * 10**6 for one in megahertz if _exact(input_hz, one * 10**6)), None)


class Ecp5Clock(Elaboratable):  # type: ignore[misc]
    """Domain ``sync`` of an ECP5 from the board's oscillator.

    The design is held in its initial state by the global set/reset net until the PLL has locked,
    and while ``button`` is pressed.

    Parameters
    ----------
    pll : PllSetting or None
        None takes the oscillator as it is.
    button : str
        Resource that restarts the design; empty for none.
    """

    def __init__(self, pll: PllSetting | None, button: str = "") -> None:
        self.pll, self.button = pll, button

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        port = platform.request(platform.default_clk, dir="-")
        m.submodules.oscillator = oscillator = io.Buffer("i", port)
        clock, running = Signal(name="clock"), Signal(name="running")
        m.domains.sync = ClockDomain("sync", reset_less=True)
        m.d.comb += ClockSignal().eq(clock)
        if self.pll is None:
            m.d.comb += [clock.eq(oscillator.i), running.eq(1)]
        else:
            m.submodules.pll = _instance(self.pll, oscillator.i, clock, running)
        go = running
        if self.button:
            pressed = platform.request(self.button, 0)
            go = running & ~pressed.i
        first, second = Signal(name="go_1"), Signal(name="go_2")
        m.submodules.go_1 = Instance("FD1S3AX", p_GSR="DISABLED", i_CK=clock, i_D=go, o_Q=first)
        m.submodules.go_2 = Instance("FD1S3AX", p_GSR="DISABLED", i_CK=clock, i_D=first, o_Q=second)
        m.submodules.gsr = Instance("SGSR", i_CLK=clock, i_GSR=second)
        return m


def _instance(pll: PllSetting, reference: Any, clock: Signal, locked: Signal) -> Instance:
    fed_back = Signal(name="fed_back")
    return Instance(
        "EHXPLLL",
        a_FREQUENCY_PIN_CLKI=f"{pll.input_hz / 1e6:g}",
        a_FREQUENCY_PIN_CLKOP=f"{float(pll.detector_hz) / 1e6:g}",
        a_FREQUENCY_PIN_CLKOS=f"{float(pll.hz) / 1e6:g}",
        a_ICP_CURRENT="12",
        a_LPF_RESISTOR="8",
        a_MFG_ENABLE_FILTEROPAMP="1",
        a_MFG_GMCREF_SEL="2",
        p_PLLRST_ENA="DISABLED",
        p_INTFB_WAKE="DISABLED",
        p_STDBY_ENABLE="DISABLED",
        p_DPHASE_SOURCE="DISABLED",
        p_OUTDIVIDER_MUXA="DIVA",
        p_OUTDIVIDER_MUXB="DIVB",
        p_OUTDIVIDER_MUXC="DIVC",
        p_OUTDIVIDER_MUXD="DIVD",
        p_FEEDBK_PATH="CLKOP",
        p_CLKI_DIV=pll.reference,
        p_CLKFB_DIV=1,
        p_CLKOP_ENABLE="ENABLED",
        p_CLKOP_DIV=pll.multiply,
        p_CLKOP_CPHASE=(pll.multiply - 1) // 2,
        p_CLKOP_FPHASE=0,
        p_CLKOS_ENABLE="ENABLED",
        p_CLKOS_DIV=pll.output,
        p_CLKOS_CPHASE=(pll.output - 1) // 2,
        p_CLKOS_FPHASE=0,
        i_CLKI=reference,
        i_CLKFB=fed_back,
        o_CLKOP=fed_back,
        o_CLKOS=clock,
        o_LOCK=locked,
        **{f"i_{name}": Const(0) for name in ("RST", "STDBY", "PHASESEL0", "PHASESEL1")},
        **{f"i_{name}": Const(1) for name in ("PHASEDIR", "PHASESTEP", "PHASELOADREG")},
        **{f"i_{name}": Const(0) for name in ("PLLWAKESYNC", "ENCLKOP", "ENCLKOS")},
    )
