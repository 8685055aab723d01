# SPDX-License-Identifier: Apache-2.0
"""The scores of the table again, from what a cell keeps of every image: for resampling."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

__all__ = ["SCORED", "Score", "bin_of"]

Floats = npt.NDArray[np.float64]
BINS = 15
"""Of equal width, of the calibration error."""


@dataclass(frozen=True)
class Score:
    """One column of the table.

    Attributes:
        title: For people.
        larger_is_better: Of the score.
        of: From arrays by image to the score.
        digits: Behind the point, for people.
    """

    title: str
    larger_is_better: bool
    of: Callable[[Mapping[str, Floats]], float]
    digits: int = 3


def _nll(arrays: Mapping[str, Floats]) -> float:
    return float(-np.log(np.maximum(arrays["truth"], np.finfo(np.float32).tiny)).mean())


def bin_of(confidence: Floats) -> npt.NDArray[np.int64]:
    """(N,) bin of each confidence, open below and closed above, as the metrics have them."""
    edges = np.linspace(0.0, 1.0, BINS + 1)[1:]
    return np.minimum(np.searchsorted(edges, confidence, side="left"), BINS - 1)


def _ece(arrays: Mapping[str, Floats]) -> float:
    """As :func:`scaledrop.metrics.expected_calibration_error`."""
    at = bin_of(arrays["confidence"])
    gaps = np.bincount(at, weights=arrays["right"] - arrays["confidence"], minlength=BINS)
    return float(np.abs(gaps).sum() / len(at))


def _aurc(arrays: Mapping[str, Floats]) -> float:
    """As :func:`scaledrop.metrics.risk_coverage`, equal entropies in the mean over their orders."""
    order = np.argsort(arrays["entropy"], kind="stable")
    scores, wrong = arrays["entropy"][order], 1 - arrays["right"][order]
    starts = np.flatnonzero(np.r_[True, scores[1:] != scores[:-1]])
    sizes = np.diff(np.r_[starts, len(scores)])
    errors = np.add.reduceat(wrong, starts)
    before, accepted = np.cumsum(errors) - errors, np.arange(1, len(scores) + 1)
    inside = accepted - np.repeat(starts, sizes)
    found = np.repeat(before, sizes) + inside * np.repeat(errors / sizes, sizes)
    return float((found / accepted).mean())


def _auroc(name: str) -> Callable[[Mapping[str, Floats]], float]:
    """P(out > in) + P(out = in) / 2, by ranks (Mann-Whitney)."""

    def of(arrays: Mapping[str, Floats]) -> float:
        inside, outside = arrays["entropy"], arrays[name]
        ranks = rankdata(np.concatenate([inside, outside]))[len(inside) :]
        least = len(outside) * (len(outside) + 1) / 2
        return float((ranks.sum() - least) / (len(inside) * len(outside)))

    return of


SCORED: Mapping[str, Score] = MappingProxyType(
    {
        "accuracy": Score("accuracy", True, lambda arrays: float(arrays["right"].mean())),
        "nll": Score("NLL", False, _nll),
        "brier": Score("Brier", False, lambda arrays: float(arrays["brier"].mean())),
        "ece": Score("ECE", False, _ece),
        "auroc_1": Score("AUROC 1", True, _auroc("foreign_1")),
        "auroc_2": Score("AUROC 2", True, _auroc("foreign_2")),
        "aurc": Score("AURC", False, _aurc, 4),
    }
)
