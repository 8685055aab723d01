# SPDX-License-Identifier: Apache-2.0
"""What a network says under each of its masks: a run is then only which masks it drew how often.

A network of L layers has M = 2**L masks; its logits are worked out once for all images and masks,
and every device and seed merely weighs them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import entr

from scaledrop.device.chain import Bits
from scaledrop.fast_engine import FastEngine
from scaledrop.frozen import FrozenNetwork
from scaledrop.metrics import (
    accuracy,
    auroc,
    expected_calibration_error,
    negative_log_likelihood,
)
from scaledrop.numbers import DROP_BITS
from scaledrop.prediction import softmax
from scaledrop_flow.studies.exactness import every_mask

__all__ = ["MaskTable", "mask_shares", "mask_table"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MaskTable:
    """Predictions of N images, the known ones first, under M masks.

    Attributes:
        probabilities: (N, M, K) softmax; masks in the order of :func:`every_mask`.
        labels: (known,) of the known images; the rest of the N are foreign.
        exact: (M,) probability of each mask, as programmed.
        drop_codes: Programmed drop code of each layer.
    """

    probabilities: Floats
    labels: npt.NDArray[np.int64]
    exact: Floats
    drop_codes: tuple[int, ...]

    @property
    def images(self) -> int:
        return len(self.probabilities)

    def mean(self, shares: Floats) -> Floats:
        """(N, K) mean of the softmax over passes, from shares (N or 1, M) of the masks."""
        return np.asarray(np.einsum("nmk,nm->nk", self.probabilities, self._wide(shares)))

    def _wide(self, shares: Floats) -> Floats:
        return np.broadcast_to(shares, self.probabilities.shape[:2])

    def scores(self, shares: Floats) -> dict[str, float]:
        """Scores of a run.

        Args:
            shares: (N, M), part of an image's passes that drew each mask; or (1, M) for all.

        Returns:
            ``drops``: share of the bits that dropped. ``accuracy``, ``nll`` (nats), ``ece`` (15
            bins), ``entropy``, ``mutual_information`` (nats): of the known images;
            ``mutual_information_foreign`` of the others. ``auroc_entropy``,
            ``auroc_mutual_information``: foreign from known. ``difference``,
            ``difference_foreign``: distance of the mean prediction to the exact marginal, mean over
            images and classes. ``difference_pooled``: that of the known images with the shares of
            the whole run in the place of each image's: what more passes would not mend.
        """
        known = len(self.labels)
        mean = self.mean(shares)
        entropy = entr(mean).sum(axis=-1)
        inner = (entr(self.probabilities).sum(axis=-1) * self._wide(shares)).sum(axis=-1)
        information = np.maximum(entropy - inner, 0.0)
        kept = self._wide(shares).mean(axis=0) @ every_mask(len(self.drop_codes))
        distance = np.abs(mean - self.mean(self.exact[None]))
        return {
            "drops": float(1 - kept.mean()),
            "accuracy": accuracy(mean[:known], self.labels),
            "nll": negative_log_likelihood(mean[:known], self.labels),
            "ece": expected_calibration_error(mean[:known], self.labels),
            "entropy": float(entropy[:known].mean()),
            "mutual_information": float(information[:known].mean()),
            "mutual_information_foreign": float(information[known:].mean()),
            "auroc_entropy": auroc(entropy[:known], entropy[known:]),
            "auroc_mutual_information": auroc(information[:known], information[known:]),
            "difference": float(distance[:known].mean()),
            "difference_foreign": float(distance[known:].mean()),
            "difference_pooled": self._pooled(shares),
        }

    def _pooled(self, shares: Floats) -> float:
        same = self.mean(shares.mean(axis=0, keepdims=True)) - self.mean(self.exact[None])
        return float(np.abs(same[: len(self.labels)]).mean())


def mask_table(
    network: FrozenNetwork,
    known: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.int64],
    foreign: npt.NDArray[np.uint8],
    engine: FastEngine | None = None,
) -> MaskTable:
    """Every image under every mask.

    Args:
        network: Of few layers.
        known, foreign: (., *shape) pixels.
        labels: Of ``known``.
        engine: Of the network; the exact one when None.
    """
    engine = engine or FastEngine(network)
    pixels = engine.images(np.concatenate([known, foreign]))
    masks = every_mask(len(engine.drop_codes))
    logits = engine.logits(pixels, np.broadcast_to(masks, (len(pixels), *masks.shape)))
    p = np.array(engine.drop_codes) / 2**DROP_BITS
    exact = np.where(masks, 1 - p, p).prod(axis=1)
    return MaskTable(softmax(logits, engine.frac_bits), labels, exact, engine.drop_codes)


def mask_shares(bits: Bits, images: int, layers: int) -> Floats:
    """(N, 2**L) shares of the masks.

    Args:
        bits: (N T L,), True drops; by image, then pass, then layer, as the accelerator draws.
        images, layers: N and L.
    """
    places: Sequence[int] = [1 << at for at in reversed(range(layers))]
    index = (~bits).reshape(images, -1, layers) @ np.array(places)
    rows = np.arange(images)[:, None] << layers
    counts = np.bincount((rows + index).ravel(), minlength=images << layers)
    return np.asarray(counts.reshape(images, -1) / index.shape[1])
