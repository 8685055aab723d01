# SPDX-License-Identifier: Apache-2.0
"""One network on one array, priced in several ways of running it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from scaledrop.array_shape import ArrayShape
from scaledrop.density import Density
from scaledrop.energy import EnergyEstimate, Machine, TechnologyTable, estimate
from scaledrop.energy.hardware import machine_of
from scaledrop.errors import UserError
from scaledrop.events import EventCounts
from scaledrop.frozen import FrozenNetwork
from scaledrop.walk import Mode
from scaledrop.workload import MASKS, Workload, count

__all__ = ["PAPER", "STEPS", "Priced", "Setting", "Way", "price_way", "price_ways"]


@dataclass(frozen=True)
class Way:
    """How the network is run.

    Attributes:
        name: Shown to people.
        mode: ``passes``, ``shared`` or ``exact``.
        folded: Two thresholds instead of scale memory and multiplier.
        plain: Every column is biased and clocked whether a layer uses it or not, and a converter
            resolves what all rows can give.
    """

    name: str
    mode: Mode
    folded: bool
    plain: bool = False


PAPER = Way("as the paper: passes, scale and multiplier", Mode.PASSES, folded=False, plain=True)
STEPS = (
    PAPER,
    Way("only columns in use, converters stop early", Mode.PASSES, folded=False),
    Way("folded thresholds", Mode.PASSES, folded=True),
    Way("shared prefixes", Mode.SHARED, folded=True),
)
"""From the paper's architecture to ours, one change at a time."""


@dataclass(frozen=True, eq=False)
class Setting:
    """What all ways have in common.

    Attributes:
        array: Of the crossbars.
        convolution: ``auto``, ``unrolled`` or ``taps``.
        passes: T.
        masks: Of mode ``exact``.
        seed: Of the bits.
        drives: (N, pixels) images, or the density of ones in them.
        converter_bits: Of a converter that is not lossless.
    """

    array: ArrayShape
    drives: npt.NDArray[np.integer] | Density
    convolution: str = "auto"
    passes: int = 20
    masks: int = MASKS
    seed: int = 1
    converter_bits: int | None = None

    def __post_init__(self) -> None:
        if self.converter_bits is not None and not 1 <= self.converter_bits <= 16:
            raise UserError(f"converter_bits: must be 1 to 16, not {self.converter_bits!r}")


@dataclass(frozen=True, eq=False)
class Priced:
    """A way with its counts and its price."""

    way: Way
    workload: Workload
    machine: Machine
    estimate: EnergyEstimate


def _plain(machine: Machine) -> Machine:
    sizes = {layer: replace(one, gated=False) for layer, one in machine.sizes.items()}
    return Machine(sizes, machine.tiles)


def price_way(
    network: FrozenNetwork,
    setting: Setting,
    way: Way,
    table: TechnologyTable,
    counted: EventCounts | None = None,
) -> Priced:
    """Counts from the mapping, or those given, times the table.

    Args:
        counted: Counts of a run of the RTL over the setting's images instead of the prediction.

    Raises:
        UserError: a size out of range, or a component that the table lacks.
    """
    images = None if isinstance(setting.drives, Density) else setting.drives
    density = setting.drives if isinstance(setting.drives, Density) else None
    workload = count(
        network,
        setting.array,
        convolution=setting.convolution,
        mode=way.mode,
        passes=setting.passes,
        masks=setting.masks,
        folded=way.folded,
        images=images,
        density=density,
        seed=setting.seed,
    )
    machine = machine_of(workload.layout, way.folded, setting.converter_bits)
    if way.plain:
        machine = _plain(machine)
    counts = workload.counts if counted is None else counted
    return Priced(way, workload, machine, estimate(counts, machine, table, workload.images))


def price_ways(
    network: FrozenNetwork, setting: Setting, ways: Sequence[Way], table: TechnologyTable
) -> list[Priced]:
    """Every way in turn; see :func:`price_way`."""
    return [price_way(network, setting, way, table) for way in ways]
