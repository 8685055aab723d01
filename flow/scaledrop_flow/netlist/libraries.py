# SPDX-License-Identifier: Apache-2.0
"""Cell libraries: found by option or environment, unpacked, and what their header says."""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scaledrop.errors import UserError

__all__ = ["VARIABLE", "CellLibrary", "find_liberty", "open_library"]

VARIABLE = "SCALEDROP_PDK"
SUFFIXES = (".lib", ".lib.gz")
NODES = {"sky130": 130.0, "sg13g2": 130.0, "asap7": 7.0}
"""Start of a library's or file's name to its node in nm."""

_NAME = re.compile(r'^\s*library\s*\(\s*"?([\w.]+)"?\s*\)', re.M)
_VOLTAGE = re.compile(r"^\s*nom_voltage\s*:\s*([0-9.eE+-]+)", re.M)
_TIME = re.compile(r'^\s*time_unit\s*:\s*"?([0-9.]+)([munpf]?)s"?', re.M)
_PREFIX = {"": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15}
_HEADER = 200_000


@dataclass(frozen=True)
class CellLibrary:
    """One library, which may come in several files.

    Attributes:
        name: Of the first file's ``library`` group.
        files: Unpacked Liberty files, in one folder.
        node_nm: Technology node in nm.
        supply_v: ``nom_voltage``.
        time_s: Its unit of time in seconds.
    """

    name: str
    files: tuple[Path, ...]
    node_nm: float
    supply_v: float
    time_s: float


def find_liberty(given: Sequence[Path] = ()) -> dict[str, list[Path]]:
    """Folder name to Liberty files: those given, or one library a folder of ``SCALEDROP_PDK``.

    Raises:
        UserError: nothing is given and the variable is not set, or there is no Liberty file.
    """
    if given:
        missing = [path for path in given if not path.is_file()]
        if missing:
            raise UserError(f"liberty: no file {missing[0]}; give Liberty files, .lib or .lib.gz")
        return {given[0].name.split(".")[0]: list(given)}
    root = os.environ.get(VARIABLE)
    if not root:
        raise UserError(
            f"liberty: no cell library; give its Liberty files, or set {VARIABLE} to a folder "
            "that has one folder of .lib or .lib.gz files a library"
        )
    folders = sorted(path for path in Path(root).glob("*") if path.is_dir())
    found = {one.name: [p for p in sorted(one.iterdir()) if _is_liberty(p)] for one in folders}
    found = {name: files for name, files in found.items() if files}
    if not found:
        raise UserError(f"{VARIABLE}: {root} has no folder with .lib or .lib.gz files; correct it")
    return found


def _is_liberty(path: Path) -> bool:
    return path.name.endswith(SUFFIXES)


def _unpack(path: Path, folder: Path) -> Path:
    """A copy that every tool can read: Yosys in WebAssembly reads below its folder only."""
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        text = data.decode("utf-8", errors="strict")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise UserError(f"liberty: {path} cannot be read ({error}); fetch it again") from None
    if _NAME.search(text[:_HEADER]) is None:
        raise UserError(f"liberty: {path} has no library group; give a Liberty file")
    copy = folder / path.name.removesuffix(".gz")
    copy.write_text(text)
    return copy


def _node(name: str, files: Sequence[Path], node_nm: float | None) -> float:
    if node_nm is not None:
        return node_nm
    for known, node in NODES.items():
        if any(text.startswith(known) for text in (name, *(file.name for file in files))):
            return node
    raise UserError(f"node: of library {name} is not known; give --node NM")


def open_library(files: Sequence[Path], folder: Path, node_nm: float | None = None) -> CellLibrary:
    """Unpack ``files`` into ``folder`` and read their headers.

    Args:
        node_nm: Where the name does not tell it.

    Raises:
        UserError: a file cannot be read or is no Liberty, it gives no voltage, or no node is known.
    """
    folder.mkdir(parents=True, exist_ok=True)
    copies = tuple(_unpack(file, folder) for file in files)
    header = copies[0].read_text()[:_HEADER]
    found, voltage, time = (one.search(header) for one in (_NAME, _VOLTAGE, _TIME))
    assert found is not None
    if voltage is None or time is None:
        what = "nom_voltage" if voltage is None else "time_unit"
        raise UserError(f"liberty: {files[0]} gives no {what}; add it")
    name, unit = found[1], float(time[1]) * _PREFIX[time[2]]
    node = _node(name, copies, node_nm)
    return CellLibrary(name, copies, node, float(voltage[1]), unit)
