# SPDX-License-Identifier: Apache-2.0
"""Prefix sharing: passes whose earlier bits agree are one evaluation until a bit tells them apart.

The sum of a layer does not depend on that layer's own bit, so T passes over L layers need at most
``min(T, 2**(l-1))`` sums at layer l, and the results are those of T separate passes, bit for bit.
A plan depends on the mask bits alone; every evaluator that follows one shares in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Plan", "Split", "separate_plan", "shared_plan"]

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Split:
    """What one layer's bits do to the prefixes that reach it. The children whose bit is 1 (scale
    kept) come first, then those whose bit is 0, each side in the order of its parents.

    Attributes:
        kept: prefix of each child on the side of bit 1.
        dropped: prefix of each child on the side of bit 0.
    """

    kept: Rows
    dropped: Rows

    @property
    def parents(self) -> Rows:
        """Prefix of each child."""
        return np.concatenate([self.kept, self.dropped])


@dataclass(frozen=True, eq=False)
class Plan:
    """A walk over N images and T passes; before the first split there is one prefix an image.

    Attributes:
        splits: one for each layer.
        leaves: (N, T) the prefix behind the last layer that is each pass.
    """

    splits: tuple[Split, ...]
    leaves: Rows


def shared_plan(masks: npt.NDArray[np.uint8]) -> Plan:
    """Every distinct prefix of ``masks`` (N, T, L) once."""
    images, passes, layers = masks.shape
    at = np.repeat(np.arange(images, dtype=np.int64), passes)
    count, splits = images, []
    bits = masks.reshape(-1, layers)
    for layer in range(layers):
        child = np.where(bits[:, layer] != 0, at, at + count)
        present = np.zeros(2 * count, dtype=bool)
        present[child] = True
        split = Split(np.flatnonzero(present[:count]), np.flatnonzero(present[count:]))
        at = (np.cumsum(present) - 1)[child]
        count = len(split.kept) + len(split.dropped)
        splits.append(split)
    return Plan(tuple(splits), at.reshape(images, passes))


def separate_plan(masks: npt.NDArray[np.uint8]) -> Plan:
    """Every pass on its own from the first layer's bit on, as one who repeats passes evaluates."""
    images, passes, layers = masks.shape
    at = np.repeat(np.arange(images, dtype=np.int64), passes)
    splits = []
    bits = masks.reshape(-1, layers) != 0
    for layer in range(layers):
        kept, dropped = np.flatnonzero(bits[:, layer]), np.flatnonzero(~bits[:, layer])
        splits.append(Split(at[kept], at[dropped]))
        at = np.empty_like(at)
        at[np.concatenate([kept, dropped])] = np.arange(len(at))
    return Plan(tuple(splits), at.reshape(images, passes))
