# SPDX-License-Identifier: Apache-2.0
"""Several networks as one model: a pass for each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from scaledrop.methods.contract import Logits, Model, Needs

__all__ = ["MEMBERS", "EnsembleModel", "member_seeds"]

MEMBERS = 5
"""M, networks of an ensemble."""

STREAM = 8
"""Of a run's seed, beside the streams of networks and training."""


def member_seeds(seed: int, members: int) -> list[int]:
    """A seed for each network of an ensemble, all different, none that of the run.

    Args:
        seed: of the run, >= 0.
        members: M, 1 or more.
    """
    state = np.random.SeedSequence([seed, STREAM]).generate_state(2 * members, np.uint32)
    # 62 bits: no two agree, unless by a chance that never comes.
    return [int(a) << 30 | int(b) >> 2 for a, b in state.reshape(-1, 2)]


class EnsembleModel(Model):
    """The logits of deterministic members, one after another; their mean is the users' to take.

    Parameters:
        members: M models that draw nothing.
    """

    def __init__(self, members: Sequence[Model]) -> None:
        self.members = tuple(members)

    def logits(self, images: npt.NDArray[np.uint8], passes: int, seed: int) -> Logits:
        """(N, M, K), whatever ``passes`` and ``seed`` are."""
        return np.concatenate([one.logits(images, 1, seed) for one in self.members], axis=1)

    @property
    def needs(self) -> Needs:
        """No numbers; the memory of all members, each of which is run once."""
        memory = sum(one.needs.memory_bits for one in self.members)
        return Needs(0, None, False, memory, len(self.members), 1)
