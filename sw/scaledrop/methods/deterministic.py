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

__all__ = ["DETERMINISTIC", "SMOOTHING", "deterministic_site", "fit_deterministic"]

SMOOTHING = Setting("label smoothing epsilon", (0.0, 0.05, 0.1))


def deterministic_site(layer: Layer, shape: tuple[int, ...], index: int) -> Site:
    """Nothing is drawn."""
    return Site(layer, shape)


def fit_deterministic(config: TrainConfig, data: ImageSet, value: float, device: str) -> Model:
    """Train the common network with label smoothing ``value``, 0 to below 1."""
    run = dataclasses.replace(config, label_smoothing=value)
    net = fit_net(run, data, deterministic_site, device)
    needs = Needs(0, None, False, memory_bits(config.network), passes=1)
    return NetModel(net, config.network, needs, threads=config.threads)


DETERMINISTIC = Method(
    "deterministic",
    "Deterministic",
    "the twin of all others: the same network, nothing drawn; label smoothing of Szegedy et al. "
    "2016, arXiv 1512.00567, from memory",
    SMOOTHING,
    fit_deterministic,
)
"""One pass; its uncertainty is the entropy of one softmax. What is tuned is label smoothing, the
share of a target that is spread over all classes: like dropout it acts on confidence, and like
none of the others it costs nothing. Weight decay does not act on a network of signs in that way:
it shrinks latent weights, of which hardware keeps the sign alone."""
