# SPDX-License-Identifier: Apache-2.0
"""How well a score tells unknown inputs from known ones; always both kinds, mixed.

An unknown input (out-of-distribution) is the positive class everywhere but in ``aupr_in``; a larger
score means more foreign. Default score: the entropy of the mean prediction. Scores may have any
shape and scale; only their order counts, and equal scores are taken together, so that the order of
the inputs does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torchmetrics.functional.classification import (
    binary_auroc,
    binary_average_precision,
    binary_roc,
)

from scaledrop.errors import UserError
from scaledrop.metrics.checks import Floats, finite

__all__ = ["OodScores", "auroc", "ood_scores", "roc_curve"]

_MOST = 2**24
"""torchmetrics counts in float32, exact up to here."""


@dataclass(frozen=True)
class OodScores:
    """All between 0 and 1.

    Attributes:
        auroc: ``P(out > in) + P(out = in) / 2``; 0.5 is chance, 1 is best.
        aupr_out: average precision with unknown as the positive class; chance is
            ``unknown / (known + unknown)``, 1 is best.
        aupr_in: average precision with known as the positive class and the score negated; chance
            is ``known / (known + unknown)``, 1 is best.
        fpr95: share of the known inputs flagged at the highest threshold that flags at least 95 %
            of the unknown ones (positive: unknown); 0 is best.
        known: N, how many known inputs.
        unknown: M, how many unknown inputs. AUPR depends on the mix: quote it with N and M.
    """

    auroc: float
    aupr_out: float
    aupr_in: float
    fpr95: float
    known: int
    unknown: int


def _mixed(in_scores: Floats, out_scores: Floats) -> tuple[Tensor, Tensor]:
    """Ranks in [0, 1] and whether unknown; ranks keep the order, ties included.

    torchmetrics passes anything outside [0, 1] through a float32 sigmoid, which would merge scores.
    """
    inside, outside = finite("in_scores", in_scores), finite("out_scores", out_scores)
    if len(inside) + len(outside) > _MOST:
        raise UserError(
            f"in_scores, out_scores: {len(inside) + len(outside)} are more than {_MOST}; "
            "draw a sample of the pixels"
        )
    _, ranks = np.unique(np.concatenate([inside, outside]), return_inverse=True)
    unknown = np.repeat([0, 1], [len(inside), len(outside)])
    return torch.from_numpy(ranks / max(ranks.max(), 1)), torch.from_numpy(unknown)


def auroc(in_scores: Floats, out_scores: Floats) -> float:
    """``P(out > in) + P(out = in) / 2``: out-of-distribution is the positive class.

    Args:
        in_scores: (N,) scores of images of the training distribution, such as the entropy.
        out_scores: (M,) scores of foreign images; larger means more foreign.

    Raises:
        UserError: no scores, not finite, or more than 2**24 together.
    """
    return float(binary_auroc(*_mixed(in_scores, out_scores)))


def roc_curve(in_scores: Floats, out_scores: Floats) -> tuple[Floats, Floats]:
    """False and true positive rate at every threshold, from (0, 0) to (1, 1), for a picture.

    Arguments and errors as :func:`auroc`; unknown is the positive class.
    """
    false, true, _ = binary_roc(*_mixed(in_scores, out_scores))
    return false.double().numpy(), true.double().numpy()


def _fpr(in_scores: Floats, out_scores: Floats, percent: int) -> float:
    """Counted in integers: the 95 % of a float32 rate may miss the threshold that gives it."""
    outside: npt.NDArray[np.float64] = np.sort(out_scores)
    wanted = -(-percent * len(outside) // 100)
    return float((in_scores >= outside[len(outside) - wanted]).mean())


def ood_scores(in_scores: Floats, out_scores: Floats) -> OodScores:
    """All scores of one pair of data sets.

    Args:
        in_scores: (N,) or any shape, float: known inputs.
        out_scores: (M,) or any shape, float: unknown inputs.

    Raises:
        UserError: no scores, not finite, or more than 2**24 together.

    Source: Hendrycks & Gimpel, arXiv 1610.02136 (AUROC, AUPR); FPR at 95 % TPR as in Liang et al.,
    arXiv 1706.02690, which takes known as the positive class: do not compare without turning round.
    """
    ranks, unknown = _mixed(in_scores, out_scores)
    inside, outside = np.ravel(in_scores), np.ravel(out_scores)
    return OodScores(
        auroc=float(binary_auroc(ranks, unknown)),
        aupr_out=float(binary_average_precision(ranks, unknown)),
        aupr_in=float(binary_average_precision(1.0 - ranks, 1 - unknown)),
        fpr95=_fpr(inside, outside, 95),
        known=len(inside),
        unknown=len(outside),
    )
