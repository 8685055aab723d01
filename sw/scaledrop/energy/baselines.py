# SPDX-License-Identifier: Apache-2.0
"""Other stochastic sources on the same architecture: numbers, joules, and what else changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scaledrop.energy.band import Band
from scaledrop.energy.generators import Generator, lfsr, load_generators, spin_unit
from scaledrop.energy.network_figures import NetworkFigures
from scaledrop.energy.sources import Grain, numbers_at_once, numbers_per_pass, sums
from scaledrop.energy.table import TechnologyTable

__all__ = ["SourceCost", "source_cost", "source_costs"]

CHANGES = {
    Grain.LAYER: ("passes whose bits agree share their sums",),
    Grain.CHANNEL: (
        "only the first layer's sums are shared, in practice",
        "a register for each channel's bit",
    ),
    Grain.NEURON: (
        "prefix sharing is impossible behind the first layer: every pass sums every other layer",
        "a generator for every channel that leaves the array together, or time to wait for fewer",
    ),
    Grain.OUTPUT: (
        "the array also sums the variances: twice the sums and cells of several levels",
        "prefix sharing is impossible behind the first layer",
        "weights are no longer one bit; an output takes a square root and a product more",
    ),
    Grain.WEIGHT: (
        "every pass sums every layer: nothing is shared",
        "weights are no longer one bit, and change in every pass: a generator in each cell, or the "
        "array rewritten",
    ),
}
"""What else a grain changes."""


@dataclass(frozen=True)
class SourceCost:
    """One stochastic source, for one image of T passes.

    Attributes:
        name: Shown to people.
        generator: What gives the numbers.
        grain: What gets a number of its own.
        numbers: Numbers per image.
        joules: Of these numbers alone, per image.
        units: Generators side by side, see :func:`scaledrop.energy.sources.numbers_at_once`.
        sums: Outputs summed by the array per image, with all sharing that is left.
        sums_unshared: The same with every pass on its own.
        changes: What else changes.
    """

    name: str
    generator: Generator
    grain: Grain
    numbers: int
    joules: Band
    units: int
    sums: int
    sums_unshared: int
    changes: tuple[str, ...]


def source_cost(
    figures: NetworkFigures, generator: Generator, grain: Grain, passes: int
) -> SourceCost:
    """Numbers and joules of one source.

    Args:
        figures: Of the network.
        generator: Gaussian where the grain is a weight or an output.
        grain: What gets a number.
        passes: T.

    Raises:
        UserError: ``passes`` is not an integer of 1 or more.
    """
    summed = sums(figures, grain, passes)
    numbers = numbers_per_pass(figures, grain) * passes
    twice = 2 if grain is Grain.OUTPUT else 1
    return SourceCost(
        name=f"one {'Gaussian' if generator.gaussian else 'bit'} per {grain}, {generator.name}",
        generator=generator,
        grain=grain,
        numbers=numbers,
        joules=generator.joules * numbers,
        units=numbers_at_once(figures, grain),
        sums=summed,
        sums_unshared=figures.outputs * passes * twice,
        changes=CHANGES[grain],
    )


def source_costs(
    figures: NetworkFigures,
    table: TechnologyTable,
    passes: int,
    generators: Sequence[Generator] | None = None,
) -> tuple[SourceCost, ...]:
    """All sources side by side: spin units at three grains, one generator of CMOS instead, and
    Gaussian weights.

    Args:
        figures: Of the network.
        table: Its rows of spin unit, registers and comparators.
        passes: T.
        generators: Published ones; those of the package when None.

    Raises:
        UserError: the table lacks a row, or ``passes`` is not an integer of 1 or more.
    """
    published = load_generators() if generators is None else tuple(generators)
    spin = spin_unit(table)
    pairs = [(spin, grain) for grain in (Grain.NEURON, Grain.CHANNEL, Grain.LAYER)]
    bits = [lfsr(table), *(one for one in published if not one.gaussian)]
    pairs += [(one, Grain.LAYER) for one in bits]
    gaussians = [one for one in published if one.gaussian]
    pairs += [(one, grain) for one in gaussians for grain in (Grain.OUTPUT, Grain.WEIGHT)]
    return tuple(source_cost(figures, one, grain, passes) for one, grain in pairs)
