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
    "RESAMPLES",
    "Difference",
    "Drawn",
    "Paired",
    "Standing",
    "differ",
    "interval",
    "over_seeds",
    "resampled",
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


def resampled(
    arrays: Sequence[Mapping[str, Floats]],
    statistic: Statistic,
    draws: Sequence[Mapping[str, npt.NDArray[np.int64]]],
) -> Floats:
    """(seeds, resamples) of a score: every resample takes the same images of all seeds.

    Args:
        arrays: For each seed the arrays by image.
        statistic: The score of such arrays.
        draws: For each resample the rows of each array.
    """
    return np.array([[statistic(_taken(one, rows)) for rows in draws] for one in arrays])


def interval(first: Floats, second: Floats) -> tuple[float, float]:
    """Percentile interval at :data:`LEVEL` of a difference, first less second, mean over the seeds.

    Images are drawn, seeds are not.

    Args:
        first, second: (seeds, resamples) of two methods, from the same draws.
    """
    found = (first - second).mean(axis=0)
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


@dataclass(frozen=True, eq=False)
class Drawn:
    """A score of one method.

    Attributes:
        values: (seeds,) on all images.
        resamples: (seeds, resamples).
    """

    values: Floats
    resamples: Floats

    @classmethod
    def of(
        cls,
        arrays: Sequence[Mapping[str, Floats]],
        statistic: Statistic,
        draws: Sequence[Mapping[str, npt.NDArray[np.int64]]],
    ) -> Drawn:
        """Arguments as :func:`resampled`."""
        values = np.array([statistic(one) for one in arrays])
        return cls(values, resampled(arrays, statistic, draws))


def differ(first: Drawn, second: Drawn, larger_is_better: bool) -> Difference:
    """Of two methods that are paired by seed and image, first less second."""
    seeds = over_seeds((first.values - second.values).tolist())
    return Difference(seeds, *interval(first.resamples, second.resamples), larger_is_better)
