# SPDX-License-Identifier: Apache-2.0
"""What the file beside the Verilog says of a device: all that a driver needs to know of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

from scaledrop.device_sizes import DeviceSizes, Memory, MemoryShape
from scaledrop.errors import UserError

__all__ = [
    "Description",
    "WordField",
    "by_memory",
    "description_of",
    "fields_from_json",
    "read_description",
    "read_json",
    "sizes_from_sidecar",
    "sizes_to_json",
]

Json = Mapping[str, Any]


class WordField(NamedTuple):
    """Some bits of a memory's word."""

    name: str
    offset: int
    width: int
    signed: bool

    @property
    def range(self) -> tuple[int, int]:
        """Least and largest value."""
        low = -(1 << self.width - 1) if self.signed else 0
        return low, low + (1 << self.width) - 1

    def value(self, word: int) -> int:
        """Its value in a word."""
        value = word >> self.offset & (1 << self.width) - 1
        return value - (1 << self.width) if value > self.range[1] else value


@dataclass(frozen=True)
class Description:
    """A device as it was generated.

    Attributes:
        sizes: Of its registers and streams.
        events: Names of its counters, in their order.
        input_shape: Of an image as users hold it.
        structure: What a network must have in common with the one that is built in.
        formats: Memory -> fields of a word.
    """

    sizes: DeviceSizes
    events: tuple[str, ...]
    input_shape: tuple[int, ...]
    structure: Json
    formats: Mapping[Memory, tuple[WordField, ...]]


def sizes_to_json(sizes: DeviceSizes) -> dict[str, Any]:
    """Plain values of sizes, as in a sidecar; :func:`sizes_from_sidecar` reads them back."""
    values = {field.name: getattr(sizes, field.name) for field in fields(sizes)}
    memories = {memory.name.lower(): shape._asdict() for memory, shape in sizes.memories.items()}
    return {**values, "drive_codes": list(sizes.drive_codes), "memories": memories}


def sizes_from_sidecar(sidecar: Json) -> DeviceSizes:
    """Sizes of the device that a sidecar describes.

    Raises:
        UserError: it describes none.
    """
    if "device" not in sidecar:
        raise UserError("sidecar: describes no device; generate it with --bus axi")
    values = dict(sidecar["device"])
    memories = {
        memory: MemoryShape(**shape) for memory, shape in by_memory(values["memories"]).items()
    }
    return DeviceSizes(
        **{**values, "memories": memories, "drive_codes": tuple(values["drive_codes"])}
    )


def by_memory(values: Json) -> dict[Memory, Any]:
    """What is said of each memory, in their order."""
    found = {Memory[name.upper()]: value for name, value in values.items()}
    return dict(sorted(found.items()))


def fields_from_json(values: Json) -> dict[Memory, tuple[WordField, ...]]:
    """Memory -> fields of its word."""
    return {
        memory: tuple(WordField(**field) for field in value["fields"])
        for memory, value in by_memory(values).items()
    }


def description_of(sidecar: Json) -> Description:
    """The device that a sidecar describes.

    Raises:
        UserError: it describes none.
    """
    return Description(
        sizes=sizes_from_sidecar(sidecar),
        events=tuple(sidecar["counters"]),
        input_shape=tuple(sidecar["network"]["input_shape"]),
        structure=sidecar["structure"],
        formats=fields_from_json(sidecar["formats"]),
    )


def read_json(path: Path) -> Any:
    """The values in a file.

    Raises:
        UserError: it cannot be read, or is not JSON.
    """
    try:
        return json.loads(path.read_text())
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError:
        raise UserError(f"{path}: is not JSON") from None


def read_description(path: Path) -> Description:
    """The device that the ``.json`` beside its Verilog describes.

    Raises:
        UserError: the file cannot be read or describes none.
    """
    return description_of(read_json(path))
