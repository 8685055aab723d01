# SPDX-License-Identifier: Apache-2.0
"""What a published microjoule figure can be made of: converters, cells and random bits alone.

A plausibility check of remembered 0.18 uJ per image for LeNet-5 (arXiv 2311.15816), not data: a sum
that comes out near it shows that the figure can be so, never that it was made so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from scaledrop.checks import check_integer
from scaledrop.energy.network_figures import NetworkFigures
from scaledrop.energy.sources import Grain, numbers_per_pass

__all__ = ["ASSUMPTIONS", "Assumptions", "Consistency", "Reading", "consistency"]

PUBLISHED_UJ = 0.18
"""Remembered, unverified."""

ASSUMPTIONS = (
    "every output of a layer is converted once a pass, before pooling; nothing is shared",
    "one converter figure for all outputs, whatever their fan-in; an image takes one bit plane",
    "every weight is two devices of one resistance, read once for every position",
    "a random bit costs the same whatever it drops; the head draws too",
    "drivers, adders, memories, control, clock and leakage cost nothing",
)
"""What the sum takes for granted. Printed with it."""


@dataclass(frozen=True)
class Assumptions:
    """Figures of the sum, each with its source in the comments of the values.

    Attributes:
        passes: T.
        converters: Name to joules of a conversion.
        cells: Name to ohms of a device.
        read_volts, read_s: Of a cell.
        bit_j: Joules of a random bit with its driver.
    """

    passes: int = 20
    # 28 nm, 8 bits, Andrulis et al. arXiv 2404.06553; 45 nm, 4 bits, NeuroSim V1.4 SAR column.
    converters: tuple[tuple[str, float], ...] = (
        ("8 bits, 28 nm", 1.33e-12),
        ("4 bits, 45 nm, NeuroSim", 0.104e-12),
    )
    cells: tuple[tuple[str, float], ...] = (("10 kOhm", 10e3), ("1 MOhm", 1e6))
    read_volts: float = 0.2
    read_s: float = 10e-9
    # HIKSTOR junction with its driver: a write alone, 1.607 pJ from the supply.
    bit_j: float = 1.6e-12

    def __post_init__(self) -> None:
        check_integer(self.passes, 1, 2**31, "passes")


@dataclass(frozen=True)
class Reading:
    """One choice of converter, cell and grain, in joules per image."""

    converter: str
    cell: str
    grain: Grain
    conversions_j: float
    cells_j: float
    bits_j: float

    @property
    def joules(self) -> float:
        return self.conversions_j + self.cells_j + self.bits_j


@dataclass(frozen=True)
class Consistency:
    """Parts of the sum for one network, in joules per image.

    Attributes:
        figures: Of the network.
        converters: Name to joules of all conversions.
        cells: Name to joules of all cell reads.
        bits: Grain to joules of all random bits.
        assumptions: What is taken for granted.
    """

    figures: NetworkFigures
    converters: dict[str, float]
    cells: dict[str, float]
    bits: dict[Grain, float]
    assumptions: tuple[str, ...] = ASSUMPTIONS

    def readings(self) -> Iterator[Reading]:
        """Every combination."""
        for converter, conversions_j in self.converters.items():
            for cell, cells_j in self.cells.items():
                for grain, bits_j in self.bits.items():
                    yield Reading(converter, cell, grain, conversions_j, cells_j, bits_j)

    def near(self, joules: float = PUBLISHED_UJ * 1e-6, within: float = 0.1) -> list[Reading]:
        """Combinations within a share of ``joules``, the nearest first."""
        close = [one for one in self.readings() if abs(one.joules - joules) <= within * joules]
        return sorted(close, key=lambda one: abs(one.joules - joules))


def consistency(figures: NetworkFigures, given: Assumptions = Assumptions()) -> Consistency:
    """The sum for ``figures`` under ``given``.

    A cell read is V^2 t / R; a weight is two of them, at every output position.
    """
    read_j = given.read_volts**2 * given.read_s
    bits = (Grain.LAYER, Grain.CHANNEL, Grain.NEURON)
    return Consistency(
        figures,
        {name: figures.outputs * given.passes * each for name, each in given.converters},
        {name: figures.macs * given.passes * 2 * read_j / ohms for name, ohms in given.cells},
        {one: numbers_per_pass(figures, one) * given.passes * given.bit_j for one in bits},
    )
