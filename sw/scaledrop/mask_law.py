# SPDX-License-Identifier: Apache-2.0
"""Laws over the 2**L masks of a network: drifting probabilities, shared bits, memory in time.

Masks stand in the order of counting in binary, the first layer's bit the most significant, a bit of
1 keeps the scale. A prediction is ``sum_m law[m] softmax(f_m(x))``, hence what a wrong law does to
it can be worked out, without drawing anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
import numpy.typing as npt

from scaledrop.errors import UserError

__all__ = [
    "common_law",
    "components",
    "drift_bound",
    "effective_passes",
    "independent_law",
    "mean_variance",
    "moved_mass",
]

Floats = npt.NDArray[np.float64]
Probabilities = Sequence[float] | Floats


def _checked(p: Probabilities) -> Floats:
    found = np.asarray(p, dtype=np.float64)
    if found.ndim != 1 or not found.size or not ((found >= 0) & (found <= 1)).all():
        raise UserError(f"p: must be one probability of 0 to 1 a layer, not {p}; clip them")
    return found


def independent_law(p: Probabilities) -> Floats:
    """(2**L,) probabilities of the masks where each layer draws a bit of its own.

    Args:
        p: (L,) probabilities that a layer's scale is dropped.

    Raises:
        UserError: no probabilities.
    """
    return np.asarray(reduce(np.kron, [np.array([one, 1 - one]) for one in _checked(p)]))


def common_law(p: Probabilities, share: float) -> Floats:
    """(2**L,) probabilities of the masks where a share of the passes has one draw for all layers.

    Then layer l drops where ONE uniform number is below p_l: with equal p all layers drop together.
    Each layer alone still drops with p_l; two layers of one p correlate by ``share``.

    Args:
        p: (L,) probabilities that a layer's scale is dropped.
        share: of passes with one draw, 0 (independent) to 1.

    Raises:
        UserError: no probabilities.
    """
    (part,) = _checked([share])
    values = _checked(p)
    edges = np.unique(np.concatenate([[0.0, 1.0], values]))
    keeps = values[None, :] <= (edges[:-1] + edges[1:])[:, None] / 2
    places = 1 << np.arange(len(values))[::-1]
    together = np.bincount(keeps @ places, weights=np.diff(edges), minlength=1 << len(values))
    return np.asarray((1 - part) * independent_law(p) + part * together)


def moved_mass(law: Floats, other: Floats) -> float:
    """Total variation ``sum_m |law - other| / 2``, 0 to 1.

    No class probability, of any image, differs by more between the two marginals: a softmax lies in
    0 to 1, and only the mass that moved can change the mean.
    """
    return float(np.abs(law - other).sum() / 2)


def drift_bound(p: Probabilities, drifted: Probabilities) -> float:
    """``1 - prod_l (1 - |p_l - p'_l|)``: what :func:`moved_mass` cannot exceed.

    By drawing both masks of a layer from one uniform number they differ with ``|p_l - p'_l|``, and
    no way of drawing the two together can make them agree more often than mass stays where it was.

    Raises:
        UserError: no probabilities.
    """
    return float(1 - np.prod(1 - np.abs(_checked(p) - _checked(drifted))))


def components(values: Floats, p: Probabilities) -> Floats:
    """Variance over the masks by the set of layers that it takes: the analysis of variance.

    Args:
        values: (..., 2**L) of each mask.
        p: (L,) probabilities that a layer's scale is dropped.

    Returns:
        (..., 2**L) at the binary number of a set S of layers: the part of the variance that needs
        the bits of exactly the layers of S. The first (no layer) is the squared mean. The rest sum
        to the variance.
    """
    found = np.asarray(values, dtype=np.float64)
    lead = found.shape[:-1]
    for at, one in enumerate(_checked(p)):
        root = np.sqrt(one * (1 - one))
        basis = np.array([[one, 1 - one], [-root, root]])
        cube = found.reshape(*lead, 1 << at, 2, -1)
        found = np.einsum("ij,...ajb->...aib", basis, cube).reshape(*lead, -1)
    return np.asarray(found**2)


def effective_passes(passes: int, correlation: float) -> float:
    """Independent passes that tell as much as so many of a chain with ``correlation**k`` at lag k.

    ``T / (1 + 2 sum_{k=1}^{T-1} (1 - k/T) r**k)``; tends to ``T (1 - r) / (1 + r)``.

    Args:
        passes: T >= 1.
        correlation: r, -1 to 1.
    """
    lags = np.arange(1, passes)
    total = ((1 - lags / passes) * float(correlation) ** lags).sum()
    return float(passes / (1 + 2 * total))


def mean_variance(parts: Floats, passes: int, correlation: float) -> Floats:
    """Variance of the mean over T passes whose every layer's bit is a Markov chain in time.

    A component on the layers S has the correlation ``r**(k |S|)`` at lag k, so the components
    average out at different speeds, and exactly.

    Args:
        parts: (..., 2**L) of :func:`components`.
        passes: T >= 1.
        correlation: r of a bit with the same layer's next bit; 0 is what independent passes give.

    Returns:
        (...,).
    """
    sizes = np.array([int(at).bit_count() for at in range(parts.shape[-1])])
    speed = [effective_passes(passes, correlation**size) for size in range(sizes.max() + 1)]
    weights = 1 / np.array(speed)[sizes]
    weights[0] = 0.0
    return np.asarray(parts @ weights)
