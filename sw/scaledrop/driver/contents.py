# SPDX-License-Identifier: Apache-2.0
"""A whole network as words of a device's memories, for this device or for one of its kind.

Devices of one structure differ in their numbers only: what is stored in a memory can be loaded.
Fields have the width that the formats need, whatever the numbers; only a head whose offsets
outweigh its gains takes wider ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scaledrop.device_sizes import Memory
from scaledrop.driver.description import (
    Description,
    WordField,
    by_memory,
    fields_from_json,
    read_json,
)
from scaledrop.errors import UserError

__all__ = ["Contents", "read_contents"]

KIND = "scaledrop contents 1"


@dataclass(frozen=True)
class Contents:
    """What the memories and drive codes of a device must hold to be a network.

    Attributes:
        network: Its name.
        digest: Its sha256.
        structure: What it must have in common with a device.
        drive_codes: Dropout probability of every layer in 2**-16.
        formats: Memory -> fields of a word.
        words: Memory -> every word.
    """

    network: str
    digest: str
    structure: Mapping[str, Any]
    drive_codes: tuple[int, ...]
    formats: Mapping[Memory, tuple[WordField, ...]]
    words: Mapping[Memory, tuple[int, ...]]

    def as_json(self) -> dict[str, Any]:
        """Plain values; words in hexadecimal."""
        memories = {
            memory.name.lower(): {
                "fields": [field._asdict() for field in self.formats[memory]],
                "words": [f"{word:x}" for word in words],
            }
            for memory, words in self.words.items()
        }
        return {
            "kind": KIND,
            "network": self.network,
            "model_sha256": self.digest,
            "structure": self.structure,
            "drive_codes": list(self.drive_codes),
            "memories": memories,
        }

    def fitted(self, device: Description) -> dict[Memory, list[int]]:
        """The words for ``device``.

        Raises:
            UserError: the device is of another structure, or lays out a word differently.
        """
        for name, wanted in device.structure.items():
            if self.structure.get(name) != wanted:
                raise UserError(
                    f"{self.network}: {name} is {self.structure.get(name)}, but {wanted} in the "
                    "device; generate a device for this network"
                )
        for memory, fields in device.formats.items():
            own = {field.name: field for field in self.formats[memory]}
            for field in fields:
                if own[field.name] != field:
                    raise UserError(
                        f"{self.network}: {memory.name}.{field.name} takes "
                        f"{own[field.name].width} bits, but {field.width} in the device; "
                        "generate a device for this network"
                    )
        return {memory: list(self.words[memory]) for memory in device.formats}


def read_contents(path: Path) -> Contents:
    """The file that was written beside a device's Verilog.

    Raises:
        UserError: it cannot be read or is none.
    """
    values = read_json(path)
    if not isinstance(values, dict) or values.get("kind") != KIND:
        raise UserError(f"{path}: holds no contents of memories")
    memories = values["memories"]
    return Contents(
        network=values["network"],
        digest=values["model_sha256"],
        structure=values["structure"],
        drive_codes=tuple(values["drive_codes"]),
        formats=fields_from_json(memories),
        words={
            memory: tuple(int(word, 16) for word in value["words"])
            for memory, value in by_memory(memories).items()
        },
    )
