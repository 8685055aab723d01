# SPDX-License-Identifier: Apache-2.0
"""The twin without randomness."""

from __future__ import annotations

import dataclasses

from scaledrop.data import ImageSet
from scaledrop.graph import Layer
from scaledrop.methods.contract import Method, Model, Needs, Setting
from scaledrop.methods.memory import memory_bits
from scaledrop.methods.model import NetModel, fit_net
from scaledrop.methods.net import Site
from scaledrop.training import TrainConfig

__all__ = ["DETERMINISTIC", "deterministic_site"]


def deterministic_site(layer: Layer, shape: tuple[int, ...], index: int) -> Site:
    """Nothing is drawn."""
    return Site(layer, shape)


def _fit(config: TrainConfig, data: ImageSet, value: float, device: str) -> Model:
    run = dataclasses.replace(config, label_smoothing=value)
    net = fit_net(run, data, deterministic_site, device)
    needs = Needs(0, None, False, memory_bits(config.network), passes=1)
    return NetModel(net, config.network, needs, threads=config.threads)


DETERMINISTIC = Method(
    "deterministic",
    "Deterministic",
    "the twin of all others: the same network, nothing drawn; label smoothing of Szegedy et al. "
    "2016 (arXiv 1512.00567), from memory",
    Setting("label smoothing epsilon", (0.0, 0.05, 0.1)),
    _fit,
)
"""One pass; its uncertainty is the entropy of one softmax. What is tuned is label smoothing, the
share of a target that is spread over all classes: it acts on confidence, as dropout does, and
costs nothing. Weight decay of latent weights, whose signs alone are used, would not."""
