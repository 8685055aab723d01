# SPDX-License-Identifier: Apache-2.0
"""Deep ensemble: the deterministic network trained several times."""

from __future__ import annotations

import dataclasses

from scaledrop.data import ImageSet
from scaledrop.methods.contract import Method, Model
from scaledrop.methods.deterministic import DETERMINISTIC
from scaledrop.methods.ensembles import MEMBERS, EnsembleModel, member_seeds
from scaledrop.training import TrainConfig

__all__ = ["DEEP_ENSEMBLE"]


def _fit(config: TrainConfig, data: ImageSet, value: float, device: str) -> Model:
    runs = [dataclasses.replace(config, seed=seed) for seed in member_seeds(config.seed, MEMBERS)]
    return EnsembleModel([DETERMINISTIC.fit(run, data, value, device) for run in runs])


DEEP_ENSEMBLE = Method(
    "deep-ensemble",
    "Deep ensemble",
    "Lakshminarayanan et al. 2017 (arXiv 1612.01474), from memory; without adversarial training",
    DETERMINISTIC.setting,
    _fit,
)
"""M = 5 networks that differ in start, order and augmentation; M times the memory and the training
of one. The setting is that of the deterministic network, which is that of every member."""
