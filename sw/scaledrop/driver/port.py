# SPDX-License-Identifier: Apache-2.0
"""A serial port of this computer as the transport's byte pipe."""

from __future__ import annotations

import contextlib
import errno
from typing import Any

from scaledrop.driver.serial import SerialTransport
from scaledrop.errors import UserError

__all__ = ["READ_TIMEOUT_S", "SerialPort", "open_serial"]

READ_TIMEOUT_S = 0.5
"""Longer than a device waits for the rest of a command and a busy computer keeps an answer."""

REMEDIES = {
    errno.ENOENT: "no such port; found here: {ports}",
    errno.EACCES: "no permission; on Linux add yourself to the group of the port, often dialout",
    errno.EBUSY: "another program has it",
}


def _serial() -> Any:
    try:
        import serial
        import serial.tools.list_ports
    except ImportError:
        raise UserError("serial ports: need pyserial; pip install 'scaledrop[fpga]'") from None
    return serial


class SerialPort:
    """A :class:`scaledrop.driver.serial.BytePipe`.

    Args:
        name: Such as ``/dev/ttyUSB1`` or ``COM3``.
        baud: Bits a second.

    Raises:
        UserError: pyserial is missing, or the port cannot be opened; says why.
    """

    def __init__(self, name: str, baud: int) -> None:
        self.name, self._serial = name, _serial()
        try:
            self._port = self._serial.Serial(
                name, baud, timeout=READ_TIMEOUT_S, write_timeout=10 * READ_TIMEOUT_S
            )
        except (self._serial.SerialException, OSError, ValueError) as error:
            raise UserError(f"{name}: {self._why(error, baud)}") from None
        # Most adapters hold answers back for 16 ms otherwise; not all can be told.
        with contextlib.suppress(AttributeError, OSError, ValueError, NotImplementedError):
            self._port.set_low_latency_mode(True)

    def _why(self, error: Exception, baud: int) -> str:
        if isinstance(error, ValueError):
            return f"cannot run at {baud} baud ({error})"
        code = getattr(error, "errno", None)
        ports = [port.device for port in self._serial.tools.list_ports.comports()]
        remedy = REMEDIES.get(code, str(error)) if isinstance(code, int) else str(error)
        return remedy.format(ports=", ".join(sorted(ports)) or "none")

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes.

        Raises:
            UserError: the port is gone.
        """
        try:
            return bytes(self._port.read(size))
        except (self._serial.SerialException, OSError) as error:
            raise UserError(f"{self.name}: {error}; plug it in and try again") from None

    def write(self, data: bytes) -> None:
        """Send bytes.

        Raises:
            UserError: the port is gone, or takes nothing.
        """
        try:
            self._port.write(data)
        except (self._serial.SerialException, OSError) as error:
            raise UserError(f"{self.name}: {error}; plug it in and try again") from None

    def close(self) -> None:
        """Give the port back."""
        self._port.close()


def open_serial(name: str, baud: int) -> SerialTransport:
    """The transport to a demonstrator at a serial port; resets it.

    Raises:
        UserError: as :class:`SerialPort` and :class:`SerialTransport`.
    """
    port = SerialPort(name, baud)
    try:
        return SerialTransport(port, name)
    except UserError:
        port.close()
        raise
