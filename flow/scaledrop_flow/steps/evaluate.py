# SPDX-License-Identifier: Apache-2.0
"""Evaluate a frozen network on the integer engine: how good, how sure, how far to be trusted."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from scaledrop.errors import UserError
from scaledrop.frozen import FrozenNetwork
from scaledrop.frozen_file import digest
from scaledrop.metrics import (
    accuracy,
    adaptive_calibration_error,
    brier,
    expected_calibration_error,
    negative_log_likelihood,
    ood_scores,
    reliability_curve,
    risk_coverage,
    segmentation_scores,
)
from scaledrop.predict import predict
from scaledrop.prediction import Prediction
from scaledrop.sampling import Exact, Passes, Probable, Sampling
from scaledrop_flow.data import LabelledImages
from scaledrop_flow.report.evaluation import (
    entropy_split_picture,
    ood_picture,
    reliability_picture,
    risk_coverage_picture,
    segmentation_picture,
)

__all__ = ["METHODS", "Evaluation", "evaluate", "sampling_of"]

METHODS = ("passes", "exact", "probable")
SHOWN = 4
"""Images in the picture of a segmentation."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Numbers as JSON values, and pictures by file name without its ending."""

    report: dict[str, Any]
    pictures: Mapping[str, Figure]


def sampling_of(method: str, passes: int, seed: int, mass: float) -> Sampling:
    """Which masks are averaged over.

    Raises:
        UserError: an unknown method.
    """
    if method == "passes":
        return Passes(passes, seed)
    if method == "exact":
        return Exact()
    if method == "probable":
        return Probable(mass=mass)
    raise UserError(f"method: {method!r} is not known; choose one of {', '.join(METHODS)}")


def evaluate(
    network: FrozenNetwork,
    images: LabelledImages,
    sampling: Sampling,
    unknown: LabelledImages | None = None,
) -> Evaluation:
    """Metrics of the mean prediction; against ``unknown`` images, how well the two are told apart.

    Raises:
        UserError: a sampling that the network does not allow.
    """
    prediction = predict(network, images.pixels, sampling)
    report: dict[str, Any] = {
        "model_sha256": digest(network),
        "data": images.name,
        "images": len(images.pixels),
        "sampling": {"method": type(sampling).__name__.lower(), **_plain(sampling)},
        "bound": prediction.bound,
        **_scores(prediction, images.labels),
    }
    groups = _groups(prediction, images.labels)
    pictures = {
        "reliability": reliability_picture(reliability_curve(prediction.mean, images.labels)),
        "risk-coverage": risk_coverage_picture(_selective(prediction, images.labels)),
    }
    if network.positions:
        report["segmentation"] = _segmentation(prediction, images.labels, network.classes)
        pictures["maps"] = _maps(network, images, prediction)
    if unknown is not None:
        foreign = predict(network, unknown.pixels, sampling)
        report["unknown"] = {"data": unknown.name, **_ood(prediction, foreign)}
        limit = float(np.log(network.classes))
        pictures["unknown"] = ood_picture(
            prediction.entropy.ravel(), foreign.entropy.ravel(), limit
        )
        groups["unknown"] = (foreign.expected_entropy.ravel(), foreign.mutual_information.ravel())
    pictures["entropy"] = entropy_split_picture(groups)
    return Evaluation(report, pictures)


def _plain(sampling: Sampling) -> dict[str, Any]:
    values = dataclasses.asdict(sampling)
    values.pop("shared", None)
    return values


def _scores(prediction: Prediction, labels: npt.NDArray[np.int64]) -> dict[str, float]:
    curve = _selective(prediction, labels)
    return {
        "accuracy": accuracy(prediction.mean, labels),
        "nll": negative_log_likelihood(prediction.mean, labels),
        "brier": brier(prediction.mean, labels),
        "ece": expected_calibration_error(prediction.mean, labels),
        "adaptive_ece": adaptive_calibration_error(prediction.mean, labels),
        "aurc": curve.aurc,
        "e_aurc": curve.e_aurc,
        "entropy": float(prediction.entropy.mean()),
        "expected_entropy": float(prediction.expected_entropy.mean()),
        "mutual_information": float(prediction.mutual_information.mean()),
        "variance": float(prediction.variance.sum(axis=-1).mean()),
    }


def _selective(prediction: Prediction, labels: npt.NDArray[np.int64]) -> Any:
    wrong = (prediction.predicted != labels).ravel()
    return risk_coverage(prediction.entropy.ravel(), wrong)


def _groups(
    prediction: Prediction, labels: npt.NDArray[np.int64]
) -> dict[str, tuple[Floats, Floats]]:
    right = prediction.predicted == labels
    groups = {}
    for name, rows in (("right", right), ("wrong", ~right)):
        if rows.any():
            groups[name] = (prediction.expected_entropy[rows], prediction.mutual_information[rows])
    return groups


def _ood(known: Prediction, unknown: Prediction) -> dict[str, Any]:
    """By three scores, each larger for what is more foreign."""
    return {
        "entropy": dataclasses.asdict(ood_scores(known.entropy, unknown.entropy)),
        "mutual_information": dataclasses.asdict(
            ood_scores(known.mutual_information, unknown.mutual_information)
        ),
        "one_minus_max": dataclasses.asdict(
            ood_scores(1 - known.mean.max(axis=-1), 1 - unknown.mean.max(axis=-1))
        ),
    }


def _segmentation(
    prediction: Prediction, labels: npt.NDArray[np.int64], classes: int
) -> dict[str, Any]:
    scores = segmentation_scores(prediction.predicted, labels, classes)
    return {
        "mean_iou": scores.mean_iou,
        "mean_dice": scores.mean_dice,
        "pixel_accuracy": scores.pixel_accuracy,
        "iou": scores.iou.tolist(),
        "dice": scores.dice.tolist(),
    }


def _maps(network: FrozenNetwork, images: LabelledImages, prediction: Prediction) -> Figure:
    shape = network.graph.values["input"].shape
    pixels = images.pixels[:SHOWN].reshape(-1, *shape)
    shown = pixels[:, 0] if shape[0] == 1 else pixels.transpose(0, 2, 3, 1)
    names = [str(label) for label in range(network.classes)]
    return segmentation_picture(
        shown.astype(np.uint8),
        images.labels[:SHOWN],
        prediction.predicted[:SHOWN],
        prediction.entropy[:SHOWN],
        names,
    )
