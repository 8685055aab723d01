# SPDX-License-Identifier: Apache-2.0
"""Price the counted events of a run."""

from __future__ import annotations

from scaledrop.energy import EnergyEstimate, Sizes, TechnologyTable, estimate
from scaledrop.events import EventCounts
from scaledrop.mapping import NetworkMapping
from scaledrop.numbers import Coding

__all__ = ["price"]


def price(
    counts: EventCounts, mapping: NetworkMapping, table: TechnologyTable, images: int
) -> EnergyEstimate:
    """Joules per image from event counts over ``images`` images.

    Widths are those of the hardware, which is as wide as its widest layer; the converter's bits
    follow from each layer's coding.

    Raises:
        UserError: the table lacks a component for this mapping.
    """
    network, array = mapping.network, mapping.array
    sizes = {
        layer.name: Sizes(
            rows=array.rows,
            columns=array.columns,
            lanes=array.lanes,
            scale_bits=network.scale_bits,
            sum_width=network.sum_width,
            scaled_width=network.scaled_width,
            logit_width=network.logit_width,
            gain_bits=network.head.gain_bits,
            bit_planes=layer.coding is Coding.UNSIGNED,
        )
        for layer in network.layers
    }
    return estimate(counts, sizes, table, images)
