# SPDX-License-Identifier: Apache-2.0
"""Price the counted events of a run."""

from __future__ import annotations

from scaledrop.energy import EnergyEstimate, TechnologyTable, estimate
from scaledrop.energy.hardware import machine_of
from scaledrop.events import EventCounts
from scaledrop.layout import NetworkLayout

__all__ = ["price"]


def price(
    counts: EventCounts,
    layout: NetworkLayout,
    table: TechnologyTable,
    images: int,
    folded: bool = False,
) -> EnergyEstimate:
    """Joules per image from event counts over ``images`` images.

    Raises:
        UserError: the table lacks a component for this array.
    """
    return estimate(counts, machine_of(layout, folded), table, images)
