# SPDX-License-Identifier: Apache-2.0
"""The calibrator: holds the programmed probability of a layer on a device that drifts; integers.

A layer is to switch the device with probability ``p = target / 2**16``. Its drive code is a
register ``code`` of 16 bits and ``fraction_bits`` below them, moved by the bits themselves. Over a
window of N bits

    error = N target - 2**16 ones                                   (exact; > 0: too few ones)

- search, windows of N = 2**window_bits: from the middle, ``code`` moves up (error >= 0) or down by
  a step that halves each time; ``dac_bits + 2`` windows;
- then integration: ``code += error << (band + gear)``, cut at the register's ends. Unlocked, the
  windows are four times shorter and ``gear`` is 2, so that a window moves the code as far.

Nothing is rounded. While a layer is locked and the register is not at an end, the bits of n windows
hold ``2**16 ones = n N target - (rise of code >> band)``: whatever the device does, their mean
misses p by the way of the register over ``n N 2**(16 + band)``.

The DAC takes the highest ``dac_bits`` bits; an accumulator over the next 8 adds one step to it in
as many writes as they say, one such step with each bit (a first-order sigma-delta modulator).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt

from scipy.stats import binom

from scaledrop.checks import check_integer
from scaledrop.numbers import DROP_BITS

__all__ = [
    "DITHER_BITS",
    "GEAR",
    "LARGEST_BAND",
    "SUB_STEPS",
    "Calibration",
    "CalibrationTwin",
    "LayerCalibration",
    "band",
    "bound",
    "outside_chance",
]

DITHER_BITS = 8
"""Bits below the DAC's that dither it."""
GEAR = 2
"""Unlocked, windows are ``2**GEAR`` times shorter and count ``2**GEAR`` times as much."""
SUB_STEPS = 2
"""Bits below the DAC's that the search decides."""
LARGEST_BAND = 3
SIGMAS = 4


@dataclass(frozen=True)
class Calibration:
    """Parameters of the loop.

    Attributes:
        dac_bits: 4 to 16.
        window_bits: Windows have ``2**window_bits`` bits of a layer, 4 to 12.
        fraction_bits: 8 to 20; each more halves the gain. At p near 1/2 a bit moves the drive code
            by ``2**(16 - fraction_bits)`` times its error.
        lock_windows: Windows in a row inside the bound that lock, 1 to 255.
        lose_windows: Windows in a row outside it that lose the lock, 1 to 255.
    """

    dac_bits: int = 10
    window_bits: int = 10
    fraction_bits: int = 16
    lock_windows: int = 16
    lose_windows: int = 2

    def __post_init__(self) -> None:
        check_integer(self.dac_bits, 4, 16, "dac_bits")
        check_integer(self.window_bits, 4, 12, "window_bits")
        check_integer(self.fraction_bits, 8, 20, "fraction_bits")
        check_integer(self.lock_windows, 1, 255, "lock_windows")
        check_integer(self.lose_windows, 1, 255, "lose_windows")

    @property
    def width(self) -> int:
        """Bits of the code register."""
        return DROP_BITS + self.fraction_bits

    @property
    def steps(self) -> int:
        """Windows of the search."""
        return self.dac_bits + SUB_STEPS

    @property
    def search_bits(self) -> int:
        """Own draws of the search of a layer."""
        return self.steps << self.window_bits

    def length_bits(self, geared: bool) -> int:
        """log2 of the bits of a window; ``geared`` while a layer tracks and is not locked."""
        return self.window_bits - GEAR * geared


def _folded_places(target: int) -> int:
    """The j of q's octave, ``2**-(j + 1) <= q <= 2**-j`` for ``q = min(p, 1 - p)``; 1 to 16."""
    folded = target if target < 1 << (DROP_BITS - 1) else ~target & ((1 << DROP_BITS) - 1)
    return DROP_BITS - folded.bit_length()


def band(target: int) -> int:
    """Left shift that makes up for the flatter ends of a sigmoid: 0 for p in [1/4, 3/4), to 3.

    The slope of a logistic is in proportion to p (1 - p); with ``q = min(p, 1 - p)`` the shift is
    0 for q from 1/4, 1 from 1/8, 2 from 1/16, 3 below.
    """
    return min(_folded_places(target) - 1, LARGEST_BAND)


def bound(target: int, length_bits: int) -> int:
    """Ones that a window of ``2**length_bits`` may miss: it is inside if
    ``-bound <= error >> 16 < bound`` and the code is not cut at an end.

    Four standard deviations, and one, of the binomial at the largest q of p's octave.
    """
    j = _folded_places(target)
    variance = (SIGMAS**2 * (2**j - 1) << length_bits) >> (2 * j)
    return isqrt(variance) + 1


def outside_chance(target: int, length_bits: int, probability: float | None = None) -> float:
    """Chance that a window of independent bits is outside the bound.

    Args:
        target: Programmed drop code.
        length_bits: log2 of the window.
        probability: That of the bits; None is that of the target.
    """
    n, limit = 1 << length_bits, bound(target, length_bits)
    p = target / 2**DROP_BITS if probability is None else probability
    floors = [((n * target) - (ones << DROP_BITS)) >> DROP_BITS for ones in range(n + 1)]
    inside = [ones for ones, floor in enumerate(floors) if -limit <= floor < limit]
    return float(binom.cdf(inside[0] - 1, n, p) + binom.sf(inside[-1], n, p))


class LayerCalibration:
    """One layer of the loop, bit by bit.

    Attributes:
        code: The register, ``config.width`` bits.
        drive: 16-bit drive code of the next bit: the DAC's bits, zeros below.
        locked: The layer is locked.
        searching: Windows of the search are left.
    """

    def __init__(self, config: Calibration) -> None:
        self.config = config
        self.code = 1 << (config.width - 1)
        self.error = self.count = self.step = self.dither = self.streak = 0
        self.locked = False
        self.drive = 0
        self._aim()

    @property
    def searching(self) -> bool:
        return self.step < self.config.steps

    @property
    def value(self) -> int:
        """The 16 bits of the register above its fraction."""
        return self.code >> self.config.fraction_bits

    def bit(self, target: int, switched: int) -> bool:
        """Take the next bit of the layer, 1 where the device switched.

        Args:
            target: Programmed drop code, 1 to 65535.
            switched: 0 or 1.

        Returns:
            True where this bit loses the lock.
        """
        self.error += target - (switched << DROP_BITS)
        self.count += 1
        lost = False
        geared = not self.searching and not self.locked
        if self.count == 1 << self.config.length_bits(geared):
            lost = self._track(target, geared) if not self.searching else self._halve()
            self.error = self.count = 0
        self._aim()
        return lost

    def _halve(self) -> bool:
        half = 1 << (self.config.width - 2 - self.step)
        self.code += half if self.error >= 0 else -half
        self.step += 1
        return False

    def _track(self, target: int, geared: bool) -> bool:
        limit = bound(target, self.config.length_bits(geared))
        moved = self.code + (self.error << (band(target) + GEAR * geared))
        self.code = min(max(moved, 0), (1 << self.config.width) - 1)
        inside = self.code == moved and -limit <= self.error >> DROP_BITS < limit
        self.streak = self.streak + 1 if inside != self.locked else 0
        wanted = self.config.lose_windows if self.locked else self.config.lock_windows
        if self.streak < wanted:
            return False
        self.locked, self.streak = not self.locked, 0
        return not self.locked

    def _aim(self) -> None:
        """One step of the modulator, and the drive of the next bit."""
        places = self.config.width - self.config.dac_bits
        total = self.dither + (self.code >> (places - DITHER_BITS)) % (1 << DITHER_BITS)
        self.dither = total % (1 << DITHER_BITS)
        dac = min((self.code >> places) + (total >> DITHER_BITS), (1 << self.config.dac_bits) - 1)
        self.drive = dac << (DROP_BITS - self.config.dac_bits)


class CalibrationTwin:
    """All layers; a layer's target goes out unchanged until its search begins, and always if 0."""

    def __init__(self, config: Calibration, layers: int) -> None:
        self.config = config
        self.layers: list[LayerCalibration | None] = [None] * layers

    def begin(self, layer: int) -> None:
        """Forget all of a layer and begin its search."""
        self.layers[layer] = LayerCalibration(self.config)

    def bypass(self) -> None:
        """Forget everything."""
        self.layers = [None] * len(self.layers)

    def bit(self, layer: int, target: int, switched: int) -> bool:
        """A bit of a layer; True where it loses the lock. Ignored where nothing is to be held."""
        held = self.layers[layer]
        return held.bit(target, switched) if held and target else False

    def drive(self, layer: int, target: int) -> int:
        """Drive code of the layer's next bit."""
        held = self.layers[layer]
        return held.drive if held and target else target

    def value(self, layer: int, target: int) -> int:
        """The layer's code, without dither."""
        held = self.layers[layer]
        return held.value if held and target else target

    def locked(self, targets: Sequence[int]) -> list[int]:
        """1 for each layer that is locked, or has nothing to hold (code 0) and was begun."""
        return [
            int(held is not None and (held.locked or not target))
            for held, target in zip(self.layers, targets, strict=True)
        ]
