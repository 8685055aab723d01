# SPDX-License-Identifier: Apache-2.0
"""Float64 PyTorch against the integer engine, logit by logit, on whole test sets and many masks."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from scaledrop.data import ImageSet, load_set
from scaledrop.fast_engine import FastEngine
from scaledrop.freezing import freeze
from scaledrop.frozen_file import digest
from scaledrop.nn import ScaleDropNet, TorchEvaluator
from scaledrop.sharing import shared_plan
from scaledrop.spin import masks_from_codes, uniform_words
from scaledrop.training import TrainConfig, named_config
from scaledrop_flow.steps.train import trained

__all__ = ["Agreement", "compare", "every_mask", "exactness_study"]

CHUNK, BATCHES, BATCH = 64, 4, 8
MEMORY = 2**29
"""Bytes that the prefixes alive at one time may take."""
DRAWN, SEED = 64, 1


@dataclass(frozen=True)
class Agreement:
    """How many logits were compared with ``==``, and how many differ."""

    images: int
    masks: int
    logits: int
    differing: int


def every_mask(layers: int) -> npt.NDArray[np.uint8]:
    """All 2**L masks, (2**L, L)."""
    return np.array(list(np.ndindex(*[2] * layers)), dtype=np.uint8)


def compare(
    net: ScaleDropNet,
    images: npt.NDArray[Any],
    masks: npt.NDArray[np.uint8],
) -> Agreement:
    """Every image under every mask.

    Args:
        images: (N, *shape) uint8.
        masks: (M, L) bits.
    """
    network = freeze(net, {})
    engine, floats = FastEngine(network), TorchEvaluator(net, torch.float64)
    unit = 2.0**network.logit_frac_bits
    logits = differing = 0
    pixels = engine.images(images)
    alive = max(1, MEMORY // floats.prefix_bytes)
    size = max(1, min(CHUNK, alive // len(masks)))
    for at, first in product(range(0, len(pixels), size), range(0, len(masks), alive)):
        part, some = pixels[at : at + size], masks[first : first + alive]
        plan = shared_plan(np.broadcast_to(some, (len(part), *some.shape)))
        expected = engine.leaf_logits(part, plan)
        found = floats.leaf_logits(part, plan) * unit
        logits += expected.size
        differing += int((found != expected).sum())
    return Agreement(len(pixels), len(masks), logits, differing)


def exactness_study(
    data: Path | None, cache: Path, progress: Callable[[str], None]
) -> Iterator[dict[str, Any]]:
    """LeNet-5: every MNIST test image under every one of the 32 masks. ResNet-20 and U-Net: some
    test images under 64 drawn masks; they are not trained, but their BatchNorm statistics are those
    of real images."""
    config = named_config("lenet5-mnist")
    progress("lenet5-mnist, every test image under every mask")
    net = trained(config, cache, data=data).net
    images = load_set(config.data, data).test_images
    yield _row(config.network.name, net, images, every_mask(len(net.graph.layers)))
    for name, count in (("resnet20-cifar10", 32), ("unet-isbi2012", 4)):
        progress(f"{name}, {count} test images under {DRAWN} masks")
        config = named_config(name)
        found = load_set(config.data, data)
        net = _seen(config, found)
        rows, columns = config.network.input_shape[-2:]
        layers = [block.scale.drop_code for block in net.blocks]
        masks = masks_from_codes(layers, uniform_words(SEED, DRAWN * len(layers)))
        yield _row(name, net, found.test_images[:count, ..., :rows, :columns], masks)


def _seen(config: TrainConfig, images: ImageSet) -> ScaleDropNet:
    """A network as initialised, whose BatchNorm has seen training images."""
    net = ScaleDropNet(config.network, SEED).train()
    rows, columns = config.network.input_shape[-2:]
    pixels = torch.from_numpy(images.train_images[: BATCHES * BATCH, ..., :rows, :columns])
    with torch.no_grad():
        for batch in torch.split(pixels, BATCH):
            net(batch)
    return net.eval()


def _row(
    name: str, net: ScaleDropNet, images: npt.NDArray[Any], masks: npt.NDArray[np.uint8]
) -> dict[str, Any]:
    start = time.perf_counter()
    agreement = compare(net, images, masks)
    return {
        "network": name,
        **dataclasses.asdict(agreement),
        "seconds": time.perf_counter() - start,
        "model_sha256": digest(freeze(net, {})),
    }
