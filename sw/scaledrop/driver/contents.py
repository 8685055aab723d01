# SPDX-License-Identifier: Apache-2.0
"""A whole network as words of a device's memories, for this device or for one of its kind.

Devices of one structure differ in their numbers only: what is stored in a memory can be loaded. The
widths of a word's fields may differ all the same, since they follow from the numbers that were
built in; so a word is taken apart and put together again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
        logit_bits: Width of its logits.
        drive_codes: Dropout probability of every layer in 2**-16.
        formats: Memory -> fields of a word.
        words: Memory -> every word.
    """

    network: str
    digest: str
    structure: Mapping[str, Any]
    logit_bits: int
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
            "logit_bits": self.logit_bits,
            "drive_codes": list(self.drive_codes),
            "memories": memories,
        }

    def fitted(self, device: Description) -> dict[Memory, list[int]]:
        """The words as ``device`` wants them.

        Raises:
            UserError: the device is of another structure, or a number does not fit it.
        """
        for name, wanted in device.structure.items():
            if self.structure.get(name) != wanted:
                raise UserError(
                    f"{self.network}: {name} is {self.structure.get(name)}, but {wanted} in the "
                    "device; generate a device for this network"
                )
        if self.logit_bits > device.logit_bits:
            raise UserError(
                f"{self.network}: its logits need {self.logit_bits} bits and the device has "
                f"{device.logit_bits}; generate a device for the network with the larger ones"
            )
        return {
            memory: [
                _repacked(word, self.formats[memory], fields, f"{memory.name}[{at}]")
                for at, word in enumerate(self.words[memory])
            ]
            for memory, fields in device.formats.items()
        }


def _repacked(
    word: int, before: Sequence[WordField], after: Sequence[WordField], place: str
) -> int:
    if before == after:
        return word
    packed = 0
    for one, other in zip(before, after, strict=True):
        value, (low, high) = one.value(word), other.range
        if not low <= value <= high:
            raise UserError(
                f"{place}.{other.name}: {value} is outside {low} to {high} of the device; "
                "generate a device for this network"
            )
        packed |= (value & (1 << other.width) - 1) << other.offset
    return packed


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
        logit_bits=values["logit_bits"],
        drive_codes=tuple(values["drive_codes"]),
        formats=fields_from_json(memories),
        words={
            memory: tuple(int(word, 16) for word in value["words"])
            for memory, value in by_memory(memories).items()
        },
    )
