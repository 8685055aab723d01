# SPDX-License-Identifier: Apache-2.0
"""The contract of a back end: the same images and the same bits give the same integers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from scaledrop.engine import check_images, check_passes
from scaledrop.errors import UserError
from scaledrop.events import EventCounts
from scaledrop.frozen import FrozenNetwork
from scaledrop.record import PassRecord
from scaledrop.spin import masks_from_words, uniform_words

__all__ = ["Backend", "Observation", "Workload"]


@dataclass(frozen=True, eq=False)
class Workload:
    """What every back end is given.

    Attributes:
        network: The frozen network.
        images: (N, input_size) unsigned pixels.
        passes: T, 1 to 65535.
        seed: Of the stochastic bits; everything random follows from it.

    Raises:
        UserError: wrong images, or a number of passes out of range.
    """

    network: FrozenNetwork
    images: npt.NDArray[np.int64]
    passes: int
    seed: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "images", check_images(self.network, self.images))
        if len(self.images) < 1:
            raise UserError("images: at least one is needed")
        if not 1 <= self.passes <= 65535:
            raise UserError(f"passes: must be 1 to 65535, not {self.passes}")
        check_passes(self.network, self.passes)
        if not 0 <= self.seed < 2**31:
            raise UserError(f"seed: must be 0 to {2**31 - 1}, not {self.seed}")

    @property
    def bits(self) -> int:
        """Stochastic bits of the whole run: one per layer, pass and image."""
        return len(self.images) * self.passes * len(self.network.layers)

    @cached_property
    def words(self) -> npt.NDArray[np.uint16]:
        """(bits,) uniform words; the device switches when a word is below the drive code."""
        return uniform_words(self.seed, self.bits)

    @cached_property
    def masks(self) -> npt.NDArray[np.uint8]:
        """(N, T, L) mask bits that the words make."""
        return masks_from_words(self.network, self.words, len(self.images), self.passes)


@dataclass(frozen=True, eq=False)
class Observation:
    """What a back end did.

    Attributes:
        record: Masks, hidden bits, logits, sums, votes.
        counters: Layer -> event -> count, from a back end that counts; else None.
        device_writes: Write pulses seen by the spin unit; None where there is no device.
    """

    record: PassRecord
    counters: EventCounts | None = None
    device_writes: int | None = None


class Backend(ABC):
    """Runs a workload. Implementations differ in what they are, never in what they return."""

    name: str

    @abstractmethod
    def infer(self, workload: Workload) -> Observation:
        """Run every pass of every image.

        Raises:
            UserError: the back end cannot run here; the message says what to install or change.
        """
