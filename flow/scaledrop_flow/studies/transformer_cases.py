# SPDX-License-Identifier: Apache-2.0
"""What the transformer study trains, on what, and what it measures of one training."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.data import ImageSet, load_digits, load_set, rotate
from scaledrop.data.split import held_out
from scaledrop.methods import prediction_of
from scaledrop.methods.transformer import (
    BinaryTransformer,
    TransformerConfig,
    Treatment,
    fit_transformer,
    transformer_config,
)
from scaledrop.metrics import accuracy, auroc, brier, expected_calibration_error
from scaledrop.metrics import negative_log_likelihood as nll
from scaledrop.nn import NetworkConfig
from scaledrop.prediction import Prediction
from scaledrop.training import TrainConfig

__all__ = ["DIGITS", "FASHION", "TREATMENTS", "Images", "Sizes", "images_of", "measure", "network"]

Pixels = npt.NDArray[np.uint8]

DECAY, WEAK = 1e-3, 1e-4
"""Factors of a decay of scale vectors in the loss."""

TREATMENTS: Mapping[str, Treatment] = MappingProxyType(
    {
        "IWD": Treatment(input_decay=DECAY),
        "IWD, a tenth": Treatment(input_decay=WEAK),
        "IWD towards 1": Treatment(input_decay=DECAY, decay_towards=1.0),
        "decay of output norms": Treatment(output_decay=DECAY),
        "HG": Treatment(branches=True),
        "DP": Treatment(placement="dual"),
        "DNP": Treatment(placement="dual-norm"),
        "OR": Treatment(form="product"),
        "ER": Treatment(form="exponential"),
        "HG + DNP + OR + IWD": Treatment(DECAY, 0.0, 0.0, True, "dual-norm", "product"),
        "spread start": Treatment(start_spread=0.45),
    }
)
"""On top of scale dropout. The spread is that of the product's own networks."""


@dataclass(frozen=True)
class Sizes:
    """How large a form of the study is.

    Attributes:
        data: "fashion-mnist" or "digits".
        train, valid, test: images, stratified by class, the same for all seeds.
        unknown: images of each unknown set, 1 or more.
        epochs: of a training.
        passes: T of the random networks.
    """

    data: str
    train: int
    valid: int
    test: int
    unknown: int
    epochs: int
    passes: int

    def run(self, seed: int) -> TrainConfig:
        """The same for every case; nothing pulls scale vectors to 1 but what a case says."""
        side = 28 if self.data == "fashion-mnist" else 8
        return TrainConfig(
            # Only shape and classes of this network are used.
            NetworkConfig("images", (side, side), 10, widths=()),
            data=self.data,
            epochs=self.epochs,
            batch_size=64,
            learning_rate=0.01,
            scale_pull=0.0,
            calibrate_passes=0,
            seed=seed,
        )


FASHION = Sizes("fashion-mnist", 10_000, 1_000, 2_000, 1_000, 6, 20)
DIGITS = Sizes("digits", 192, 40, 60, 40, 1, 2)


@dataclass(frozen=True, eq=False)
class Images:
    """Known images in three parts, and unknown ones by name."""

    known: ImageSet
    unknown: Mapping[str, Pixels]


def _some(labels: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.bool_]:
    return held_out(labels, min(count, len(labels)), 0)


def images_of(sizes: Sizes, root: Path | None = None) -> Images:
    """Of Fashion-MNIST, MNIST and notMNIST are unknown; of the digits, the same turned.

    Raises:
        UserError: a set is not at hand.
    """
    digits = sizes.data == "digits"
    whole = load_digits() if digits else load_set(sizes.data, root)
    chosen = _some(whole.train_labels, sizes.train + sizes.valid)
    images, labels = whole.train_images[chosen], whole.train_labels[chosen]
    valid, test = _some(labels, sizes.valid), _some(whole.test_labels, sizes.test)
    known = dataclasses.replace(
        whole,
        train_images=images[~valid],
        train_labels=labels[~valid],
        valid_images=images[valid],
        valid_labels=labels[valid],
        test_images=whole.test_images[test],
        test_labels=whole.test_labels[test],
    )
    if digits:
        turned = {f"turned{a}": rotate(known.test_images, a)[: sizes.unknown] for a in (90, 45)}
        return Images(known, turned)
    found = {name: load_set(name, root) for name in ("mnist", "notmnist")}
    return Images(
        known,
        {name: s.test_images[_some(s.test_labels, sizes.unknown)] for name, s in found.items()},
    )


def network(
    run: TrainConfig, randomness: str, value: float, treatment: Treatment | None = None
) -> tuple[TrainConfig, TransformerConfig]:
    """Run and network of a case; ``value`` is that of the method's setting."""
    if randomness == "none":
        run, value = dataclasses.replace(run, label_smoothing=value), 0.0
    return run, transformer_config(run, randomness, value, treatment)


def _quality(found: Prediction, labels: npt.NDArray[np.int64]) -> dict[str, float]:
    return {
        "accuracy": accuracy(found.mean, labels),
        "nll": nll(found.mean, labels),
        "brier": brier(found.mean, labels),
        "ece": expected_calibration_error(found.mean, labels),
        "entropy": float(found.entropy.mean()),
        "mutual_information": float(found.mutual_information.mean()),
    }


def measure(
    run: TrainConfig, transformer: TransformerConfig, sizes: Sizes, root: Path | None, device: str
) -> dict[str, Any]:
    """Train one network and score it: plain JSON values.

    Validation and test part and unknown sets are scored alike; ``valid_nll`` is what a choice of
    the setting may look at.
    """
    images = images_of(sizes, root)
    known, passes = images.known, sizes.passes
    assert known.valid_images is not None and known.valid_labels is not None
    # Looking at the validation part after every epoch would take as long as half of the training.
    seen = dataclasses.replace(known, valid_images=None, valid_labels=None)
    model = fit_transformer(run, seen, transformer, device)
    valid = prediction_of(model, known.valid_images, passes, run.seed)
    test = prediction_of(model, known.test_images, passes, run.seed)
    row: dict[str, Any] = {"valid_nll": nll(valid.mean, known.valid_labels)}
    row |= _quality(test, known.test_labels)
    for name, pixels in images.unknown.items():
        found = prediction_of(model, pixels, passes, run.seed)
        for score in ("entropy", "mutual_information"):
            row[f"auroc_{score}_{name}"] = auroc(getattr(test, score), getattr(found, score))
    needs, net = model.needs, model.net
    assert isinstance(net, BinaryTransformer)
    for role, gammas in net.scale_vectors().items():
        row |= {
            f"gamma_mean_{role}": float(gammas.mean()),
            f"gamma_std_{role}": float(gammas.std()),
        }
    return {
        **row,
        "passes": passes if needs.numbers_per_pass else 1,
        "bits_per_pass": needs.numbers_per_pass,
        "memory_bits": needs.memory_bits,
    }
