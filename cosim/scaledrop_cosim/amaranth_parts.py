# SPDX-License-Identifier: Apache-2.0
"""What surrounds an accelerator in Amaranth's simulator, each part once a cycle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from amaranth.hdl import Shape
from amaranth.lib import data

from scaledrop_cosim.capture import Fields

__all__ = ["Gaps", "Offer", "SpinUnit", "Take", "Trace", "fields_of"]

WIDE = 62


class Gaps:
    """Whether this cycle belongs to a gap: one begins with ``chance`` and lasts ``pause``."""

    def __init__(self, seed: int, chance: float, pause: int) -> None:
        self.rng, self.chance, self.pause = np.random.default_rng(seed), chance, pause
        self.left = 0

    def __call__(self) -> bool:
        if self.chance and not self.left and self.rng.random() < self.chance:
            self.left = self.pause
        gap = self.left > 0
        self.left -= gap
        return gap


@dataclass
class SpinUnit:
    """Ideal device: one word per write pulse."""

    port: Any
    words: Sequence[int]
    writes: int = 0
    state: int = 0
    writing: int = 0

    @property
    def watched(self) -> list[Any]:
        return [self.port.reset, self.port.write, self.port.drive]

    def cycle(self, ctx: Any, reset: int, write: int, drive: int) -> None:
        if reset:
            self.state = 0
        if write and not self.writing:
            word = self.words[self.writes] if self.writes < len(self.words) else 0
            self.state |= int(word < drive)
            self.writes += 1
        self.writing = write
        ctx.set(self.port.sense, self.state)


@dataclass
class Offer:
    """Offers payloads on a stream, the last of the list first, once ``begun``."""

    port: Any
    payloads: list[dict[str, int]]
    gap: Gaps
    begun: bool = False
    offered: bool = False

    @property
    def watched(self) -> list[Any]:
        return [self.port.ready]

    def cycle(self, ctx: Any, ready: int) -> None:
        if self.offered and ready:
            self.offered = False
            ctx.set(self.port.valid, 0)
        if self.begun and not self.offered and self.payloads and not self.gap():
            ctx.set(self.port.payload, self.payloads.pop())
            ctx.set(self.port.valid, 1)
            self.offered = True


@dataclass
class Take:
    """Takes what a stream offers.

    Attributes:
        waiting: something was offered in the last cycle.
    """

    port: Any
    gap: Gaps
    words: list[int] = field(default_factory=list)
    taking: int = 0
    waiting: int = 0

    @property
    def watched(self) -> list[Any]:
        return [self.port.valid, self.port.payload.as_value()]

    def cycle(self, ctx: Any, valid: int, payload: int) -> None:
        if valid and self.taking:
            self.words.append(payload)
        self.waiting = valid
        taking = int(not self.gap())
        if taking != self.taking:
            self.taking = taking
            ctx.set(self.port.ready, taking)

    def fields(self) -> Fields:
        """What was taken."""
        return fields_of(self.words, self.port.payload.shape())


class Trace:
    """Whatever an observation port shows.

    Args:
        names: of its members -> of their tables.
    """

    def __init__(self, port: Any, names: Mapping[str, str]) -> None:
        self.layouts = {plural: getattr(port, name).shape() for name, plural in names.items()}
        self.watched = [getattr(port, f"{name}_valid") for name in names]
        self.watched += [getattr(port, name).as_value() for name in names]
        self.words: list[list[int]] = [[] for _ in names]

    def cycle(self, _: Any, *values: int) -> None:
        for at, words in enumerate(self.words):
            if values[at]:
                words.append(values[at + len(self.words)])

    def fields(self) -> dict[str, Fields]:
        """What was seen, by table."""
        pairs = zip(self.layouts.items(), self.words, strict=True)
        return {name: fields_of(words, layout) for (name, layout), words in pairs}


def _numbers(words: list[int], one: Any, base: int = 0) -> npt.NDArray[Any]:
    """(words,) values of a field: int64, or Python integers where the field is wide."""
    offset, mask = base + one.offset, (1 << one.width) - 1
    top = 1 << one.width - 1 if Shape.cast(one.shape).signed else 0
    values = [((word >> offset & mask) ^ top) - top for word in words]
    return np.array(values, dtype=np.int64 if one.width <= WIDE else object)


def fields_of(words: list[int], layout: Any) -> Fields:
    """Captured words as arrays of the fields of their layout, (words, lanes) for an array."""
    found = {}
    for name, one in layout:
        if isinstance(one.shape, data.ArrayLayout):
            lanes = [_numbers(words, lane, one.offset) for _, lane in one.shape]
            found[name] = np.stack(lanes, axis=1)
        else:
            found[name] = _numbers(words, one)
    return found
