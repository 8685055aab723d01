# SPDX-License-Identifier: Apache-2.0
"""What every method of uncertainty is to the studies: trained alike, asked alike, priced alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.data import ImageSet
from scaledrop.energy.sources import Grain
from scaledrop.errors import UserError
from scaledrop.training.config import TrainConfig

__all__ = ["TRIALS", "Logits", "Method", "Model", "Needs", "Setting"]

TRIALS = 3
"""Values that are tried of a method's setting."""

Logits = npt.NDArray[np.floating[Any]]
"""float32 of networks in floats; float64 where it holds integers exactly."""


@dataclass(frozen=True)
class Setting:
    """The one number of a method that is tuned.

    Attributes:
        name: In the field's terms, with its symbol.
        values: What is tried, :data:`TRIALS` of them.

    Raises:
        UserError: another number of values.
    """

    name: str
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.values) != TRIALS:
            raise UserError(
                f"setting.{self.name}: every method has {TRIALS} values to try, not "
                f"{len(self.values)}; the effort is the same for all"
            )


@dataclass(frozen=True)
class Needs:
    """What a model asks of hardware, for one image.

    Attributes:
        numbers_per_pass: Random numbers that one pass draws; 0 for none.
        grain: What gets a number of its own; None where nothing is drawn.
        gaussian: The numbers are Gaussian samples, not bits.
        memory_bits: All that is stored: weights, scales and what normalises, of all members.
        networks: Networks that are stored and run, each once in each of ``passes``.
        passes: Passes that the method is meant to take; 1 where all are equal.
        before: The numbers act before a layer's sum, as those that choose its weights do; else
            passes that agree so far share the sum.
    """

    numbers_per_pass: int
    grain: Grain | None
    gaussian: bool
    memory_bits: int
    networks: int = 1
    passes: int = 20
    before: bool = False


class Model(ABC):
    """A trained network, or several, that gives logits pass by pass."""

    @abstractmethod
    def logits(self, images: npt.NDArray[np.uint8], passes: int, seed: int) -> Logits:
        """Logits of stochastic passes; the same seed gives the same bits on one machine.

        Args:
            images: (N, *shape) pixels.
            passes: T >= 1. A model without randomness gives its networks' logits, M or 1 passes,
                whatever is asked for.
            seed: Of everything that is drawn, >= 0.

        Returns:
            (N, T, K).
        """

    @property
    @abstractmethod
    def needs(self) -> Needs:
        """What it asks of hardware."""


@dataclass(frozen=True)
class Method:
    """A way of knowing when a network does not know.

    Attributes:
        key: Short name, of letters, digits and hyphens.
        title: For people.
        source: Paper, and how far the definition is trusted.
        setting: What is tuned.
        fit: Trains: (run, data, value of the setting, device) to a model. The run's seed is the
            only source of randomness; its network is the deterministic twin's.
    """

    key: str
    title: str
    source: str
    setting: Setting
    fit: Callable[[TrainConfig, ImageSet, float, str], Model]
