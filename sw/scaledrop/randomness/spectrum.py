# SPDX-License-Identifier: Apache-2.0
"""The spectrum of a stream: the SP 800-22 test, and two for bits of any probability."""

from __future__ import annotations

from math import erfc, expm1, log, log1p, sqrt
from typing import Any

import numpy as np
from scipy import fft

from scaledrop.randomness.bits import Bits, Floats, as_bits
from scaledrop.randomness.verdict import Verdict

__all__ = ["peak", "spectral", "spectrum_shape"]

_LIMIT = log(20)
"""A power in units of its mean is below this with a probability of 95 %."""


def spectral(values: Any, least: int = 1000) -> Verdict:
    """Are 95 % of the peaks of the Fourier transform below the line that 95 % should be below?

    SP 800-22 rev. 1a, 2.6, for a fair coin. Statistic: d, the excess of peaks below in standard
    deviations by the standard, ``sqrt(n 0.95 0.05 / 4)``. See :func:`spectrum_shape`.

    Raises:
        UserError: not bits, or fewer than ``least``.
    """
    bits = as_bits(values, least, "spectral")
    n = len(bits)
    power = np.abs(fft.rfft(2.0 * bits - 1)[: n // 2]) ** 2
    below = int((power < _LIMIT * n).sum())
    far = (below - 0.95 * n / 2) / sqrt(n * 0.95 * 0.05 / 4)
    return Verdict("spectral", far, erfc(abs(far) / sqrt(2)), f"{below} of {n // 2} peaks below")


def _powers(bits: Bits) -> Floats:
    """Powers at the frequencies between 0 and one half, in units of their mean over all."""
    share = float(bits.mean())
    power = np.abs(fft.rfft(bits - share)[1 : (len(bits) + 1) // 2]) ** 2
    scaled: Floats = power / (len(bits) * share * (1 - share))
    return scaled


def spectrum_shape(values: Any, least: int = 1000) -> Verdict:
    """As :func:`spectral`, for any probability of ones and with the right variance.

    The sum of all powers is fixed once the ones are counted, which takes
    ``(0.05 ln 20)**2`` from the variance 0.95 * 0.05 of each peak; the standard's divisor of 4
    stands for 3.79, which makes its P a little too small. Peaks are counted, so P moves in steps.

    Raises:
        UserError: not bits, fewer than ``least``, or all equal.
    """
    bits = as_bits(values, least, "spectrum shape")
    if bits.min() == bits.max():
        return Verdict("spectrum shape", 0.0, 0.0, "all bits are equal")
    power = _powers(bits)
    below = int((power < _LIMIT).sum())
    variance = len(power) * (0.95 * 0.05 - (0.05 * _LIMIT) ** 2)
    far = (below - 0.95 * len(power)) / sqrt(variance)
    note = f"{below} of {len(power)} peaks below"
    return Verdict("spectrum shape", far, erfc(abs(far) / sqrt(2)), note)


def peak(values: Any, least: int = 1000) -> Verdict:
    """Does one frequency stick out? For any probability of ones.

    Statistic: the greatest power in units of the mean; m of them exceed x with the chance
    ``1 - (1 - exp(-x))**m``. Finds what repeats with any period longer than two bits.

    Raises:
        UserError: not bits, or fewer than ``least``.

    Source: Fisher, Proc. R. Soc. A 125 (1929) 54, for large m.
    """
    bits = as_bits(values, least, "spectral peak")
    if bits.min() == bits.max():
        return Verdict("spectral peak", 0.0, 0.0, "all bits are equal")
    power = _powers(bits)
    at = int(power.argmax())
    height = float(power[at])
    p_value = -expm1(len(power) * log1p(-np.exp(-height)))
    return Verdict("spectral peak", height, p_value, f"at a period of {len(bits) / (at + 1):.4g}")
