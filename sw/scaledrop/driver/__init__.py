# SPDX-License-Identifier: Apache-2.0
"""Driver of the accelerator: the same calls for a simulation and for a board."""

from scaledrop.driver.contents import Contents, read_contents
from scaledrop.driver.description import (
    Description,
    description_of,
    read_description,
    sizes_from_sidecar,
)
from scaledrop.driver.device import Device
from scaledrop.driver.port import open_serial
from scaledrop.driver.serial import SerialTransport
from scaledrop.driver.status import Status
from scaledrop.driver.transport import BusError, Transport

__all__ = [
    "BusError",
    "Contents",
    "Description",
    "Device",
    "SerialTransport",
    "Status",
    "Transport",
    "description_of",
    "open_serial",
    "read_contents",
    "read_description",
    "sizes_from_sidecar",
]
