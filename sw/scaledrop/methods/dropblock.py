# SPDX-License-Identifier: Apache-2.0
"""DropBlock: contiguous blocks of feature maps are dropped."""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor, nn

from scaledrop.energy.sources import Grain
from scaledrop.graph import Kind, Layer
from scaledrop.methods.contract import Needs, Setting
from scaledrop.methods.memory import memory_bits
from scaledrop.methods.net import Site, SiteFactory
from scaledrop.methods.recipe import DropSite, hidden_layers, site_method
from scaledrop.nn.config import NetworkConfig
from scaledrop.training import TrainConfig

__all__ = ["BLOCK", "DROPBLOCK", "DropBlock", "seed_probability"]

BLOCK = 5
"""Side of a block; a smaller map is dropped as a whole."""


def _sides(shape: tuple[int, ...], block: int) -> tuple[int, int, int]:
    """Height and width of a map, and side of the block in it; a dense output is 1 x 1."""
    height, width = shape[1:] if len(shape) == 3 else (1, 1)
    return height, width, min(block, height, width)


def _places(shape: tuple[int, ...], block: int) -> tuple[int, int]:
    """Lines and columns at which a whole block may begin."""
    height, width, side = _sides(shape, block)
    return height - side + 1, width - side + 1


def seed_probability(shape: tuple[int, ...], p: float, block: int) -> float:
    """gamma, the probability that a block begins at one of its places in a map:

        gamma = p / block^2 * H W / ((H - block + 1) (W - block + 1))

    so that without overlaps a share p of the map would be dropped.

    Args:
        shape: (C, H, W), or (C,) for maps of one position.
        p: 1 - keep_prob.
        block: side of a block, cut to the map's.
    """
    height, width, side = _sides(shape, block)
    return min(1.0, p / side**2 * height * width / math.prod(_places(shape, block)))


def _largest(x: Tensor, side: int, dim: int) -> Tensor:
    """Largest of ``side`` neighbours along a dimension; several times faster than a max pool."""
    length = x.shape[dim] - side + 1
    return functools.reduce(torch.maximum, [x.narrow(dim, at, length) for at in range(side)])


class DropBlock(DropSite):
    """Zeroes blocks of a layer's output (B, C, H, W), each map on its own, before pooling, and
    multiplies what is left of a sample by (all) / (kept), counted over its maps.

    Parameters:
        p: 1 - keep_prob.
        block: side of a block.
    """

    def __init__(self, layer: Layer, shape: tuple[int, ...], p: float, block: int = BLOCK) -> None:
        super().__init__(layer, shape, p)
        self.block, self.gamma = block, seed_probability(shape, p, block)

    def blocks(self, samples: int) -> Tensor:
        """(B, C, H, W) of 1 and, within dropped blocks, 0; (B, C, 1, 1) for a dense layer."""
        side = _sides(self.shape, self.block)[2]
        place = (samples, self.shape[0], *_places(self.shape, self.block))
        seeds = (torch.rand(place, generator=self.generator) < self.gamma).float()
        wide = nn.functional.pad(seeds, [side - 1] * 4)
        return 1 - _largest(_largest(wide, side, 2), side, 3)

    def outputs(self, a: Tensor) -> Tensor:
        if not self.drawing:
            return a
        kept = self.blocks(len(a)).to(a)
        share = kept.mean(dim=(1, 2, 3)).clamp(min=1 / kept[0].numel())
        factor = kept / share[:, None, None, None]
        return a * factor.reshape(a.shape)


def _sites(config: TrainConfig, p: float) -> SiteFactory:
    def site(layer: Layer, shape: tuple[int, ...], index: int) -> Site:
        hidden = layer.output is not Kind.LOGITS
        return DropBlock(layer, shape, p) if hidden else Site(layer, shape)

    return site


def _needs(network: NetworkConfig, p: float) -> Needs:
    shapes = [network.graph.values[layer.name].shape for layer in hidden_layers(network)]
    numbers = sum(shape[0] * math.prod(_places(shape, BLOCK)) for shape in shapes)
    return Needs(numbers, Grain.NEURON, False, memory_bits(network))


DROPBLOCK = site_method(
    "dropblock",
    "DropBlock",
    "Ghiasi et al. 2018, arXiv 1810.12890, Algorithm 1 and Eq. 1, from memory",
    Setting("dropped share 1 - keep_prob", (0.05, 0.1, 0.2)),
    _sites,
    _needs,
)
"""Blocks of 5 x 5 in every hidden layer; a dense layer has blocks of one neuron, which is plain
dropout. Made to regularise; that passes are drawn and averaged as in MC-Dropout is ours. The
factor differs from sample to sample, so hardware must multiply by it: this is not priced."""
