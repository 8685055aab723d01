# SPDX-License-Identifier: Apache-2.0
"""What one back end saw while it inferred: the currency in which back ends are compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scaledrop.numbers import argmax

__all__ = ["PassRecord"]


@dataclass(frozen=True, eq=False)
class PassRecord:
    """N images, T passes, L layers, K classes; the class is the last axis. A network that predicts
    at every position has the positions before it.

    Attributes:
        masks: (N, T, L) bits; 1 keeps the layer's scale.
        hidden: one (N, T, *shape) array for each hidden layer: the codes (bits) or the stream
            values that its output stage gave.
        logits: (N, T, ..., K) integers in the network's logit unit.
        sums: (N, ..., K) logits summed over the passes, as the pass accumulator reports them.
        votes: (N, ..., K) passes won by each class, as the pass accumulator reports them.
    """

    masks: npt.NDArray[np.uint8]
    hidden: tuple[npt.NDArray[np.integer], ...]
    logits: npt.NDArray[np.int64]
    sums: npt.NDArray[np.int64]
    votes: npt.NDArray[np.int64]

    @classmethod
    def of_passes(
        cls,
        masks: npt.NDArray[np.uint8],
        hidden: tuple[npt.NDArray[np.integer], ...],
        logits: npt.NDArray[np.int64],
    ) -> PassRecord:
        """The record whose sums and votes follow from its logits: the pass accumulator's twin."""
        classes = logits.shape[-1]
        winners = argmax(logits)
        votes = (winners[..., None] == np.arange(classes)).sum(axis=1)
        return cls(masks, hidden, logits, logits.sum(axis=1), votes.astype(np.int64))

    @property
    def images(self) -> int:
        return int(self.logits.shape[0])

    @property
    def passes(self) -> int:
        return int(self.logits.shape[1])
