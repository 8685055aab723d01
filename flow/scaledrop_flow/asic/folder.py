# SPDX-License-Identifier: Apache-2.0
"""Places in the output folder: what is handed off, and the work behind it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Folder", "sha256"]

HANDED = ("rtl", "stubs", "behavioural", "netlist", "reports")


def sha256(path: Path) -> str:
    """Of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass(frozen=True)
class Folder:
    """The output folder by its parts; ``work`` is not handed off."""

    root: Path

    @property
    def rtl(self) -> Path:
        return self.root / "rtl" / "scaledrop.v"

    @property
    def sidecar(self) -> Path:
        return self.root / "rtl" / "scaledrop.json"

    @property
    def stubs(self) -> Path:
        return self.root / "stubs"

    @property
    def behavioural(self) -> Path:
        return self.root / "behavioural"

    @property
    def boxes(self) -> Path:
        return self.root / "black_boxes.json"

    @property
    def netlist(self) -> Path:
        return self.root / "netlist" / "scaledrop.v"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @property
    def result(self) -> Path:
        return self.root / "result.json"

    @property
    def work(self) -> Path:
        return self.root / "work"

    def handed(self) -> list[Path]:
        """Every file that is handed off but ``result.json``, in the order of their names."""
        inside = [file for name in HANDED for file in (self.root / name).glob("*")]
        beside = [file for file in self.root.glob("*") if file.is_file() and file != self.result]
        return sorted(inside + beside)
