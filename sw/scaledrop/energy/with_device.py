# SPDX-License-Identifier: Apache-2.0
"""A technology table whose spin unit is a device card's."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scaledrop.device.card import Card
from scaledrop.device.conditions import Conditions
from scaledrop.device.devices import Devices, draw, nominal
from scaledrop.device.energy import BitCost, bit_cost
from scaledrop.device.wafer import code_drive, trim
from scaledrop.energy.band import Band, Label
from scaledrop.energy.table import TechnologyTable

__all__ = ["with_device"]

WAFER, SEED = 256, 1
PARTS = {"spin_reset": "reset_j", "spin_write": "write_j", "spin_read": "read_j"}


def _cost(devices: Devices, probability: float) -> BitCost:
    drive = code_drive(devices, trim(devices, probability))
    return bit_cost(devices, drive, Conditions(), probability)


def _band(one: npt.NDArray[np.float64], wafer: npt.NDArray[np.float64]) -> Band:
    value = float(np.ravel(one)[0])
    return Band(value, min(float(wafer.min()), value), max(float(wafer.max()), value))


def with_device(table: TechnologyTable, card: Card, probability: float) -> TechnologyTable:
    """``table`` with reset, write and read of a device card, driver included.

    Values are the nominal device's, trimmed to ``probability`` at 300 K; bounds are the least and
    the most of 256 devices drawn by the card's spreads, each trimmed.

    Args:
        table: Any; the three rows of the spin unit are replaced.
        card: The device.
        probability: Of a switched bit, 0 to 1.

    Raises:
        UserError: the table lacks a row of the spin unit, or the probability is out of range.
    """
    one, wafer = (
        _cost(devices, probability) for devices in (nominal(card), draw(card, WAFER, SEED))
    )
    label = Label.MEM if card.unverified else Label.CALC
    replaced = {
        name: table.row(name).with_band(
            _band(getattr(one, part), getattr(wafer, part)),
            label=label,
            source=f"device card {card.name} at p = {probability:g}",
            note=f"{WAFER} devices by the card's spreads, seed {SEED}.",
        )
        for name, part in PARTS.items()
    }
    rows = tuple(replaced.get(row.component, row) for row in table.rows)
    return table.model_copy(update={"name": f"{table.name} with {card.name}", "rows": rows})
