# SPDX-License-Identifier: Apache-2.0
"""Health of the stochastic bits: limits from the drive code, false-alarm rates, integer twin.

A layer with drive code c drops with probability ``p = c / 2**16`` and keeps otherwise. Six limits
stand for three tests of its bits, all derived for independent bits of that probability:

- repetition count (NIST SP 800-90B, 4.4.1), with one cutoff for each outcome: a bit alarms when it
  is the last of ``cutoff`` equal ones. The cutoff is the least with
  ``P(outcome)**cutoff <= alpha``, so ``alpha`` bounds the chance of a false alarm at any bit. The
  standard's cutoff, :func:`repetition_cutoff`, is the same for both outcomes and conditions on
  the first of the run; that makes it greater by one where they can be compared.
- adaptive proportion (4.4.2), two-sided: drops in a window stay in ``drops_low .. drops_high``.
  The standard counts the first outcome of each window and has an upper limit only. Here both sides
  are watched in every window, each with ``alpha / 2``, which is a two-sided window on p. Where
  keeping is likelier, ``drops_low = window + 1 - C`` with C of :func:`proportion_cutoff` at
  ``alpha / 2``.
- lag-1 correlation: equal neighbours inside a window stay in ``equal_low .. equal_high``, each side
  with ``alpha / 2``.

Windows follow each other and do not overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise, repeat
from math import ceil, comb, log
from operator import mul
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scaledrop.checks import check_integer
from scaledrop.numbers import DROP_BITS

__all__ = [
    "MAX_WINDOW",
    "HealthLimits",
    "HealthTwin",
    "expected_false_alarms",
    "false_alarm_rates",
    "find_alarms",
    "limits_of",
    "proportion_cutoff",
    "repetition_cutoff",
]

MAX_WINDOW = 4096
"""Longest window: its exact distributions take seconds and some 50 MB, a quarter of it 0.1 s."""


class HealthLimits(NamedTuple):
    """What a layer's bits must respect; each limit has the alarm of its name."""

    run_kept: int
    run_dropped: int
    """Length of a run that alarms; 0 never does."""
    drops_low: int
    drops_high: int
    equal_low: int
    equal_high: int
    """Least and largest number in a window that does not alarm."""


def _binomial(window: int, part: int, whole: int) -> tuple[list[int], int]:
    """Weights of 0 .. window successes of probability part / whole, and their sum."""
    hits = list(accumulate(repeat(part, window), mul, initial=1))
    misses = list(accumulate(repeat(whole - part, window), mul, initial=1))
    weights = [comb(window, n) * hits[n] * misses[window - n] for n in range(window + 1)]
    return weights, whole**window


def _equal_neighbours(window: int, code: int) -> list[float]:
    """Probability of 0 .. window - 1 equal neighbours, within ``window * 2**-52`` of its value.

    A dynamic programme over (last bit, count): every step multiplies and adds positive numbers.
    """
    drop = code / 2**DROP_BITS
    kept, dropped = np.zeros(window), np.zeros(window)
    kept[0], dropped[0] = 1 - drop, drop
    for _ in range(window - 1):
        also_kept, also_dropped = dropped.copy(), kept.copy()
        also_kept[1:] += kept[:-1]
        also_dropped[1:] += dropped[:-1]
        kept, dropped = also_kept * (1 - drop), also_dropped * drop
    both: list[float] = (kept + dropped).tolist()
    return both


def _fitting(weights: Sequence[float], share: float) -> int:
    """How many of the first weights add up to ``share`` at most."""
    return sum(total <= share for total in accumulate(weights))


def _run_cutoff(part: int, alpha_bits: int, longest: int) -> int:
    """Least c with ``(part / 2**16)**c <= 2**-alpha_bits``, or 0 if above ``longest``."""
    whole = 1 << DROP_BITS
    if part == whole:
        return 0
    cutoff = 1 if part == 0 else max(1, int(alpha_bits * log(2) / log(whole / part)) - 1)
    if cutoff > longest:
        return 0
    while part**cutoff << alpha_bits > whole**cutoff:
        cutoff += 1
    return cutoff if cutoff <= longest else 0


def limits_of(
    code: int, *, alpha_bits: int = 30, window: int = 1024, run_bits: int = 16
) -> HealthLimits:
    """Limits of a layer with drive code ``code``.

    Args:
        code: 0 to 65535. With 0 a correct layer never alarms and every drop does.
        alpha_bits: ``alpha = 2**-alpha_bits``, for each bit (runs) or window (counts) and test.
            The standard recommends 20 to 40.
        window: Bits of the layer in a window.
        run_bits: Width of the run counter. A cutoff that does not fit is 0: with 16 bits and the
            default alpha, runs of kept bits are watched from code 21 on.

    Raises:
        UserError: if an argument is out of range.
    """
    check_integer(code, 0, 2**DROP_BITS - 1, "drive code")
    check_integer(alpha_bits, 1, 64, "alpha_bits")
    check_integer(window, 2, MAX_WINDOW, "window")
    check_integer(run_bits, 1, 20, "run_bits")
    longest = (1 << run_bits) - 1
    drops, whole = _binomial(window, code, 1 << DROP_BITS)
    equal, half = _equal_neighbours(window, code), 0.5 ** (alpha_bits + 1)
    return HealthLimits(
        run_kept=_run_cutoff((1 << DROP_BITS) - code, alpha_bits, longest),
        run_dropped=_run_cutoff(code, alpha_bits, longest),
        drops_low=_fitting(drops, whole >> alpha_bits + 1),
        drops_high=window - _fitting(drops[::-1], whole >> alpha_bits + 1),
        equal_low=_fitting(equal, half),
        equal_high=window - 1 - _fitting(equal[::-1], half),
    )


def false_alarm_rates(code: int, limits: HealthLimits, window: int) -> dict[str, float]:
    """Chance that independent bits alarm: at a bit (runs, from the cutoff on) or a window."""
    drop = code / 2**DROP_BITS
    drops, whole = _binomial(window, code, 1 << DROP_BITS)
    equal = _equal_neighbours(window, code)
    return {
        "run_kept": (1 - drop) ** limits.run_kept if limits.run_kept else 0.0,
        "run_dropped": drop**limits.run_dropped if limits.run_dropped else 0.0,
        "drops_low": sum(drops[: limits.drops_low]) / whole,
        "drops_high": sum(drops[limits.drops_high + 1 :]) / whole,
        "equal_low": sum(equal[: limits.equal_low]),
        "equal_high": sum(equal[limits.equal_high + 1 :]),
    }


def expected_false_alarms(
    code: int, limits: HealthLimits, window: int, bits: int = 10**6
) -> dict[str, float]:
    """Mean number of false alarms in ``bits`` bits of a layer, from a restart on.

    A run counts once however long it goes on. The sum bounds the chance of any false alarm.
    """
    rates, drop = false_alarm_rates(code, limits, window), code / 2**DROP_BITS
    expected = {name: bits // window * rate for name, rate in rates.items()}
    for name, end in (("run_kept", drop), ("run_dropped", 1 - drop)):
        cutoff = getattr(limits, name)
        starts = (bits - cutoff) * end + 1 if bits >= cutoff else 0
        expected[name] = starts * rates[name]
    return expected


def repetition_cutoff(entropy: float, alpha_bits: int) -> int:
    """The standard's cutoff of 4.4.1, ``1 + ceil(-log2(alpha) / H)``, for H bits of min-entropy."""
    return 1 + ceil(alpha_bits / entropy)


def proportion_cutoff(window: int, entropy: float, alpha_bits: int) -> int:
    """The standard's cutoff of 4.4.2, ``1 + critbinom(W, 2**-H, 1 - alpha)``."""
    part, whole = (2.0**-entropy).as_integer_ratio()
    weights, total = _binomial(window, part, whole)
    return 1 + window - _fitting(weights[::-1], total >> alpha_bits)


def find_alarms(
    keeps: npt.NDArray[np.integer], limits: HealthLimits, window: int
) -> npt.NDArray[np.bool_]:
    """Alarms (bits, 6) of all bits of one layer, in the order of :class:`HealthLimits`."""
    keep = keeps.astype(bool)
    found = np.zeros((len(keep), len(limits)), dtype=bool)
    at = np.arange(len(keep))
    starts = np.concatenate([[True], keep[1:] != keep[:-1]])[: len(keep)]
    run = at - np.maximum.accumulate(np.where(starts, at, 0)) + 1
    found[:, 0] = keep & (limits.run_kept > 0) & (run >= limits.run_kept)
    found[:, 1] = ~keep & (limits.run_dropped > 0) & (run >= limits.run_dropped)
    whole = keep[: len(keep) // window * window].reshape(-1, window)
    drops = (~whole).sum(axis=1)
    equal = (whole[:, 1:] == whole[:, :-1]).sum(axis=1)
    ends = found[window - 1 :: window]
    ends[:, 2], ends[:, 3] = drops < limits.drops_low, drops > limits.drops_high
    ends[:, 4], ends[:, 5] = equal < limits.equal_low, equal > limits.equal_high
    return found


class HealthTwin:
    """The tests bit by bit, as the hardware runs them; ``limits`` has one entry for each layer."""

    def __init__(self, limits: Sequence[HealthLimits], window: int) -> None:
        self._limits = list(limits)
        self._window = window
        self.restart()

    def restart(self) -> None:
        """Forget all bits."""
        self._runs = [0] * len(self._limits)
        self._seen: list[list[int]] = [[] for _ in self._limits]
        self._last = [0] * len(self._limits)

    def step(self, layer: int, keep: int) -> HealthLimits:
        """What the next bit of ``layer`` raises: 1 in the place of each limit that it breaks."""
        limits, seen = self._limits[layer], self._seen[layer]
        self._runs[layer] = self._runs[layer] + 1 if self._last[layer] == keep else 1
        self._last[layer] = keep
        seen.append(keep)
        cutoff = limits.run_kept if keep else limits.run_dropped
        long = int(0 < cutoff <= self._runs[layer])
        counts = (0, 0, 0, 0)
        if len(seen) == self._window:
            drops = seen.count(0)
            equal = sum(a == b for a, b in pairwise(seen))
            counts = (
                int(drops < limits.drops_low),
                int(drops > limits.drops_high),
                int(equal < limits.equal_low),
                int(equal > limits.equal_high),
            )
            seen.clear()
        return HealthLimits(long * keep, long * (1 - keep), *counts)
