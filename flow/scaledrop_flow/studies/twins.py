# SPDX-License-Identifier: Apache-2.0
"""A network and its deterministic twin, several seeds, on their whole test set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from scaledrop.data import load_set
from scaledrop.freezing import freeze
from scaledrop.metrics import (
    accuracy,
    brier,
    expected_calibration_error,
    negative_log_likelihood,
)
from scaledrop.nn import scale_spread
from scaledrop.predict import predict
from scaledrop.sampling import Exact
from scaledrop.training import deterministic, named_config
from scaledrop_flow.steps.train import trained

__all__ = ["SEEDS", "twin_study"]

NAME = "lenet5-mnist"
SEEDS = (0, 1, 2)


def twin_study(
    data: Path | None, cache: Path, progress: Callable[[str], None]
) -> Iterator[dict[str, Any]]:
    """LeNet-5 on MNIST: one row for each seed and twin; the exact marginal over all masks on every
    test image."""
    images = load_set(named_config(NAME).data, data)
    for seed in SEEDS:
        base = named_config(NAME, seed)
        for config in (base, deterministic(base)):
            progress(f"{config.network.name}, seed {seed}")
            net = trained(config, cache, data=data).net
            found = predict(freeze(net, {}), images.test_images, Exact())
            labels = images.test_labels
            yield {
                "network": config.network.name,
                "seed": seed,
                "accuracy": accuracy(found.mean, labels),
                "nll": negative_log_likelihood(found.mean, labels),
                "brier": brier(found.mean, labels),
                "ece": expected_calibration_error(found.mean, labels),
                "entropy": float(found.entropy.mean()),
                "mutual_information": float(found.mutual_information.mean()),
                **{f"scale_std_{one.layer}": one.std for one in scale_spread(net)},
                "config_sha256": config.config_hash(),
            }
