# SPDX-License-Identifier: Apache-2.0
"""Statistics of a trained network: those of its BatchNorm, and those of its scales.

BatchNorm normalises by the batch in training and by running statistics in evaluation. Dropout
between the two makes them differ, the variance shift of Li et al. 2019 (arXiv 1801.05134): it can
be measured here, and lessened by estimating the running statistics again.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from scaledrop.errors import UserError
from scaledrop.nn.network import ScaleDropNet
from scaledrop.nn.trainable import Trainable

__all__ = ["ScaleSpread", "VarianceShift", "calibrate_norms", "scale_spread", "variance_shift"]

Pass = Callable[[Trainable, Tensor, torch.Generator], object]


@dataclass(frozen=True)
class VarianceShift:
    """Variance of one layer's BatchNorm output, mean over its channels.

    Attributes:
        layer: its name.
        train: in training mode on training images: batch statistics, masks drawn.
        test: in evaluation mode on test images: running statistics, masks drawn.
    """

    layer: str
    train: float
    test: float

    @property
    def ratio(self) -> float:
        """``train / test``; 1 is no shift."""
        if self.test == 0:
            return 1.0 if self.train == 0 else math.inf
        return self.train / self.test

    @property
    def k(self) -> float:
        """Factor on the standard deviation, ``sqrt(train / test)``."""
        return math.sqrt(self.ratio)


@dataclass(frozen=True)
class ScaleSpread:
    """The quantised scales of one layer: their mean, standard deviation (of all C), extremes."""

    layer: str
    mean: float
    std: float
    min: float
    max: float


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _check_batches(images: Tensor, batch_size: int) -> None:
    if batch_size < 2 or len(images) < 2:
        raise UserError(
            f"batch_size: must be 2 or more, of 2 images or more, not {batch_size} of "
            f"{len(images)}; a variance needs two"
        )


def _batches(images: Tensor, batch_size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Shuffled whole batches; what is left over is dropped, unless there is nothing else."""
    order = torch.randperm(len(images), generator=generator)
    size = min(batch_size, len(images))
    for start in range(0, len(images) - size + 1, size):
        yield images[order[start : start + size]]


def _drawn(net: Trainable, pixels: Tensor, generator: torch.Generator) -> object:
    return net.drawn(pixels, generator)


@contextmanager
def _cumulative(net: Trainable) -> Iterator[None]:
    """Training mode with running statistics that average all batches alike, from nothing."""
    norms = [module for module in net.modules() if isinstance(module, _BatchNorm)]
    before, momenta = net.training, [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    net.train()
    try:
        yield
    finally:
        net.train(before)
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum


@torch.no_grad()
def calibrate_norms(
    net: Trainable, images: Tensor, passes: int, batch_size: int, seed: int
) -> None:
    """Estimate the running statistics of every BatchNorm again; nothing else of ``net`` changes.

    Running mean and variance become plain averages over shuffled batches, run in training mode
    under fresh random numbers.

    Args:
        images: (N, *input_shape) training pixels.
        passes: times each image is seen, at least 1.
        batch_size: at least 2; a smaller last batch is left out.
        seed: of order and of what is drawn.

    Raises:
        UserError: ``passes`` or ``batch_size`` too small.
    """
    if passes < 1:
        raise UserError(f"passes: must be 1 or more, not {passes}; 1 is usual")
    _check_batches(images, batch_size)
    generator = _generator(seed)
    with _cumulative(net):
        for _ in range(passes):
            for batch in _batches(images, batch_size, generator):
                net.drawn(batch, generator)


class _Moments:
    """Sums of one layer's BatchNorm output, per channel, in float64."""

    def __init__(self) -> None:
        self.count = 0
        self.first: Tensor | float = 0.0
        self.second: Tensor | float = 0.0

    def __call__(self, module: object, inputs: object, y: Tensor) -> None:
        rows = y.double().transpose(0, 1).flatten(1)
        self.count += rows.shape[1]
        self.first = self.first + rows.sum(dim=1)
        self.second = self.second + rows.square().sum(dim=1)

    def variance(self) -> float:
        """Mean over the channels of the population variance."""
        mean = torch.as_tensor(self.first) / self.count
        variance = torch.as_tensor(self.second) / self.count - mean.square()
        return float(variance.clamp(min=0).mean())


@torch.no_grad()
def _output_variances(
    net: Trainable, images: Tensor, seed: int, batch_size: int, run: Pass
) -> dict[str, float]:
    """By layer, in the order in which they are run."""
    moments = {
        name: _Moments() for name, module in net.named_modules() if isinstance(module, _BatchNorm)
    }
    hooks = [net.get_submodule(name).register_forward_hook(one) for name, one in moments.items()]
    generator = _generator(seed)
    for batch in _batches(images, batch_size, generator):
        run(net, batch, generator)
    for hook in hooks:
        hook.remove()
    return {name.split(".")[-2]: one.variance() for name, one in moments.items()}


def variance_shift(
    net: Trainable,
    train_images: Tensor,
    test_images: Tensor,
    seed: int,
    batch_size: int,
    test: Pass | None = None,
) -> tuple[VarianceShift, ...]:
    """How much the variance behind each BatchNorm changes from training to evaluation.

    Args:
        net: left as it is; a norm is in the module of its layer.
        train_images, test_images: (N, *input_shape) pixels.
        seed: of order and masks.
        batch_size: at least 2; a smaller last batch is left out.
        test: a pass in evaluation mode of a network, pixels and a generator; one that draws as in
            training when None.

    Returns:
        One per layer, in the order of the mask bits.

    Raises:
        UserError: ``batch_size`` too small.

    Source: Li et al. 2019, arXiv 1801.05134; their Eq. for the shift coefficient is ``ratio``.
    """
    _check_batches(train_images, batch_size)
    _check_batches(test_images, batch_size)
    work = copy.deepcopy(net)
    after = _output_variances(work.eval(), test_images, seed, batch_size, test or _drawn)
    before = _output_variances(work.train(), train_images, seed, batch_size, _drawn)
    return tuple(VarianceShift(name, before[name], after[name]) for name in before)


@torch.no_grad()
def scale_spread(net: ScaleDropNet) -> tuple[ScaleSpread, ...]:
    """The scales as the hardware will hold them, one summary per layer."""
    spreads = []
    for node, block in zip(net.graph.layers, net.blocks, strict=True):
        alpha = block.scale.quantised().double()
        spread = float(alpha.std(correction=0))
        low, high = float(alpha.min()), float(alpha.max())
        spreads.append(ScaleSpread(node.name, float(alpha.mean()), spread, low, high))
    return tuple(spreads)
