# SPDX-License-Identifier: Apache-2.0
"""Monitor: what the shell captured, as an observation."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.events import EventCounts
from scaledrop.mapping import NetworkMapping
from scaledrop.record import PassRecord
from scaledrop_cosim.contract import Observation

__all__ = ["CaptureError", "read_capture"]


class CaptureError(Exception):
    """The capture is incomplete or out of order: the accelerator, not the user, is at fault."""


class _Lines:
    """One file of hexadecimal lines as an array of bits, least significant first."""

    def __init__(self, path: Path, port: Mapping[str, Any]) -> None:
        self.fields = {field["name"]: field for field in port["fields"]}
        size = (port["width"] + 7) // 8
        data = np.frombuffer(bytes.fromhex(path.read_text()), dtype=np.uint8)
        self.bits = np.unpackbits(data.reshape(-1, size)[:, ::-1], axis=1, bitorder="little")

    def raw(self, name: str) -> npt.NDArray[np.uint8]:
        """(lines, width) bits of a field."""
        field = self.fields[name]
        return self.bits[:, field["offset"] : field["offset"] + field["width"]]

    def number(self, name: str) -> npt.NDArray[np.int64]:
        """(lines,) values of a field of at most 62 bits."""
        bits = self.raw(name).astype(np.int64)
        weights = np.int64(1) << np.arange(bits.shape[1], dtype=np.int64)
        if self.fields[name]["signed"]:
            weights[-1] = -weights[-1]
        return bits @ weights


def _expect(what: str, found: npt.NDArray[np.int64], expected: Sequence[int], repeats: int) -> None:
    """The labels must repeat ``expected`` exactly: order is part of the contract."""
    pattern = np.tile(np.asarray(expected, dtype=np.int64), repeats)
    if len(found) != len(pattern):
        raise CaptureError(f"{what}: {len(found)} captured, {len(pattern)} expected")
    if not np.array_equal(found, pattern):
        at = int(np.argmax(found != pattern))
        raise CaptureError(f"{what}: record {at} is of {found[at]}, expected {pattern[at]}")


def _masks(lines: _Lines, shape: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
    _expect("mask bits", lines.number("layer"), range(shape[2]), shape[0] * shape[1])
    return lines.number("keep").astype(np.uint8).reshape(shape)


def _hidden(
    lines: _Lines, mapping: NetworkMapping, images: int, passes: int
) -> tuple[npt.NDArray[np.uint8], ...]:
    counts = [mapped.beat_count for mapped in mapping.layers[:-1]]
    order = [at for at, count in enumerate(counts) for _ in range(count)]
    beats = [beat for count in counts for beat in range(count)]
    _expect("hidden layers", lines.number("layer"), order, images * passes)
    _expect("hidden beats", lines.number("beat"), beats, images * passes)
    bits = lines.raw("bits").reshape(images, passes, sum(counts), mapping.array.lanes)
    hidden, start = [], 0
    for mapped, count in zip(mapping.layers, counts, strict=False):
        lanes = count * mapping.array.lanes
        layer = bits[:, :, start : start + count].reshape(images, passes, lanes)
        hidden.append(layer[:, :, : mapped.layer.out_features])
        start += count
    return tuple(hidden)


def _counters(path: Path, sidecar: Mapping[str, Any], width: int) -> EventCounts:
    lines = path.read_text().split()
    layers = sidecar["network"]["layers"]
    if len(lines) != len(layers) * len(sidecar["counters"]):
        raise CaptureError(f"counters: {len(lines)} captured")
    for line in lines:
        if not re.fullmatch(f"[0-9a-f]{{{(width + 3) // 4}}}", line):
            raise ValueError(f"counter {line!r} is not {width} bits in hexadecimal")
    values = [int(line, 16) for line in lines]
    counts: EventCounts = {name: {} for name in layers}
    for index, event in enumerate(sidecar["counters"]):
        for at, name in enumerate(layers):
            counts[name][event] = values[index * len(layers) + at]
    return counts


def read_capture(
    folder: Path, sidecar: Mapping[str, Any], mapping: NetworkMapping, images: int, passes: int
) -> Observation:
    """Read what the shell wrote.

    Raises:
        CaptureError: the accelerator hung, or records are missing, malformed or out of order.
    """
    try:
        return _read(folder, sidecar, mapping, images, passes)
    except (OSError, ValueError) as error:
        raise CaptureError(f"the capture cannot be read: {error}") from None


def _read(
    folder: Path, sidecar: Mapping[str, Any], mapping: NetworkMapping, images: int, passes: int
) -> Observation:
    status = (folder / "status.txt").read_text().split()
    if len(status) != 3:
        raise CaptureError("the simulation ended before the last image")
    hung, writes = int(status[0]), int(status[1])
    if hung:
        raise CaptureError("the accelerator hung: no result for a long time")
    ports = {port["name"]: port for port in sidecar["ports"]}
    mask_lines = _Lines(folder / "masks.hex", ports["trace__mask"])
    hidden_lines = _Lines(folder / "hidden.hex", ports["trace__hidden"])
    logit_lines = _Lines(folder / "logits.hex", ports["trace__logit"])
    result_lines = _Lines(folder / "results.hex", ports["results__payload"])
    classes = mapping.network.classes
    _expect_order(logit_lines, result_lines, classes, images, passes)
    record = PassRecord(
        masks=_masks(mask_lines, (images, passes, len(mapping.layers))),
        hidden=_hidden(hidden_lines, mapping, images, passes),
        logits=logit_lines.number("value").reshape(images, passes, classes),
        sums=result_lines.number("sum").reshape(images, classes),
        votes=result_lines.number("votes").reshape(images, classes),
    )
    counters = _counters(folder / "counters.hex", sidecar, ports["counter_value"]["width"])
    return Observation(record, counters, writes)


def _expect_order(logits: _Lines, results: _Lines, classes: int, images: int, passes: int) -> None:
    """Labels and the flags beside them, of every logit and of every result."""
    last = [0] * (classes - 1) + [1]
    first_pass = [1] * classes + [0] * classes * (passes - 1)
    last_pass = [0] * classes * (passes - 1) + [1] * classes
    _expect("logits", logits.number("label"), range(classes), images * passes)
    _expect("last flags of logits", logits.number("last"), last, images * passes)
    _expect("first-pass flags", logits.number("first_pass"), first_pass, images)
    _expect("last-pass flags", logits.number("last_pass"), last_pass, images)
    _expect("results", results.number("label"), range(classes), images)
    _expect("last flags of results", results.number("last"), last, images)
