# SPDX-License-Identifier: Apache-2.0
"""A behavioural analog crossbar: cells, wires and converters between the weights and the sums."""

from scaledrop.analog.array import AnalogArray
from scaledrop.analog.cells import CellModel, Spread
from scaledrop.analog.choice import choose_converters
from scaledrop.analog.engine import AnalogEngine
from scaledrop.analog.readout import ReadoutModel
from scaledrop.analog.wires import WireModel, transfer
from scaledrop.converter import Converter

__all__ = [
    "AnalogArray",
    "AnalogEngine",
    "CellModel",
    "Converter",
    "ReadoutModel",
    "Spread",
    "WireModel",
    "choose_converters",
    "transfer",
]
