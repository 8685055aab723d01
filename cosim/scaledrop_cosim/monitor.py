# SPDX-License-Identifier: Apache-2.0
"""Monitor: what the shell captured, as an observation."""

from __future__ import annotations

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


def _counters(path: Path, sidecar: Mapping[str, Any]) -> EventCounts:
    values = [int(line, 16) for line in path.read_text().split()]
    layers = sidecar["network"]["layers"]
    if len(values) != len(layers) * len(sidecar["counters"]):
        raise CaptureError(f"counters: {len(values)} captured")
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
        CaptureError: the accelerator hung, or records are missing or out of order.
    """
    status = (folder / "status.txt").read_text().split()
    if len(status) != 3:
        raise CaptureError("the simulation ended before the last image")
    hung, writes = int(status[0]), int(status[1])
    if hung:
        raise CaptureError("the accelerator hung: no result for a long time")
    ports = {port["name"]: port for port in sidecar["ports"]}
    masks = _masks(
        _Lines(folder / "masks.hex", ports["trace__mask"]), (images, passes, len(mapping.layers))
    )
    hidden = _hidden(_Lines(folder / "hidden.hex", ports["trace__hidden"]), mapping, images, passes)
    classes = mapping.network.classes
    logits = _Lines(folder / "logits.hex", ports["trace__logit"])
    _expect("logits", logits.number("label"), range(classes), images * passes)
    results = _Lines(folder / "results.hex", ports["results__payload"])
    _expect("results", results.number("label"), range(classes), images)
    record = PassRecord(
        masks=masks,
        hidden=hidden,
        logits=logits.number("value").reshape(images, passes, classes),
        sums=results.number("sum").reshape(images, classes),
        votes=results.number("votes").reshape(images, classes),
    )
    return Observation(record, _counters(folder / "counters.hex", sidecar), writes)
