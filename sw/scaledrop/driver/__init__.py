# SPDX-License-Identifier: Apache-2.0
"""Driver of the accelerator: the same calls for a simulation and for a board."""

from scaledrop.driver.device import Device
from scaledrop.driver.status import Status
from scaledrop.driver.transport import BusError, Transport

__all__ = ["BusError", "Device", "Status", "Transport"]
