# SPDX-License-Identifier: Apache-2.0
"""Named configurations, and others made from one."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from scaledrop.data import ImageSet
from scaledrop.errors import UserError
from scaledrop.nn.config import NetworkConfig
from scaledrop.training.config import TrainConfig

__all__ = [
    "CONFIGS",
    "common_p",
    "config_for",
    "deterministic",
    "named_config",
    "with_network",
]


def _run(name: str, shape: tuple[int, ...], classes: int, data: str, **choices: Any) -> TrainConfig:
    """A run of the topology that the name begins with."""
    topology = name.removesuffix(f"-{data}").replace("-", "_")
    network = NetworkConfig(name, shape, classes, topology)
    return TrainConfig(network, data, **{"weight_decay": 0.0, **choices})


CIFAR = ((3, 32, 32), 10, "cifar10")
CIFAR_CHOICES: dict[str, Any] = {
    "epochs": 150,
    "batch_size": 100,
    "learning_rate": 0.003,
    "augment": "flip-crop",
}
MNIST_CHOICES: dict[str, Any] = {"epochs": 80, "batch_size": 128, "learning_rate": 0.01}

CONFIGS: Mapping[str, TrainConfig] = MappingProxyType(
    {
        "digits": TrainConfig(NetworkConfig("digits", (8, 8), 10, widths=(128, 128))),
        "lenet5-mnist": _run("lenet5-mnist", (28, 28), 10, "mnist", **MNIST_CHOICES),
        "lenet5-fashion-mnist": _run(
            "lenet5-fashion-mnist", (28, 28), 10, "fashion-mnist", **MNIST_CHOICES
        ),
        "lenet5-breastmnist": _run(
            "lenet5-breastmnist", (28, 28), 2, "breastmnist", epochs=100, augment="shift"
        ),
        "lenet5-pneumoniamnist": _run(
            "lenet5-pneumoniamnist", (28, 28), 2, "pneumoniamnist", epochs=40, augment="shift"
        ),
        "vgg-small-cifar10": _run("vgg-small-cifar10", *CIFAR, **CIFAR_CHOICES),
        "resnet18-cifar10": _run("resnet18-cifar10", *CIFAR, **CIFAR_CHOICES),
        "resnet20-cifar10": _run("resnet20-cifar10", *CIFAR, **CIFAR_CHOICES),
        "unet-isbi2012": _run(
            "unet-isbi2012", (128, 128), 2, "isbi2012", epochs=60, batch_size=8, tile=128
        ),
    }
)
"""Named configurations, shared by the command line, the tests and the documentation."""


def named_config(name: str, seed: int = 0) -> TrainConfig:
    """A configuration of :data:`CONFIGS` with another seed.

    Raises:
        UserError: the name is unknown, or the seed negative.
    """
    if name not in CONFIGS:
        close = difflib.get_close_matches(name, CONFIGS, 1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise UserError(f"config: {name!r} is not known; choose one of {', '.join(CONFIGS)}{hint}")
    return dataclasses.replace(CONFIGS[name], seed=seed)


def common_p(network: NetworkConfig) -> Any:
    """The probability of every layer if there is one for all, else that of a new network."""
    found = set(network.layer_p)
    return found.pop() if len(found) == 1 else NetworkConfig.p


def with_network(config: TrainConfig, **changes: Any) -> TrainConfig:
    """The configuration with other fields of its network.

    A probability that is the same for every layer stays so when the number of layers changes, and
    another topology has its default widths, unless ``changes`` says otherwise.

    Raises:
        UserError: a field out of range, or probabilities that differ by layer and no longer fit.
    """
    network = config.network
    if changes.get("topology", network.topology) != network.topology:
        changes = {"widths": (), **changes}
    if len(set(network.layer_p)) == 1:
        changes = {"p": network.layer_p[0], **changes}
    return dataclasses.replace(config, network=dataclasses.replace(network, **changes))


def deterministic(config: TrainConfig) -> TrainConfig:
    """The twin without dropout: the same run with p = 0 in every layer, "-twin" after its name.

    A twin is its own twin.
    """
    name = config.network.name
    if name.endswith("-twin") and not any(config.network.layer_p):
        return config
    return with_network(config, p=0.0, name=f"{name}-twin")


def config_for(config: TrainConfig, images: ImageSet) -> TrainConfig:
    """The configuration for a user's own images: their shape, classes and name.

    The name of the network changes with that of its data: "lenet5-mnist" for the images "leaves"
    is "lenet5-leaves". With ``tile`` the network keeps taking crops of that side.

    Args:
        config: what the rest is taken from.
        images: what will be trained on.

    Raises:
        UserError: the topology does not take images of this shape.
    """
    shape = (*images.shape[:-2], config.tile, config.tile) if config.tile else images.shape
    own = re.sub(r"[^A-Za-z0-9_-]+", "-", images.name).strip("-") or "own"
    name = config.network.name.replace(config.data, own, 1)[:64]
    changed = with_network(config, name=name, input_shape=shape, classes=images.classes)
    return dataclasses.replace(changed, data=images.name)
