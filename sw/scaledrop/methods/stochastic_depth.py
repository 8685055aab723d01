# SPDX-License-Identifier: Apache-2.0
"""Stochastic depth: residual branches are dropped."""

from __future__ import annotations

from torch import Tensor

from scaledrop.data import ImageSet
from scaledrop.energy.sources import Grain
from scaledrop.graph import Layer
from scaledrop.methods.contract import Method, Model, Needs, Setting
from scaledrop.methods.memory import memory_bits
from scaledrop.methods.model import NetModel, fit_net
from scaledrop.methods.net import Site, SiteFactory
from scaledrop.methods.recipe import DropSite
from scaledrop.methods.residual import BRANCHES, residual_run
from scaledrop.training import TrainConfig

__all__ = ["STOCHASTIC_DEPTH", "BranchDropout", "drop_probability"]


def drop_probability(block: int, blocks: int, last: float) -> float:
    """The linear rule: block l of L is dropped with probability ``l / L * p_L``.

    Args:
        block: l, from 1.
        blocks: L.
        last: p_L of the last block.
    """
    return block / blocks * last


class BranchDropout(DropSite):
    """Drops what a branch would add, one bit a sample: ``y * m``, not rescaled."""

    def outputs(self, a: Tensor) -> Tensor:
        if not self.drawing:
            return a
        return a * self.kept((len(a), *[1] * (a.ndim - 1)), a)


def _sites(last: float) -> SiteFactory:
    def site(layer: Layer, shape: tuple[int, ...], index: int) -> Site:
        if layer.name not in BRANCHES:
            return Site(layer, shape)
        block = BRANCHES.index(layer.name) + 1
        return BranchDropout(layer, shape, drop_probability(block, len(BRANCHES), last))

    return site


def _fit(config: TrainConfig, data: ImageSet, value: float, device: str) -> Model:
    run = residual_run(config)
    net = fit_net(run, data, _sites(value), device)
    needs = Needs(len(BRANCHES), Grain.LAYER, False, memory_bits(run.network))
    return NetModel(net, run.network, needs, threads=run.threads)


STOCHASTIC_DEPTH = Method(
    "stochastic-depth",
    "Stochastic depth",
    "Huang et al. 2016, arXiv 1603.09382, linear rule, from memory",
    Setting("drop probability of the last branch p_L", (0.1, 0.2, 0.4)),
    _fit,
)
"""One bit a branch and sample. The paper draws a bit a batch and, in tests, scales each branch by
its probability of being there; here passes are drawn in tests too, so nothing is scaled. Its
network is not that of the other methods, so it stands beside its own deterministic twin."""
