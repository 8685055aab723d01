# SPDX-License-Identifier: Apache-2.0
"""What makes the stochastic scale worth having: start, spread, probability, mask, pull.

Digits, the default perceptron, the exact marginal over all masks on the 360 held-out images. The
foreign images are the held-out images turned by 30 to 180 degrees; each angle is told apart from
the upright ones by the entropy and by the mutual information, and the AUROC is the mean over the
angles.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from scaledrop.data import ImageSet, load_digits, rotate
from scaledrop.freezing import freeze
from scaledrop.metrics import (
    accuracy,
    auroc,
    expected_calibration_error,
    negative_log_likelihood,
)
from scaledrop.nn import scale_spread
from scaledrop.predict import predict
from scaledrop.sampling import Exact
from scaledrop.training import TrainConfig, named_config
from scaledrop_flow.steps.train import trained

__all__ = ["ANGLES", "SEEDS", "VARIANTS", "scale_study", "variant_config"]

SEEDS = (0, 1, 2)
ANGLES = (30, 60, 90, 120, 150, 180)

Changes = dict[str, Any]
VARIANTS: Mapping[str, tuple[Changes, Changes]] = {
    "default": ({}, {}),
    "no dropout": ({"p": 0.0}, {}),
    "scales from one": ({"init": "ones"}, {}),
    "scales from mean |W|": ({"init": "mean", "normalise": True}, {}),
    "spread 0.3, p = 0.1": ({"init_spread": 0.3, "p": 0.1}, {}),
    "spread 0.6, p = 0.1": ({"init_spread": 0.6, "p": 0.1}, {}),
    "mask per batch": ({"mask": "batch"}, {}),
    "p = 0.3": ({"p": 0.3}, {}),
    "p adaptive": ({"p": "adaptive"}, {}),
    "no pull": ({}, {"scale_pull": 0.0}),
    "normalised weights": ({"normalise": True}, {}),
    "Bi-Real estimator": ({"ste": "bireal"}, {}),
}
"""Changes of the network's and of the run's configuration, from the default of the digits."""


def variant_config(name: str, seed: int) -> TrainConfig:
    """The configuration of a variant of :data:`VARIANTS`."""
    network, run = VARIANTS[name]
    base = named_config("digits", seed)
    return dataclasses.replace(base, network=dataclasses.replace(base.network, **network), **run)


def _row(name: str, config: TrainConfig, data: ImageSet, cache: Path) -> dict[str, Any]:
    net = trained(config, cache).net
    network = freeze(net, {})
    known = predict(network, data.test_images, Exact())
    turned = [predict(network, rotate(data.test_images, angle), Exact()) for angle in ANGLES]
    scores = {
        f"auroc_{score}": float(
            np.mean([auroc(getattr(known, score), getattr(one, score)) for one in turned])
        )
        for score in ("entropy", "mutual_information")
    }
    spread = {f"scale_std_{one.layer}": one.std for one in scale_spread(net)}
    return {
        "variant": name,
        "seed": config.seed,
        "accuracy": accuracy(known.mean, data.test_labels),
        "nll": negative_log_likelihood(known.mean, data.test_labels),
        "ece": expected_calibration_error(known.mean, data.test_labels),
        **scores,
        "entropy": float(known.entropy.mean()),
        "mutual_information": float(known.mutual_information.mean()),
        "mutual_information_turned": float(
            np.mean([one.mutual_information.mean() for one in turned])
        ),
        "variance": float(known.variance.sum(axis=-1).mean()),
        "variance_turned": float(np.mean([one.variance.sum(axis=-1).mean() for one in turned])),
        **spread,
        "config_sha256": config.config_hash(),
    }


def scale_study(
    data: Path | None, cache: Path, progress: Callable[[str], None]
) -> Iterator[dict[str, Any]]:
    """One row for each variant and seed; networks trained before are taken from ``cache``."""
    digits = load_digits()
    for name in VARIANTS:
        for seed in SEEDS:
            progress(f"{name}, seed {seed}")
            yield _row(name, variant_config(name, seed), digits, cache)
