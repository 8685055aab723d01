# SPDX-License-Identifier: Apache-2.0
"""Capture: the lines that the shell wrote, as arrays of fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.events import EventCounts

__all__ = ["Capture", "CaptureError", "Fields", "read_capture"]

Fields = Mapping[str, npt.NDArray[Any]]
"""Field name -> (lines,) integers, or (lines, lanes) for the codes of a beat."""

WIDE = 62


class CaptureError(Exception):
    """The capture is incomplete or out of order: the accelerator, not the user, is at fault."""


@dataclass(frozen=True, eq=False)
class Capture:
    """What came out of the observation port and of the results, in the order in which it came.

    Attributes:
        visits: layer, path, kept, dropped, first, last.
        drawn: layer, keep.
        hidden: layer, keep, beat, codes (lines, lanes).
        logits: label, value, keep, weight, first, ends_leaf, ends_image.
        results: label, sum, squares, votes, predicted, abstain, covered, last.
        counters: layer -> event -> count.
        device_writes: write pulses that the spin unit saw.
        monitors: status bits at the end; see scaledrop.monitors.MonitorFlag.
    """

    visits: Fields
    drawn: Fields
    hidden: Fields
    logits: Fields
    results: Fields
    counters: EventCounts
    device_writes: int
    monitors: int = 0


def _unreadable(path: Path, error: Exception) -> CaptureError:
    return CaptureError(f"{path.name}: cannot be read ({error})")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None


def _lines(path: Path, width: int) -> npt.NDArray[np.uint8]:
    """(lines, bytes) of a file of hexadecimal lines, the least significant byte first."""
    size = (width + 7) // 8
    try:
        data = np.frombuffer(bytes.fromhex(_text(path)), dtype=np.uint8)
    except ValueError as error:
        raise _unreadable(path, error) from None
    if data.size % size:
        raise CaptureError(f"{path.name}: the last line is cut off")
    return data.reshape(-1, size)[:, ::-1]


def _number(data: npt.NDArray[np.uint8], offset: int, width: int, signed: bool) -> npt.NDArray[Any]:
    """(lines,) values of a field: int64, or Python integers where the field is wide."""
    first, last = offset // 8, (offset + width + 7) // 8
    kind = np.int64 if last - first < 8 and width <= WIDE else object
    value = np.zeros(len(data), dtype=kind)
    for byte in range(last - 1, first - 1, -1):
        value = (value << 8) | data[:, byte].astype(kind)
    value = (value >> (offset - 8 * first)) & ((1 << width) - 1)
    if signed:
        value = value - ((value >> (width - 1)) << width)
    if kind is object and width <= WIDE:
        value = value.astype(np.int64)
    return value


def _fields(path: Path, port: Mapping[str, Any]) -> Fields:
    data = _lines(path, port["width"])
    found: dict[str, npt.NDArray[Any]] = {}
    lanes: dict[str, list[npt.NDArray[Any]]] = {}
    for field in port["fields"]:
        value = _number(data, field["offset"], field["width"], field["signed"])
        name, _, lane = field["name"].partition(".")
        if lane:
            lanes.setdefault(name, []).append(value)
        else:
            found[name] = value
    return {**found, **{name: np.stack(values, axis=1) for name, values in lanes.items()}}


def _counters(path: Path, sidecar: Mapping[str, Any], width: int) -> EventCounts:
    lines = _text(path).split()
    layers, events = sidecar["network"]["layers"], sidecar["counters"]
    if len(lines) != len(layers) * len(events):
        raise CaptureError(f"counters: {len(lines)} captured")
    if not all(re.fullmatch(r"[0-9a-f]+", line) for line in lines):
        raise CaptureError("counters: a value is not defined")
    values = [int(line, 16) & ((1 << width) - 1) for line in lines]
    return {
        layer: {event: values[at * len(layers) + index] for at, event in enumerate(events)}
        for index, layer in enumerate(layers)
    }


def _status(path: Path) -> list[int]:
    """Whether it hung, write pulses, cycles, monitors."""
    words = _text(path).split()
    if len(words) != 4:
        raise CaptureError("the simulation ended before the last image")
    try:
        return [int(word) for word in words]
    except ValueError as error:
        raise _unreadable(path, error) from None


def read_capture(folder: Path, sidecar: Mapping[str, Any]) -> Capture:
    """Read a run's files.

    Raises:
        CaptureError: the run is not complete, or a file is damaged.
    """
    status = _status(folder / "status.txt")
    if status[0]:
        raise CaptureError("the accelerator hung: no result for a long time")
    ports = {port["name"]: port for port in sidecar["ports"]}
    width = ports["counter_value"]["width"]
    return Capture(
        visits=_fields(folder / "visits.hex", ports["trace__visit"]),
        drawn=_fields(folder / "drawn.hex", ports["trace__drawn"]),
        hidden=_fields(folder / "hidden.hex", ports["trace__hidden"]),
        logits=_fields(folder / "logits.hex", ports["trace__logit"]),
        results=_fields(folder / "results.hex", ports["results__payload"]),
        counters=_counters(folder / "counters.hex", sidecar, width),
        device_writes=status[1],
        monitors=status[3],
    )
