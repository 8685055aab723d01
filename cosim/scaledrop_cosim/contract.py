# SPDX-License-Identifier: Apache-2.0
"""The contract of a back end: the same images and the same bits give the same integers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from scaledrop.device.chain import spin_words
from scaledrop.device.loop import SpinLoop
from scaledrop.engine import CrossbarSum, check_images, check_passes, crossbar_sum
from scaledrop.errors import UserError
from scaledrop.events import EventCounts
from scaledrop.frozen import FrozenNetwork
from scaledrop.record import PassRecord
from scaledrop.sampling import MAX_EXACT_LAYERS
from scaledrop.spin import uniform_words
from scaledrop.walk import MASS, Inference, Mode, Visit, leaves, masks_of, walk_draws, walk_words

__all__ = ["Backend", "Observation", "Workload"]


@dataclass(frozen=True, eq=False)
class Workload:
    """What every back end is given.

    Attributes:
        network: The frozen network.
        images: (N, input_size) unsigned pixels.
        passes: T, 1 to 65535.
        seed: Of the stochastic bits; everything random follows from it.
        inference: How an image is inferred; mode ``passes`` with ``passes`` when not given.
        spin: The device that makes the bits; an ideal one when not given. It goes on from image to
            image: its next bit may depend on the last.
        crossbar_sum: How the golden model sums a layer: exactly when not given, or with converters
            of few bits (:func:`scaledrop.tile_sums.tile_sum_rule`).

    Raises:
        UserError: wrong images, a number of passes out of range or not that of ``inference``, or
            more masks than can be visited, or a device where no bits are drawn.
    """

    network: FrozenNetwork
    images: npt.NDArray[np.int64]
    passes: int
    seed: int
    inference: Inference = field(default=cast(Any, None), kw_only=True)
    spin: SpinLoop | None = field(default=None, kw_only=True)
    crossbar_sum: CrossbarSum = field(default=crossbar_sum, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "images", check_images(self.network, self.images))
        if len(self.images) < 1:
            raise UserError("images: at least one is needed")
        if not 1 <= self.passes <= 65535:
            raise UserError(f"passes: must be 1 to 65535, not {self.passes}")
        if self.inference is None:
            object.__setattr__(self, "inference", Inference(Mode.PASSES, self.passes))
        if self.inference.mode is Mode.EXACT:
            self._check_exact()
            if self.spin is not None:
                raise UserError("spin: mode exact draws no bits; use passes or shared")
        else:
            check_passes(self.network, self.passes)
            if self.inference.passes != self.passes:
                raise UserError(
                    f"passes: must be those of inference ({self.inference.passes}), "
                    f"not {self.passes}"
                )
        if not 0 <= self.seed < 2**31:
            raise UserError(f"seed: must be 0 to {2**31 - 1}, not {self.seed}")

    def _check_exact(self) -> None:
        layers, masks = len(self.network.layers), self.inference.masks
        if layers > MAX_EXACT_LAYERS and not 1 <= masks <= 2**MAX_EXACT_LAYERS:
            raise UserError(
                f"masks: must be 1 to {2**MAX_EXACT_LAYERS} for {layers} layers, not {masks}"
            )

    @property
    def codes(self) -> tuple[int, ...]:
        """Drop code of each layer."""
        return tuple(layer.drop_code for layer in self.network.layers)

    @property
    def cutoff(self) -> int:
        """What the accelerator is programmed with in mode ``exact``."""
        return self.inference.cutoff(self.codes)

    @property
    def bits(self) -> int:
        """Stochastic bits of the whole run: one per layer, pass and image; none in ``exact``."""
        return len(self.images) * self._bits_per_image

    @property
    def writes(self) -> int:
        """Write pulses of the whole run: of its bits, and before them of a calibrator's search."""
        return self.bits + (0 if self.spin is None else self.spin.search_bits)

    @property
    def _bits_per_image(self) -> int:
        exact = self.inference.mode is Mode.EXACT
        return 0 if exact else self.passes * len(self.network.layers)

    @property
    def drive_codes(self) -> tuple[int, ...]:
        """What the spin unit is driven with: the drop codes, or those of the device."""
        return self.codes if self.spin is None else self.spin.codes

    @cached_property
    def words(self) -> npt.NDArray[np.uint16] | npt.NDArray[np.uint32]:
        """(bits,) uniform words: 16 bits each, and the device switches below the drive code; or 32
        bits for a device with thresholds of its own, those of a calibrator's search first."""
        if self.spin is not None:
            return spin_words(self.seed, self.writes)
        return uniform_words(self.seed, self.bits)

    @property
    def _words_by_image(self) -> npt.NDArray[np.uint16]:
        return self.words.reshape(len(self.images), self._bits_per_image).astype(np.uint16)

    @cached_property
    def masks(self) -> npt.NDArray[np.uint8]:
        """(N, T, L) mask bits that the words make: by pass, or in ``exact`` by leaf."""
        if self.spin is not None:
            layers = len(self.network.layers)
            return np.stack([leaves(visits, layers)[0] for visits in self.walks])
        return masks_of(self.inference, self.codes, self._words_by_image)

    @cached_property
    def weights(self) -> npt.NDArray[np.int64]:
        """(T,) of the masks: ones, or in ``exact`` the probability mass of each leaf."""
        return leaves(self.visits(0), len(self.network.layers))[1]

    @property
    def leaves_per_image(self) -> int:
        """T of ``masks`` and ``weights``."""
        return len(self.weights)

    @property
    def covered(self) -> float:
        """Share of the probability mass that the leaves of ``exact`` cover; 1 where bits are drawn.

        Each leaf's mass is rounded: it differs from its probability by at most L * 2**-24.
        """
        exact = self.inference.mode is Mode.EXACT
        return int(self.weights.sum()) / MASS if exact else 1.0

    def visits(self, image: int) -> list[Visit]:
        """The walk of an image, each made once; in ``exact`` all images have the same."""
        at = 0 if self.inference.mode is Mode.EXACT else image
        if at not in self._visits:
            if self.spin is not None:
                self._visits.update(enumerate(self._spun(self.spin)))
                return self._visits[at]
            words = self._words_by_image[at]
            self._visits[at] = list(walk_words(self.inference, self.codes, words))
        return self._visits[at]

    @property
    def walks(self) -> list[list[Visit]]:
        """:meth:`visits` of every image."""
        return [self.visits(image) for image in range(len(self.images))]

    def _spun(self, spin: SpinLoop) -> Iterator[list[Visit]]:
        stream, layers = spin.stream(self.words.astype(np.uint32)), len(self.network.layers)
        for _ in self.images:
            yield list(walk_draws(self.inference, layers, stream.draw))

    @cached_property
    def _visits(self) -> dict[int, list[Visit]]:
        return {}


@dataclass(frozen=True, eq=False)
class Observation:
    """What a back end did.

    Attributes:
        record: Masks, hidden bits, logits, sums, votes.
        counters: Layer -> event -> count, from a back end that counts; else None.
        device_writes: Write pulses seen by the spin unit; None where there is no device.
        walks: Visits of each image, from a back end that walks; else none.
        verdict: Further results by name, (N, K) each, from a back end that gives them.
        monitors: Status of the monitors at the end, from a back end that has them; see
            :class:`scaledrop.monitors.MonitorFlag`.
        unseen: Kinds of values that the back end does not show, and why: ``hidden_bits`` of a
            record without hidden layers; ``masks``, ``logits``, ``squares`` of one without passes.
    """

    record: PassRecord
    counters: EventCounts | None = None
    device_writes: int | None = None
    walks: Sequence[Sequence[Visit]] = ()
    verdict: Mapping[str, npt.NDArray[np.integer]] = field(default_factory=dict)
    monitors: int | None = None
    unseen: Mapping[str, str] = field(default_factory=dict)


class Backend(ABC):
    """Runs a workload. Implementations differ in what they are, never in what they return."""

    name: str

    @abstractmethod
    def infer(self, workload: Workload) -> Observation:
        """Run every pass of every image.

        Raises:
            UserError: the back end cannot run here; the message says what to install or change.
        """
