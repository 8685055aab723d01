# SPDX-License-Identifier: Apache-2.0
"""What the driver needs of the world: a register bus and two streams."""

from __future__ import annotations

from typing import Protocol

__all__ = ["BusError", "Transport"]


class BusError(Exception):
    """The device answered an access with an error."""


class Transport(Protocol):
    """A way to reach a device.

    On a board the first two are loads and stores at the address at which the device is mapped, and
    the others start a DMA engine and wait for it.
    """

    def read32(self, address: int) -> int:
        """The word at a byte address.

        Raises:
            BusError: the device refused.
        """

    def write32(self, address: int, word: int) -> None:
        """Write a word to a byte address.

        Raises:
            BusError: the device refused.
        """

    def send(self, frame: bytes) -> None:
        """Begin to send a frame; TLAST stands on its last byte.

        Returns as soon as the frame is on its way, at the latest when it has been taken; the device
        takes two images before any result is fetched.
        """

    def receive(self, limit: int) -> list[int]:
        """Wait for a frame of 32-bit words, which ends with TLAST.

        Args:
            limit: Words that the longest frame can have.

        Raises:
            BusError: it does not come, or is longer.
        """
