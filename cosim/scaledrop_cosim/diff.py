# SPDX-License-Identifier: Apache-2.0
"""The first place at which two records part ways."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scaledrop.frozen import FrozenNetwork
from scaledrop.record import PassRecord

__all__ = ["Difference", "first_difference"]

AFTER_ALL_PASSES = 2**31


@dataclass(frozen=True, order=True)
class Difference:
    """One differing value, ordered by the time at which the accelerator computes it.

    Attributes:
        image: Index of the image.
        pass_index: Index of the pass; sums, votes and squares come after every pass, as ``2**31``.
        layer: Index of the layer.
        kind: 0 mask bit, 1 hidden bit, 2 logit, 3 sum, 4 votes, 5 sum of squares.
        channel: Channel or class; 0 for a mask bit.
        position: Row and column, where the layer has maps; else empty.
        expected, found: The two values.
    """

    image: int
    pass_index: int
    layer: int
    kind: int
    channel: int
    position: tuple[int, ...]
    expected: int
    found: int
    layer_name: str = ""

    KINDS = ("mask bit", "hidden bit", "logit", "sum of logits", "votes", "sum of squares")

    def __str__(self) -> str:
        where = f"image {self.image}"
        if self.kind <= 2:
            where += f", pass {self.pass_index}, layer {self.layer} ({self.layer_name})"
        if self.kind >= 1:
            where += f", {'channel' if self.kind == 1 else 'class'} {self.channel}"
        if self.position:
            where += f" at {', '.join(map(str, self.position))}"
        return f"{where}: {self.KINDS[self.kind]} is {self.found}, expected {self.expected}"


def _first(
    kind: int,
    layer: int,
    name: str,
    expected: npt.NDArray[np.integer],
    found: npt.NDArray[np.integer],
) -> Difference | None:
    differing = np.argwhere(expected != found)
    if len(differing) == 0:
        return None
    at = tuple(int(i) for i in differing[0])
    pass_index = at[1] if kind <= 2 else AFTER_ALL_PASSES
    channel, position = _place(kind, at)
    values = int(expected[at]), int(found[at])
    return Difference(at[0], pass_index, layer, kind, channel, position, *values, name)


def _place(kind: int, at: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    """Channel or class, and position: hidden maps are (N, T, C, H, W), classes the last axis."""
    if kind == 0:
        return 0, ()
    if kind == 1:
        return at[2], at[3:]
    return at[-1], at[2:-1] if kind == 2 else at[1:-1]


def first_difference(
    network: FrozenNetwork, expected: PassRecord, found: PassRecord
) -> Difference | None:
    """The earliest difference by image, pass, layer, channel and position; None when equal.

    Both records must have the same shape.
    """
    last = len(network.layers) - 1
    names = [layer.name for layer in network.layers]
    candidates = [
        _first(0, at, names[at], expected.masks[:, :, at], found.masks[:, :, at])
        for at in range(last + 1)
    ]
    for at, (one, other) in enumerate(zip(expected.hidden, found.hidden, strict=True)):
        candidates.append(_first(1, at, names[at], one, other))
    candidates.append(_first(2, last, names[last], expected.logits, found.logits))
    candidates.append(_first(3, last, names[last], expected.sums, found.sums))
    candidates.append(_first(4, last, names[last], expected.votes, found.votes))
    candidates.append(_first(5, last, names[last], expected.squares, found.squares))
    return min((c for c in candidates if c is not None), default=None)
