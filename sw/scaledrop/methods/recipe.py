# SPDX-License-Identifier: Apache-2.0
"""What most methods are: a site with one setting, trained in the common network."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from scaledrop.data import ImageSet
from scaledrop.energy.network_figures import LayerFigures, figures_of
from scaledrop.errors import UserError
from scaledrop.graph import Kind, Layer
from scaledrop.methods.contract import Method, Model, Needs, Setting
from scaledrop.methods.model import NetModel, fit_net
from scaledrop.methods.net import Site, SiteFactory
from scaledrop.nn.config import NetworkConfig
from scaledrop.training import TrainConfig

__all__ = ["DropSite", "hidden_layers", "site_method"]

SitesOf = Callable[[TrainConfig, float], SiteFactory]
"""From a run and the value of the setting to the sites."""

NeedsOf = Callable[[NetworkConfig, float], Needs]
"""From a network and the value of the setting to what hardware has to have."""


class DropSite(Site):
    """A site that drops with one probability.

    Parameters:
        p: probability that something is dropped, in [0, 1).

    Raises:
        UserError: p out of range.
    """

    def __init__(self, layer: Layer, shape: tuple[int, ...], p: float) -> None:
        super().__init__(layer, shape)
        if not 0 <= p < 1:
            raise UserError(f"p: must be 0 to below 1, not {p}; try 0.1")
        self.p = p

    def kept(self, shape: tuple[int, ...], like: Tensor) -> Tensor:
        """``shape`` of 1 with probability ``1 - p``, else 0; of the kind and device of ``like``."""
        return (torch.rand(shape, generator=self.generator) >= self.p).to(like)


def hidden_layers(network: NetworkConfig) -> list[LayerFigures]:
    """Sizes of all layers but the head, in order."""
    graph = network.graph
    pairs = zip(graph.layers, figures_of(graph).layers, strict=True)
    return [figures for node, figures in pairs if node.output is not Kind.LOGITS]


def site_method(
    key: str, title: str, source: str, setting: Setting, sites: SitesOf, needs: NeedsOf
) -> Method:
    """The method that trains the common network with a site at every layer.

    Args:
        key, title, source, setting: as :class:`scaledrop.methods.contract.Method`.
        sites: what the method does at the layers.
        needs: what the trained network asks of hardware.
    """

    def fit(config: TrainConfig, data: ImageSet, value: float, device: str) -> Model:
        net = fit_net(config, data, sites(config, value), device)
        wanted = needs(config.network, value)
        return NetModel(net, config.network, wanted, threads=config.threads)

    return Method(key, title, source, setting, fit)
