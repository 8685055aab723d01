# SPDX-License-Identifier: Apache-2.0
"""Evaluate a frozen network on the integer model."""

from __future__ import annotations

from typing import Any

from scaledrop.engine import infer
from scaledrop.frozen import FrozenNetwork
from scaledrop.frozen_file import digest
from scaledrop.metrics import accuracy, brier, expected_calibration_error, negative_log_likelihood
from scaledrop.prediction import summarise
from scaledrop_cosim.contract import Workload
from scaledrop_flow.data import LabelledImages

__all__ = ["evaluate"]


def evaluate(
    network: FrozenNetwork, images: LabelledImages, passes: int, seed: int
) -> dict[str, Any]:
    """Metrics of the mean prediction over ``passes`` passes."""
    workload = Workload(network, images.pixels, passes, seed)
    record = infer(network, workload.images, workload.masks)
    prediction = summarise(record.logits, network.logit_frac_bits)
    return {
        "model_sha256": digest(network),
        "data": images.name,
        "images": record.images,
        "passes": passes,
        "seed": seed,
        "accuracy": accuracy(prediction.mean, images.labels),
        "nll": negative_log_likelihood(prediction.mean, images.labels),
        "brier": brier(prediction.mean, images.labels),
        "ece": expected_calibration_error(prediction.mean, images.labels),
        "entropy": float(prediction.entropy.mean()),
        "mutual_information": float(prediction.mutual_information.mean()),
    }
