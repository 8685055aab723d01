# SPDX-License-Identifier: Apache-2.0
"""What is wrong with the array: one thing at a time, and converters of few bits on spread cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from scaledrop.analog import AnalogArray, CellModel, ReadoutModel, WireModel
from scaledrop.array_shape import ArrayShape

__all__ = ["PASSES", "SHAPE", "AnalogCase", "analog_cases"]

SHAPE = ArrayShape(64, 16)
BITS = (8, 7, 6, 5, 4, 3, 2, 1)
PASSES = (1, 2, 5, 10, 20, 50)
CHIPS = 2
SPREADS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3)
STUCK = (0.001, 0.002, 0.005, 0.01, 0.02)
TMRS = (0.5, 1.0, 2.5, 5.0)
WIRES_OHM = {1e6: (1.0, 10.0, 30.0, 100.0), 1e4: (0.1, 0.3, 1.0, 3.0)}
"""Of a segment, by the resistance of a parallel device."""
PRICED_OHM = 1e6


@dataclass(frozen=True)
class AnalogCase:
    """One setting of the study.

    Attributes:
        sweep, setting: What is changed, and to what.
        arrays: The chips.
        bits: Of the converters; None is lossless.
        passes: T to draw beside the exact marginal.
    """

    sweep: str
    setting: str
    arrays: tuple[AnalogArray, ...] = field(default=(AnalogArray(SHAPE),))
    bits: int | None = None
    passes: tuple[int, ...] = (20,)

    @property
    def priced(self) -> bool:
        """Whether its cells are those that the table prices."""
        return all(array.cells.parallel_ohm == PRICED_OHM for array in self.arrays)


def _chips(count: int = CHIPS, **parts: object) -> tuple[AnalogArray, ...]:
    return tuple(AnalogArray(SHAPE, seed=seed, **parts) for seed in range(count))  # type: ignore[arg-type]


def analog_cases() -> Iterator[AnalogCase]:
    """Every setting; the first is the array with nothing wrong."""
    yield AnalogCase("none", "lossless", passes=PASSES)
    for bits in BITS:
        yield AnalogCase("bits", str(bits), bits=bits, passes=PASSES)
    for spread in SPREADS:
        yield AnalogCase("spread", f"{spread:g}", _chips(cells=CellModel(spread=spread)))
    for rate in STUCK:
        cells = CellModel(stuck_low=rate / 2, stuck_high=rate / 2)
        yield AnalogCase("stuck", f"{rate:g}", _chips(cells=cells))
    for bits in (6, 5, 4, 3):
        chips = _chips(cells=CellModel(spread=0.1))
        yield AnalogCase("bits, spread 0.1", str(bits), chips, bits)
    for tmr in TMRS:
        yield AnalogCase(
            "tmr, spread 0.1", f"{tmr:g}", _chips(cells=CellModel(tmr=tmr, spread=0.1))
        )
    yield from _wires()
    for size in (0.5, 1.0, 2.0):
        readout = ReadoutModel(offset_spread=size)
        yield AnalogCase("offset", f"{size:g}", _chips(1, readout=readout))
        yield AnalogCase("noise", f"{size:g}", _chips(1, readout=ReadoutModel(noise=size)))


def _wires() -> Iterator[AnalogCase]:
    for parallel, resistances in WIRES_OHM.items():
        for ohm in resistances:
            wires, cells = WireModel(*[ohm] * 4), CellModel(parallel_ohm=parallel)
            for trim in (False, True):
                sweep = f"wires, {parallel:.0e} ohm cells{', trimmed' if trim else ''}"
                chip = AnalogArray(SHAPE, cells, wires, trim=trim)
                yield AnalogCase(sweep, f"{ohm:g}", (chip,))
