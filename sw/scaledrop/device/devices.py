# SPDX-License-Identifier: Apache-2.0
"""Devices of a card: the nominal one, and seeded draws by the card's spreads."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from scaledrop.checks import check_integer
from scaledrop.device.card import SIGMAS, Card
from scaledrop.device.law import FloatArray
from scaledrop.device.quantities import QUANTITIES

__all__ = ["FREE", "STUCK_RESET", "STUCK_SWITCHED", "Devices", "draw", "nominal", "normal_draws"]

FREE, STUCK_RESET, STUCK_SWITCHED = -1, 0, 1
MAX_SEED = 2**63 - 1


@dataclass(frozen=True)
class Devices:
    """N devices of one card.

    Attributes:
        card: The card; ``devices["write_resistance"]`` is a parameter in SI.
        values: (N, 1) for each parameter that differs between the devices.
        stuck: int8 (N, 1): :data:`FREE`, :data:`STUCK_RESET` or :data:`STUCK_SWITCHED`.
        lifetime: (N, 1) writes after which each breaks down.
    """

    card: Card
    values: dict[str, FloatArray]
    stuck: npt.NDArray[np.int8]
    lifetime: FloatArray

    def __len__(self) -> int:
        return len(self.stuck)

    @cached_property
    def _nominal(self) -> dict[str, float]:
        return {name: self.card.si(name) for name in QUANTITIES if self.card.has(name)}

    def __getitem__(self, name: str) -> FloatArray | float:
        """A parameter in SI: (N, 1) where it differs from device to device, else a number."""
        return self.values.get(name, self._nominal[name])

    def one(self, index: int) -> Devices:
        """Device ``index`` alone.

        Raises:
            UserError: there is no such device.
        """
        check_integer(index, 0, len(self) - 1, "device index")
        part = slice(index, index + 1)
        values = {name: value[part] for name, value in self.values.items()}
        return Devices(self.card, values, self.stuck[part], self.lifetime[part])


def nominal(card: Card) -> Devices:
    """The one device with every value as printed in the card; it is not stuck and never breaks."""
    return Devices(card, {}, np.full((1, 1), FREE, dtype=np.int8), np.full((1, 1), np.inf))


def _uniform(seed: int, name: str, count: int) -> FloatArray:
    """(count,) in the open unit interval: a stream of its own for each name."""
    stream = np.random.PCG64(np.random.SeedSequence([seed, zlib.crc32(name.encode())]))
    return np.asarray(((stream.random_raw(count) >> np.uint64(12)) + 0.5) * 2.0**-52)


def normal_draws(seed: int, name: str, count: int) -> FloatArray:
    """(count,) standard normal numbers, at most 4 in magnitude, from raw words of PCG64."""
    return np.asarray(np.clip(ndtri(_uniform(seed, name, count)), -SIGMAS, SIGMAS))


def draw(card: Card, count: int, seed: int) -> Devices:
    """``count`` devices of a wafer.

    Each parameter with a spread is normal, cut at 4 sigma, independent of the others. Device k is
    the same whatever ``count`` is, and a spread given to one parameter changes no other.

    Raises:
        UserError: ``count`` or ``seed`` is out of range.
    """
    check_integer(count, 1, 10**7, "devices")
    check_integer(seed, 0, MAX_SEED, "seed")
    values = {
        name: (card.si(name) + sigma * normal_draws(seed, name, count))[:, None]
        for name in card.parameters
        if (sigma := card.device_sigma(name))
    }
    chance = _uniform(seed, "stuck", count)
    low, high = card.si("stuck_reset"), card.si("stuck_switched")
    stuck = np.where(chance < low, STUCK_RESET, np.where(chance < low + high, STUCK_SWITCHED, FREE))
    wear = (-np.log(_uniform(seed, "lifetime", count))) ** (1 / card.si("endurance_shape"))
    return Devices(
        card, values, stuck.astype(np.int8)[:, None], (card.si("endurance") * wear)[:, None]
    )
