# SPDX-License-Identifier: Apache-2.0
"""Closed forms of the dropout family: what a mask does to mean, variance and BatchNorm.

``p`` is always the probability of dropping. Formulas are derived here from their definitions, or
recalled from the papers named (unverified against them); the tests compare each with draws.

=====================  ==================================================================
inverted dropout       Srivastava et al. 2014, scaled by 1 / (1 - p) in training
DropBlock              Ghiasi et al. 2018, arXiv 1810.12890
stochastic depth       Huang et al. 2016, arXiv 1603.09382
variance shift, Uout   Li et al. 2019, arXiv 1801.05134
=====================  ==================================================================
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from scaledrop.errors import UserError

__all__ = [
    "block_share",
    "dropout_k",
    "dropout_variance",
    "exact_gamma",
    "expected_depth",
    "linear_survival",
    "scale_k",
    "uniform_k",
    "weighted_dropout_k",
]

Floats = npt.NDArray[np.float64]


def _checked(p: float, name: str = "p") -> float:
    if not 0 <= p < 1:
        raise UserError(f"{name}: must be 0 to below 1, not {p}; 0.1 is usual")
    return float(p)


def dropout_variance(h: float, p: float) -> float:
    """Variance of ``h m / (1 - p)``, m kept with 1 - p: ``p / (1 - p) h**2``. Its mean is h."""
    return _checked(p) / (1 - p) * h**2


def _check_block(block: int, height: int, width: int) -> None:
    if not 1 <= block <= min(height, width):
        raise UserError(f"block: must be 1 to {min(height, width)}, not {block}; a block must fit")


def _covering(length: int, block: int) -> npt.NDArray[np.int64]:
    """How many of the places of a block along an edge cover each position."""
    at = np.arange(length)
    return np.minimum(at, length - block) - np.maximum(at - block + 1, 0) + 1


def block_share(gamma: float, block: int, height: int, width: int) -> float:
    """Expected dropped share when every place where a whole block fits is a seed with ``gamma``.

    A position survives if none of the n blocks that cover it has a seed: the mean over positions of
    ``1 - (1 - gamma)**n``, n smaller at the edges. The gamma of the paper
    (:func:`scaledrop.methods.dropblock.seed_probability`) counts blocks as if they never
    overlapped, so less is dropped than it was asked for.

    Raises:
        UserError: block out of range, or gamma not within 0 to 1.
    """
    _check_block(block, height, width)
    if not 0 <= gamma <= 1:
        raise UserError(f"gamma: must be 0 to 1, not {gamma}; lower p, or take a smaller block")
    covering = np.outer(_covering(height, block), _covering(width, block))
    return float((1 - (1 - gamma) ** covering).mean())


def exact_gamma(p: float, block: int, height: int, width: int) -> float:
    """The gamma whose :func:`block_share` is p, by bisection.

    Raises:
        UserError: p or block out of range.
    """
    low, high = 0.0, 1.0
    _checked(p)
    while high - low > 1e-15:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        too_few = block_share(middle, block, height, width) < p
        low, high = (middle, high) if too_few else (low, middle)
    return (low + high) / 2


def linear_survival(layers: int, last: float) -> Floats:
    """(L,) probabilities that a residual block is kept: ``1 - l / L (1 - last)``, l = 1 to L.

    Args:
        layers: L, 1 or more.
        last: that of the last block, above 0 to 1.

    Raises:
        UserError: out of range.

    Source: Huang et al. 2016, Eq. 4, from memory (unverified).
    """
    if layers < 1:
        raise UserError(f"layers: must be 1 or more, not {layers}; give the number of blocks")
    _checked(1 - last, "1 - last")
    return 1 - np.arange(1, layers + 1) / layers * (1 - last)


def expected_depth(layers: int, last: float) -> float:
    """Mean number of blocks that are run: ``L - (1 - last) (L + 1) / 2``; 3 L / 4 for 0.5 and large
    L. The sum of :func:`linear_survival`, with its errors."""
    linear_survival(layers, last)
    return layers - (1 - last) * (layers + 1) / 2


def _k(train: float, test: float) -> float:
    return math.sqrt(train / test)


def dropout_k(p: float, mean: float, variance: float) -> float:
    """Variance shift of inverted dropout directly in front of BatchNorm, evaluated without it.

    ``k**2 = train / test = ((c**2 + v) / (1 - p) - c**2) / v`` of inputs of mean c, variance v.

    Raises:
        UserError: p out of range.

    Source: Li et al. 2019, case (a), whose ratio is the inverse; from memory (unverified).
    """
    return _k((mean**2 + variance) / (1 - _checked(p)) - mean**2, variance)


def weighted_dropout_k(
    p: float, mean: float, variance: float, weights: Floats, correlation: float = 0.0
) -> float:
    """The same with ``sum_i w_i x_i`` between dropout and BatchNorm.

    ``k**2 = 1 + g / (v (1 + rho (d cos**2 - 1)))`` with ``g = (c**2 + v) p / (1 - p)``, d inputs
    and cos the cosine of w and (1, ..., 1): a mask is noise of its own at every input, which adds
    up as ``sum w_i**2``, while correlated inputs add up as ``(sum w_i)**2``.

    Args:
        p: of every input.
        mean, variance: c and v of every input.
        weights: (d,) not all 0.
        correlation: rho of any two inputs.

    Raises:
        UserError: p out of range.

    Source: the setting of Li et al. 2019, case (b); the formula is derived here.
    """
    square, total = float((weights**2).sum()), float(weights.sum())
    test = variance * (square + correlation * (total**2 - square))
    noise = (mean**2 + variance) * _checked(p) / (1 - p) * square
    return _k(test + noise, test)


def uniform_k(beta: float, mean: float, variance: float) -> float:
    """Variance shift of ``x (1 + r)``, r uniform on -beta to beta (Uout), in front of BatchNorm.

    ``k**2 = 1 + beta**2 / 3 (c**2 + v) / v``.

    Source: the remedy of Li et al. 2019, from memory (unverified); the formula is derived here.
    """
    return _k(variance + beta**2 / 3 * (mean**2 + variance), variance)


def scale_k(
    alpha: float, p: float, mean: float, variance: float, *, batch: bool = False, drawn: bool = True
) -> float:
    """Variance shift of scale dropout in front of BatchNorm, for one channel of scale alpha.

    The factor f of the sums is alpha, or 1 with probability p; E and Var are over it. Behind
    BatchNorm the variance in training is 1, and in evaluation that of the sums as they then are
    over the running variance r:

    - one bit a sample: ``r = E[f**2] v + Var(f) c**2``, the mixture;
    - one bit a batch: ``r = E[f**2] v``, since no batch sees both.

    With masks drawn in evaluation the sums are the mixture; without (no scale dropped)
    ``alpha**2 v``. One bit a sample and masks drawn: k = 1, whatever alpha and p.

    Args:
        alpha: scale, not 0.
        p: chance that it is dropped.
        mean, variance: c and v > 0 of the sums.
        batch: one bit for a batch, in training.
        drawn: masks are drawn in evaluation.

    Raises:
        UserError: p out of range.
    """
    first = alpha + (1 - alpha) * _checked(p)
    second = alpha**2 + (1 - alpha**2) * p
    mixture = second * variance + (second - first**2) * mean**2
    running = second * variance if batch else mixture
    return _k(running, mixture if drawn else alpha**2 * variance)
