# SPDX-License-Identifier: Apache-2.0
"""Registers and memories of a device by name."""

from __future__ import annotations

from collections.abc import Sequence

from scaledrop.checks import check_integer
from scaledrop.device_sizes import PART_BITS, DeviceSizes, Memory, MemoryShape
from scaledrop.driver.transport import BusError, Transport
from scaledrop.errors import UserError
from scaledrop.register_types import Register
from scaledrop.registers import register_map

__all__ = ["MemoryAccess", "RegisterAccess"]


class RegisterAccess:
    """Reads and writes registers; a refused access becomes a sentence."""

    def __init__(self, transport: Transport, sizes: DeviceSizes) -> None:
        self.transport, self.sizes = transport, sizes
        self.registers = register_map(sizes)

    def read(self, name: str, index: int = 0) -> dict[str, int]:
        """Every field of a register.

        Raises:
            UserError: there is no such register, or the device refused.
        """
        register = self.registers[name]
        return register.decode(self.read_word(register, index))

    def write(self, name: str, index: int = 0, **fields: int) -> None:
        """Write a register; fields that are not named become 0.

        Raises:
            UserError: there is no such register or field, a value does not fit, or the device
                refused; nothing was written.
        """
        register = self.registers[name]
        self.write_word(register, register.encode(**fields), index)

    def read_word(self, register: Register, index: int = 0) -> int:
        """A register as it is."""
        try:
            return self.transport.read32(register.address(index))
        except BusError:
            raise self._refused(register) from None

    def write_word(self, register: Register, word: int, index: int = 0) -> None:
        """A register as a whole."""
        try:
            self.transport.write32(register.address(index), word)
        except BusError:
            raise self._refused(register) from None

    def _refused(self, register: Register) -> UserError:
        """Ask the device why, and clear what it says."""
        errors = self.registers["ERRORS"]
        try:
            word = self.transport.read32(errors.address())
            self.transport.write32(errors.address(), word)
        except BusError:
            word = 0
        reasons = [field.description for field in errors.fields if word & field.mask]
        why = "; ".join(reasons) or "the device has no such register"
        return UserError(f"{register.name}: access refused: {why}")


class MemoryAccess:
    """The memories behind the host window; only while no image is held."""

    def __init__(self, access: RegisterAccess) -> None:
        self._access = access

    def shape(self, memory: Memory) -> MemoryShape:
        """Words and parts of a memory.

        Raises:
            UserError: the device has no such memory.
        """
        shapes = self._access.sizes.memories
        if memory not in shapes:
            has = ", ".join(one.name for one in shapes) or "none"
            raise UserError(f"{memory.name}: the device has no such memory; it has {has}")
        return shapes[memory]

    def _go(self, memory: Memory, first: int, count: int) -> int:
        words, parts = self.shape(memory)
        check_integer(first, 0, words - 1, f"{memory.name}: first word")
        check_integer(count, 0, words - first, f"{memory.name}: words from {first} on")
        self._access.write("HOST_MEMORY", memory=memory)
        self._access.write("HOST_ADDRESS", address=first)
        return parts

    def store(self, memory: Memory, words: Sequence[int], first: int = 0) -> None:
        """Write words from word ``first`` on.

        Raises:
            UserError: no such memory, too many words, a word too wide, or the device refused.
        """
        parts = self.shape(memory).parts
        for at, word in enumerate(words, first):
            if not 0 <= word < 1 << parts * PART_BITS:
                raise UserError(f"{memory.name}[{at}]: must fit {parts * PART_BITS} bits")
        self._go(memory, first, len(words))
        data = self._access.registers["HOST_DATA"]
        for word in words:
            for part in range(parts):
                value = word >> part * PART_BITS & (1 << PART_BITS) - 1
                self._access.write_word(data, value)

    def fetch(self, memory: Memory, first: int = 0, count: int | None = None) -> list[int]:
        """Read ``count`` words, by default all, from word ``first`` on.

        Raises:
            UserError: no such memory or words, or the device refused.
        """
        left = self.shape(memory).words - first if count is None else count
        parts = self._go(memory, first, left)
        data = self._access.registers["HOST_DATA"]
        return [
            sum(self._access.read_word(data) << part * PART_BITS for part in range(parts))
            for _ in range(left)
        ]
