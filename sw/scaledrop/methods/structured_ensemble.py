# SPDX-License-Identifier: Apache-2.0
"""Structured ensemble: small networks cut out of one that was never trained."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from scaledrop.data import ImageSet
from scaledrop.methods.contract import Method, Model, Needs, Setting
from scaledrop.methods.ensembles import MEMBERS, EnsembleModel, member_seeds
from scaledrop.methods.extract import extract, small_config
from scaledrop.methods.masks import MaskNet, kept_channels, mean_saliency
from scaledrop.methods.memory import memory_bits
from scaledrop.methods.model import NetModel
from scaledrop.methods.net import MethodNet
from scaledrop.nn.seeds import stream
from scaledrop.training import TrainConfig, train
from scaledrop.training.batches import Batches
from scaledrop.training.fit import check_data
from scaledrop.training.process import chosen_device, pinned

__all__ = ["STRUCTURED_ENSEMBLE", "learn_masks", "mask_epochs", "members_of", "saliency_of"]

RATE = 0.001
"""Of Adam, for the masks."""

DIVERSITY = 0.01
"""w, weight of 1 / diversity in the loss of the masks."""

LEAST = 2
"""Channels of a layer that stay in any case. The source keeps one; a crossbar that takes the mean
off its weights has no use for a single input."""

STREAM = 9
"""Of a run's seed: first masks, and the order in which they see the images."""

SMALLEST = 1e-6
"""Of the diversity, where it divides."""


def mask_epochs(config: TrainConfig) -> int:
    """A fifth of the run's epochs: M masks then cost as much as one training of the network."""
    return max(1, config.epochs // MEMBERS)


def learn_masks(net: MaskNet, batches: Batches, epochs: int, random: torch.Generator) -> None:
    """Train the masks, and nothing else, on ``mean cross entropy of the members + w / diversity``.

    Args:
        net: put into training mode; all but its masks is frozen.
        batches: of the training images.
        epochs: 1 or more.
        random: order and augmentation of the images.
    """
    masks = list(net.masks.values())
    net.train().requires_grad_(False)
    for mask in masks:
        mask.requires_grad_()
    optimiser = torch.optim.Adam(masks, lr=RATE)
    for _ in range(epochs):
        for pixels, labels in batches.epoch(random, random):
            optimiser.zero_grad()
            torch.autograd.backward(DIVERSITY / net.diversity().clamp(min=SMALLEST))
            for member in range(net.members):
                net.choose(member)
                task = nn.functional.cross_entropy(net(pixels), labels)
                torch.autograd.backward(task / net.members)
            optimiser.step()


def saliency_of(
    net: MaskNet, member: int, batches: Batches, random: torch.Generator
) -> dict[str, Tensor]:
    """Mean over an epoch's batches of ``|dL / dm|`` with L the cross entropy summed over a batch.

    Returns:
        (C,) of every masked layer, on the CPU.
    """
    net.choose(member)

    def losses() -> Iterator[Tensor]:
        for pixels, labels in batches.epoch(random, random):
            yield nn.functional.cross_entropy(net(pixels), labels, reduction="sum")

    found = mean_saliency(losses(), list(net.masks.values()))
    return {name: value[member].cpu() for name, value in zip(net.masks, found, strict=True)}


def members_of(
    config: TrainConfig, data: ImageSet, quantile: float, device: str = "cpu"
) -> list[MethodNet]:
    """The small networks before they are trained.

    Args:
        config: of the large network.
        data: the training part is used.
        quantile: share of all channels that a member loses.
        device: "cpu", "cuda" or "auto".

    Raises:
        UserError: a network with residual additions, or data that do not fit it.
    """
    check_data(config, data)
    place, random = chosen_device(device), stream(config.seed, STREAM)
    net = MaskNet(config.network, config.seed, MEMBERS, random).to(place)
    batches = Batches(config, data, place)
    with pinned(config.threads):
        learn_masks(net, batches, mask_epochs(config), random)
        salient = [saliency_of(net, member, batches, random) for member in range(MEMBERS)]
    net.cpu()
    members = []
    for index, saliency in enumerate(salient):
        kept = kept_channels(saliency, quantile, least=LEAST)
        name = f"{config.network.name[:56]}-part{index}"
        members.append(extract(net, kept, small_config(config.network, kept, name)))
    return members


def _fit(config: TrainConfig, data: ImageSet, value: float, device: str) -> Model:
    members, seeds = members_of(config, data, value, device), member_seeds(config.seed, MEMBERS)
    models: list[Model] = []
    for member, seed in zip(members, seeds, strict=True):
        models.append(_trained(member, dataclasses.replace(config, seed=seed), data, device))
    return EnsembleModel(models)


def _trained(member: MethodNet, config: TrainConfig, data: ImageSet, device: str) -> Model:
    run = dataclasses.replace(config, network=member.config)
    net = train(run, data, device=device, build=lambda _: member).net
    needs = Needs(0, None, False, memory_bits(member.config), passes=1)
    return NetModel(net, member.config, needs, threads=config.threads)


STRUCTURED_ENSEMBLE = Method(
    "structured-ensemble",
    "Structured ensemble",
    "arXiv 2105.02551, after its authors' code (masks as plain weights, global threshold, weights "
    "kept); masks behind the activation, for BatchNorm would divide them out",
    Setting("quantile q of channels removed", (0.3, 0.55, 0.8)),
    _fit,
)
"""M = 5 small networks, each trained as the large one would be; the masks take as long as one more
training. Of the quantiles 0.8 is the source's 1 - 1/M, 0.55 is 1 - 1/sqrt(M), at which the members
together have about the weights of one network, and 0.3 was among the source's experiments. A member
weighs what its mean of logits weighs in the source; here passes are averaged as probabilities, as
for all methods."""
