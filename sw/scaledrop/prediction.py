# SPDX-License-Identifier: Apache-2.0
"""From logits of stochastic passes to a prediction and how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.errors import UserError
from scaledrop.numbers import argmax

__all__ = ["Prediction", "Totals", "softmax", "summarise", "summarise_floats"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Prediction:
    """N images, K classes; natural logarithms, so entropies are in nats. Where a network predicts
    at every position, the positions stand between: ``...`` below.

    Attributes:
        mean: (N, ..., K) mean over the passes of softmax.
        entropy: (N, ...) ``H(mean)``, 0 to ln K: total uncertainty.
        expected_entropy: (N, ...) mean over the passes of ``H(softmax)``: the data's share.
        mutual_information: (N, ...) ``entropy - expected_entropy``, >= 0: the model's share.
        variance: (N, ..., K) variance over the passes of softmax (divided by T).
        votes: (N, ..., K) share of the passes whose largest logit is the class; ties to the lowest.
        predicted: (N, ...) class of the largest mean; ties to the lowest.
        bound: no class probability in ``mean`` is further than this from the exact marginal over
            all masks. 0 where all were visited, the probability mass left out where some were not,
            and 1, which promises nothing, where passes were drawn at random. Rounding of float64,
            some 1e-15, comes on top.
    """

    mean: Floats
    entropy: Floats
    expected_entropy: Floats
    mutual_information: Floats
    variance: Floats
    votes: Floats
    predicted: npt.NDArray[np.int64]
    bound: float = 1.0

    @staticmethod
    def joined(parts: list[Prediction]) -> Prediction:
        """Predictions of further images, one after another; the bound is the largest."""
        arrays: dict[str, Any] = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in Prediction.__dataclass_fields__
            if name != "bound"
        }
        return Prediction(**arrays, bound=max(part.bound for part in parts))


def softmax(logits: npt.NDArray[np.integer] | Floats, logit_frac_bits: int) -> Floats:
    """Softmax over the last axis of ``logits * 2**-logit_frac_bits``.

    The largest logit is subtracted first, for integer logits while they are still integers, so
    nothing overflows or cancels.
    """
    below = (logits - logits.max(axis=-1, keepdims=True)).astype(np.float64)
    exponentials = np.exp(below * 2.0**-logit_frac_bits)
    result: Floats = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return result


def _entropy(probabilities: Floats) -> Floats:
    """``-sum p ln p`` over the last axis, with ``0 ln 0 = 0``."""
    safe = np.where(probabilities > 0, probabilities, 1.0)
    result: Floats = -(probabilities * np.log(safe)).sum(axis=-1)
    return np.maximum(result, 0.0)


@dataclass
class Totals:
    """Weighted sums over passes, from which a prediction follows; passes may come in blocks, so
    that memory does not grow with their number. Blocks of the same passes in the same order give
    the same bits, however their logits were found."""

    weight: float = 0.0
    mean: Floats = field(default_factory=lambda: np.zeros(()))
    spread: Floats = field(default_factory=lambda: np.zeros(()))
    entropy: Floats = field(default_factory=lambda: np.zeros(()))
    votes: Floats = field(default_factory=lambda: np.zeros(()))

    def add(
        self,
        leaves: npt.NDArray[np.integer] | Floats,
        which: npt.NDArray[np.int64],
        weights: Floats,
        frac_bits: int,
    ) -> None:
        """Add passes.

        Args:
            leaves: (R, ..., K) logits.
            which: (N, T) the row of ``leaves`` that each pass of each image is.
            weights: (T,) of the passes.
            frac_bits: unit of a logit is ``2**-frac_bits``.
        """
        p = softmax(leaves, frac_bits)
        winners = argmax(leaves)[..., None] == np.arange(leaves.shape[-1])
        share = weights / weights.sum()
        mean = np.einsum("nt...,t->n...", p[which], share)
        spread = np.einsum("nt...,t->n...", np.square(p[which] - mean[:, None]), share)
        entropy = np.einsum("nt...,t->n...", _entropy(p)[which], share)
        votes = np.einsum("nt...,t->n...", winners[which], share)
        self._merge(float(weights.sum()), mean, spread, entropy, votes)

    def _merge(
        self, weight: float, mean: Floats, spread: Floats, entropy: Floats, votes: Floats
    ) -> None:
        """Chan, Golub, LeVeque 1979: mean and variance of two sets of passes."""
        part = weight / (self.weight + weight)
        step = mean - self.mean
        self.spread = (
            self.spread + (spread - self.spread) * part + np.square(step) * part * (1 - part)
        )
        self.mean = self.mean + step * part
        self.entropy = self.entropy + (entropy - self.entropy) * part
        self.votes = self.votes + (votes - self.votes) * part
        self.weight += weight

    def prediction(self, bound: float) -> Prediction:
        entropy = _entropy(self.mean)
        return Prediction(
            mean=self.mean,
            entropy=entropy,
            expected_entropy=self.entropy,
            # Rounding may leave a hair below zero where the passes agree.
            mutual_information=np.maximum(entropy - self.entropy, 0.0),
            variance=self.spread,
            votes=self.votes,
            predicted=np.argmax(self.mean, axis=-1).astype(np.int64),
            bound=bound,
        )


def summarise(
    logits: npt.NDArray[np.integer],
    logit_frac_bits: int,
    weights: Floats | None = None,
    bound: float = 1.0,
) -> Prediction:
    """The prediction that given passes make.

    Args:
        logits: (N, T, ..., K) integers, T >= 1, K >= 1.
        logit_frac_bits: their unit is ``2**-logit_frac_bits``.
        weights: (T,) of the passes; equal ones when None.
        bound: of the prediction; 1 promises nothing, as for drawn passes.

    Raises:
        UserError: another shape or dtype.

    Source: decomposition of Depeweg et al., arXiv 1710.07283.
    """
    logits = np.asarray(logits)
    if logits.ndim < 3 or 0 in logits.shape[1:]:
        raise UserError(f"logits: shape must be (N, T, K), not {logits.shape}; give every pass")
    if logits.dtype.kind not in "iu":
        raise UserError(f"logits: must be integers, not {logits.dtype}; give those of a back end")
    return _summary(logits.astype(np.int64), logit_frac_bits, weights, bound)


def _summary(
    logits: npt.NDArray[np.int64] | Floats, frac_bits: int, weights: Floats | None, bound: float
) -> Prediction:
    images, passes = logits.shape[:2]
    leaves = logits.reshape(images * passes, *logits.shape[2:])
    totals = Totals()
    which = np.arange(images * passes).reshape(images, passes)
    totals.add(leaves, which, np.ones(passes) if weights is None else weights, frac_bits)
    return totals.prediction(bound)


def summarise_floats(logits: npt.NDArray[np.floating[Any]]) -> Prediction:
    """:func:`summarise` of equally weighted passes of a network that is not frozen.

    Args:
        logits: (N, T, ..., K) floats in real units, T >= 1, K >= 1; summed in float64.

    Raises:
        UserError: another shape or dtype, or a logit that is infinite or NaN.
    """
    logits = np.asarray(logits)
    if logits.ndim < 3 or 0 in logits.shape[1:]:
        raise UserError(f"logits: shape must be (N, T, K), not {logits.shape}; give every pass")
    if logits.dtype.kind != "f":
        raise UserError(f"logits: must be floats, not {logits.dtype}; summarise takes integers")
    if not np.isfinite(logits).all():
        raise UserError("logits: must be finite; train with a lower learning_rate")
    return _summary(logits.astype(np.float64), 0, None, 1.0)
