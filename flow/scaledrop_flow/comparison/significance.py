# SPDX-License-Identifier: Apache-2.0
"""Whether two methods differ by more than seeds and images scatter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from scaledrop.errors import UserError

__all__ = [
    "LEVEL",
    "Difference",
    "Paired",
    "Standing",
    "bootstrap",
    "differ",
    "over_seeds",
    "resamples",
]

LEVEL = 0.95
"""Of the intervals. Each is on its own: many comparisons make some of them wrong."""
RESAMPLES = 1000

Floats = npt.NDArray[np.float64]
Statistic = Callable[[Mapping[str, Floats]], float]
"""From arrays by image to a score."""


class Standing(StrEnum):
    """What is said of a difference."""

    BETTER = "better"
    WORSE = "worse"
    NONE = "no difference"


@dataclass(frozen=True)
class Paired:
    """Differences of n seeds, one method less another.

    Attributes:
        mean: Of the differences.
        spread: Their standard deviation (n - 1); 0 of one seed.
        half: Half of the interval of Student's t at :data:`LEVEL`, ``t * spread / sqrt(n)``;
            infinite for one seed. With three seeds t is 4.3.
        p_sign: Exact two-sided p-value of the sign-flip permutation test on the mean: with n seeds
            no less than ``2 / 2**n``, which for three is 0.25. It can support nothing at this n.
        same_sign: All differences have one sign, and none is 0.
    """

    mean: float
    spread: float
    half: float
    p_sign: float
    same_sign: bool


def over_seeds(differences: Sequence[float]) -> Paired:
    """Of the differences of the same seeds.

    Raises:
        UserError: there is none.
    """
    if not differences:
        raise UserError("differences: is empty; two methods need a seed in common")
    found = np.asarray(differences, dtype=np.float64)
    n, mean = len(found), float(found.mean())
    spread = float(found.std(ddof=1)) if n > 1 else 0.0
    half = float(student.ppf((1 + LEVEL) / 2, n - 1)) * spread / n**0.5 if n > 1 else float("inf")
    flips = np.array(list(product((-1.0, 1.0), repeat=n)))
    means = np.abs((flips * found).mean(axis=1))
    p_sign = float((means >= abs(mean) - 1e-12 * (1 + abs(mean))).mean())
    same = bool((found > 0).all() or (found < 0).all())
    return Paired(mean, spread, half, p_sign, same)


def resamples(images: int, seed: int, count: int = RESAMPLES) -> npt.NDArray[np.int64]:
    """(count, images) rows drawn with replacement: the same for both methods of a pair."""
    return np.random.default_rng(seed).integers(0, images, (count, images))


def bootstrap(
    first: Sequence[Mapping[str, Floats]],
    second: Sequence[Mapping[str, Floats]],
    statistic: Statistic,
    draws: Sequence[Mapping[str, npt.NDArray[np.int64]]],
) -> tuple[float, float]:
    """Percentile interval at :data:`LEVEL` of the difference of a score, first less second.

    Images are drawn, seeds are not: every resample takes the same images of both methods and of all
    seeds, and the difference is the mean over the seeds.

    Args:
        first, second: For each seed the arrays by image, in one order of seeds and images.
        statistic: The score of such arrays.
        draws: For each resample the rows of each array.
    """
    found = []
    for rows in draws:
        pairs = zip(first, second, strict=True)
        found.append(
            np.mean([statistic(_taken(a, rows)) - statistic(_taken(b, rows)) for a, b in pairs])
        )
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _taken(
    arrays: Mapping[str, Floats], rows: Mapping[str, npt.NDArray[np.int64]]
) -> dict[str, Floats]:
    return {name: values[rows[name]] for name, values in arrays.items()}


@dataclass(frozen=True)
class Difference:
    """One method less another, in one score on one set.

    Attributes:
        seeds: Paired over seeds.
        low, high: Of the bootstrap over test images.
        larger_is_better: Of the score.
    """

    seeds: Paired
    low: float
    high: float
    larger_is_better: bool

    @property
    def standing(self) -> Standing:
        """Better or worse only where both intervals leave out 0 on the same side: that over seeds
        and that over images. Else nothing is said."""
        mean, half = self.seeds.mean, self.seeds.half
        above = mean - half > 0 and self.low > 0
        below = mean + half < 0 and self.high < 0
        if not above and not below:
            return Standing.NONE
        return Standing.BETTER if above == self.larger_is_better else Standing.WORSE


def differ(
    first: Sequence[Mapping[str, Floats]],
    second: Sequence[Mapping[str, Floats]],
    statistic: Statistic,
    draws: Sequence[Mapping[str, npt.NDArray[np.int64]]],
    larger_is_better: bool,
) -> Difference:
    """Of two methods whose arrays are paired by seed and image; arguments as :func:`bootstrap`."""
    pairs = zip(first, second, strict=True)
    seeds = over_seeds([statistic(a) - statistic(b) for a, b in pairs])
    return Difference(seeds, *bootstrap(first, second, statistic, draws), larger_is_better)
