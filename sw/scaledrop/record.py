# SPDX-License-Identifier: Apache-2.0
"""What one back end saw while it inferred: the currency in which back ends are compared."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from scaledrop.numbers import argmax

__all__ = ["PassRecord"]

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PassRecord:
    """N images, T passes or leaves, L layers, K classes; the class is the last axis. A network that
    predicts at every position has the positions before it.

    Attributes:
        masks: (N, T, L) bits; 1 keeps the layer's scale.
        hidden: one (N, T, *shape) array for each hidden layer: the codes (bits) or the stream
            values that its output stage gave.
        logits: (N, T, ..., K) integers in the network's logit unit.
        sums: (N, ..., K) logits times weight, summed over the passes, as the pass accumulator
            reports them.
        votes: (N, ..., K) weight of the passes won by each class, likewise.
        weights: (T,) of the passes; ones when not given.
        squares: (N, ..., K) squares of the logits times weight, summed; those of ``logits`` when
            not given.

    Sums and squares are Python integers in an array of objects where 64 bits might not hold them.

    Raises:
        ValueError: logits of fewer axes.
    """

    masks: npt.NDArray[np.uint8]
    hidden: tuple[npt.NDArray[np.integer], ...]
    logits: Integers
    sums: Integers
    votes: Integers
    weights: Integers = field(default=cast(Any, None))
    squares: Integers = field(default=cast(Any, None))

    def __post_init__(self) -> None:
        if self.logits.ndim < 3:
            raise ValueError(f"logits are {self.logits.shape}, not (N, T, ..., K)")
        if self.weights is None:
            object.__setattr__(self, "weights", np.ones(self.passes, dtype=np.int64))
        if self.squares is None:
            object.__setattr__(self, "squares", _weighted(self.logits, self.weights, 2))

    @classmethod
    def of_passes(
        cls,
        masks: npt.NDArray[np.uint8],
        hidden: tuple[npt.NDArray[np.integer], ...],
        logits: Integers,
        weights: Integers | None = None,
    ) -> PassRecord:
        """The record whose results follow from its logits: the pass accumulator's twin."""
        ones = np.ones(logits.shape[1], dtype=np.int64)
        weight = ones if weights is None else np.asarray(weights, dtype=np.int64)
        won = argmax(logits)[..., None] == np.arange(logits.shape[-1])
        sums, votes = _weighted(logits, weight, 1), _weighted(won.astype(np.int64), weight, 1)
        return cls(masks, hidden, logits, sums, votes, weight)

    @property
    def images(self) -> int:
        return int(self.logits.shape[0])

    @property
    def passes(self) -> int:
        return int(self.logits.shape[1])

    @property
    def predicted(self) -> Integers:
        """(N, ...) class of the largest sum; the lowest label wins a tie."""
        return argmax(self.sums)


def _weighted(values: Integers, weights: Integers, power: int) -> Integers:
    """Weighted sum of powers over the passes (axis 1), exact."""
    peak = max(abs(int(values.max(initial=0))), abs(int(values.min(initial=0))))
    fits = int(weights.sum()) * peak**power < 1 << 63
    kind = np.int64 if fits else object
    factors = weights.astype(kind).reshape(-1, *[1] * (values.ndim - 2))
    total = (factors * values.astype(kind) ** power).sum(axis=1)
    return np.asarray(total, dtype=kind)
