# SPDX-License-Identifier: Apache-2.0
"""One method on one set with one seed: trained, asked, scored, priced."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scaledrop.energy import Band, total
from scaledrop.errors import UserError
from scaledrop.methods.contract import Method, Model, Needs
from scaledrop.methods.net import MethodNet
from scaledrop.methods.price import Price, price
from scaledrop.methods.registry import METHODS
from scaledrop.metrics import (
    accuracy,
    auroc,
    brier,
    expected_calibration_error,
    negative_log_likelihood,
    risk_coverage,
)
from scaledrop.prediction import Prediction, summarise_floats
from scaledrop_flow.comparison.bench import bench
from scaledrop_flow.comparison.budgets import BUDGETS, PASSES
from scaledrop_flow.comparison.cells import packed

__all__ = ["PRICED", "STEPS", "known_method", "measure", "price_of", "scores_of", "tune"]

STEPS = (1, 2, 5, 10, 20)
"""Passes after which the likelihood is taken too."""
PRICED = 20
"""Test images that drive the array that is priced, the first ones, as ``scaledrop energy`` does."""

Floats = npt.NDArray[np.float64]


def known_method(key: str) -> Method:
    """The method of that key.

    Raises:
        UserError: there is none.
    """
    if key not in METHODS:
        raise UserError(f"only: {key!r} is no method; choose of {', '.join(METHODS)}")
    return METHODS[key]


def tune(key: str, name: str, value: float, root: Path | None, device: str) -> dict[str, Any]:
    """Train with a value of the setting, seed 0, and score the validation part."""
    ready, run = bench(name, root), BUDGETS[name].run(0)
    data = ready.data
    assert data.valid_images is not None and data.valid_labels is not None
    model = METHODS[key].fit(run, ready.blind, value, device)
    found = summarise_floats(model.logits(data.valid_images, PASSES, run.seed))
    return {
        "nll": negative_log_likelihood(found.mean, data.valid_labels),
        "accuracy": accuracy(found.mean, data.valid_labels),
        "images": len(data.valid_labels),
    }


def measure(
    key: str, name: str, value: float, seed: int, root: Path | None, device: str
) -> dict[str, Any]:
    """Train, and score the test part and both unknown sets.

    Returns:
        ``scores`` and ``nll_by_passes``; ``train_seconds``; ``needs`` and ``price``; and under
        ``images`` what a bootstrap over the images needs, packed: probability of the true class,
        the Brier score, confidence, whether right, entropy of the known; entropies of the unknown.
    """
    ready, run = bench(name, root), BUDGETS[name].run(seed)
    start = time.perf_counter()
    model = METHODS[key].fit(run, ready.blind, value, device)
    seconds = time.perf_counter() - start
    labels = ready.data.test_labels
    logits = model.logits(ready.data.test_images, PASSES, seed)
    known = summarise_floats(logits)
    foreign = {
        what: summarise_floats(model.logits(images, PASSES, seed)).entropy
        for what, images in ready.unknown.items()
    }
    needs = model.needs
    return {
        "scores": scores_of(known, labels, list(foreign.values())),
        "right": int((known.predicted == labels).sum()),
        "nll_by_passes": _by_passes(logits, labels, known),
        "passes": int(logits.shape[1]),
        "train_seconds": round(seconds, 2),
        "needs": {**asdict(needs), "grain": None if needs.grain is None else str(needs.grain)},
        "price": _as_json(price_of(model, ready.data.test_images[:PRICED])),
        "images": {
            **{name: packed(values) for name, values in _images(known, labels).items()},
            **{f"entropy of {what}": packed(values) for what, values in foreign.items()},
        },
    }


def _images(known: Prediction, labels: npt.NDArray[np.int64]) -> dict[str, Floats]:
    truth = known.mean[np.arange(len(labels)), labels]
    rest = np.square(known.mean).sum(axis=1) - 2 * truth + 1
    return {
        "truth": truth,
        "brier": rest,
        "confidence": known.mean.max(axis=1),
        "right": (known.predicted == labels).astype(np.float64),
        "entropy": known.entropy,
    }


def scores_of(
    known: Prediction, labels: npt.NDArray[np.int64], foreign: list[Floats]
) -> dict[str, float]:
    """Scores of the mean prediction; those against unknown images by its entropy."""
    wrong = known.predicted != labels
    return {
        "accuracy": accuracy(known.mean, labels),
        "nll": negative_log_likelihood(known.mean, labels),
        "brier": brier(known.mean, labels),
        "ece": expected_calibration_error(known.mean, labels),
        **{f"auroc_{at}": auroc(known.entropy, one) for at, one in enumerate(foreign, 1)},
        "aurc": risk_coverage(known.entropy, wrong).aurc,
    }


def _by_passes(
    logits: npt.NDArray[np.floating[Any]], labels: npt.NDArray[np.int64], known: Prediction
) -> dict[str, float]:
    """Negative log-likelihood of the mean of the first passes; nothing where there is one pass."""
    passes = logits.shape[1]
    if passes == 1:
        return {}
    found = {}
    for count in sorted({*(step for step in STEPS if step < passes), passes}):
        mean = known.mean if count == passes else summarise_floats(logits[:, :count]).mean
        found[str(count)] = negative_log_likelihood(mean, labels)
    return found


def price_of(model: Model, images: npt.NDArray[np.uint8]) -> Price | None:
    """Of a model on some images; members that differ are priced one by one and added up.

    None of a network that is not a graph of crossbar layers: the product of two activations, which
    attention needs, has no price.
    """
    members = getattr(model, "members", None)
    drives = images.reshape(len(images), -1)
    needs: Needs = model.needs
    if members is None:
        network = getattr(model, "network", None)
        graph = isinstance(getattr(model, "net", None), MethodNet | None)
        return price(network, needs, drives, passes=PASSES) if network and graph else None
    found = [price(one.network, one.needs, drives, passes=PASSES) for one in members]
    return replace(
        found[0],
        joules=total(one.joules for one in found),
        numbers=total(one.numbers for one in found),
        sums=sum(one.sums for one in found),
        seconds=sum(one.seconds for one in found),
        not_priced=(*found[0].not_priced, "area and leakage of the crossbars of the other members"),
    )


def _as_json(found: Price | None) -> Mapping[str, Any] | None:
    if found is None:
        return None

    def band(of: Band) -> dict[str, float]:
        return {"value": of.value, "low": of.low, "high": of.high}

    return {
        "joules": band(found.joules),
        "numbers": band(found.numbers),
        "sums": found.sums,
        "generators": found.generators,
        "seconds": found.seconds,
        "not_priced": list(found.not_priced),
    }
