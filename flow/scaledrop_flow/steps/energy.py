# SPDX-License-Identifier: Apache-2.0
"""Price the counted events of a run."""

from __future__ import annotations

from scaledrop.energy import EnergyEstimate, Sizes, TechnologyTable, estimate
from scaledrop.events import Event, EventCounts
from scaledrop.mapping import NetworkMapping

__all__ = ["price", "price_nothing"]


def price(
    counts: EventCounts, mapping: NetworkMapping, table: TechnologyTable, images: int
) -> EnergyEstimate:
    """Joules per image from event counts over ``images`` images."""
    network, array = mapping.network, mapping.array
    sizes = Sizes(
        rows=array.rows,
        columns=array.columns,
        lanes=array.lanes,
        scale_bits=network.scale_bits,
        sum_width=network.sum_width,
        scaled_width=network.scaled_width,
        logit_width=network.logit_width,
        gain_bits=network.head.gain_bits,
    )
    return estimate(counts, sizes, table, images)


def price_nothing(mapping: NetworkMapping, table: TechnologyTable) -> None:
    """Find out before any work whether ``table`` can price this mapping at all.

    Raises:
        UserError: a component is missing from the table.
    """
    none = {str(event): 0 for event in Event}
    price({layer.name: none for layer in mapping.network.layers}, mapping, table, images=1)
