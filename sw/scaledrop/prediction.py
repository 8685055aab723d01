# SPDX-License-Identifier: Apache-2.0
"""From the logits of T stochastic passes to a prediction and how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scaledrop.errors import UserError
from scaledrop.numbers import argmax

__all__ = ["Prediction", "predict", "softmax"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Prediction:
    """N images, K classes; natural logarithms, so entropies are in nats.

    Attributes:
        mean: (N, K) mean over the passes of softmax.
        entropy: (N,) ``H(mean)``, 0 to ln K: total uncertainty.
        expected_entropy: (N,) mean over the passes of ``H(softmax)``: the data's share.
        mutual_information: (N,) ``entropy - expected_entropy``, >= 0: the model's share.
        variance: (N, K) variance over the passes of softmax (divided by T).
        votes: (N, K) share of the passes whose largest logit is the class; ties to the lowest.
        predicted: (N,) class of the largest mean; ties to the lowest.
    """

    mean: Floats
    entropy: Floats
    expected_entropy: Floats
    mutual_information: Floats
    variance: Floats
    votes: Floats
    predicted: npt.NDArray[np.int64]


def softmax(logits: npt.NDArray[np.integer], logit_frac_bits: int) -> Floats:
    """Softmax over the last axis of ``logits * 2**-logit_frac_bits``.

    The largest logit is subtracted while they are still integers, so nothing overflows or cancels.
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


def predict(logits: npt.NDArray[np.integer], logit_frac_bits: int) -> Prediction:
    """Average T passes.

    Args:
        logits: (N, T, K) integers, T >= 1, K >= 1.
        logit_frac_bits: their unit is ``2**-logit_frac_bits``.

    Raises:
        UserError: another shape or dtype.

    Source: decomposition of Depeweg et al., arXiv 1710.07283.
    """
    logits = np.asarray(logits)
    if logits.ndim != 3 or 0 in logits.shape[1:]:
        raise UserError(f"logits: shape must be (N, T, K), not {logits.shape}; give every pass")
    if logits.dtype.kind not in "iu":
        raise UserError(f"logits: must be integers, not {logits.dtype}; give those of a back end")
    codes = logits.astype(np.int64)
    passes = softmax(codes, logit_frac_bits)
    mean = passes.mean(axis=1)
    entropy, expected = _entropy(mean), _entropy(passes).mean(axis=1)
    winners = argmax(codes)
    return Prediction(
        mean=mean,
        entropy=entropy,
        expected_entropy=expected,
        # Rounding may leave a hair below zero where the passes agree.
        mutual_information=np.maximum(entropy - expected, 0.0),
        variance=passes.var(axis=1),
        votes=(winners[:, :, None] == np.arange(logits.shape[-1])).mean(axis=1),
        predicted=np.argmax(mean, axis=-1).astype(np.int64),
    )
