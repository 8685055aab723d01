# SPDX-License-Identifier: Apache-2.0
"""A small network cut out of a large one by channels."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import torch
from torch import Tensor

from scaledrop.graph import Concat, Graph, Layer
from scaledrop.methods.net import MethodNet, Site
from scaledrop.nn.config import CUSTOM, NetworkConfig

__all__ = ["balanced", "extract", "small_config"]


def small_config(config: NetworkConfig, kept: Mapping[str, Tensor], name: str) -> NetworkConfig:
    """The network with fewer channels, as a graph of its own.

    Args:
        config: of the large network.
        kept: indices of the channels that stay, by layer; a layer that is not named keeps all.
        name: of the small network.
    """
    nodes = [
        dataclasses.replace(node, channels=len(kept[node.name]))
        if isinstance(node, Layer) and node.name in kept
        else node
        for node in config.graph.nodes
    ]
    return dataclasses.replace(config, name=name, topology=CUSTOM, widths=(), nodes=tuple(nodes))


def _survivors(graph: Graph, kept: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Channels of every value that the small network has, as indices of the large one's."""
    found = {name: torch.arange(value.shape[0]) for name, value in graph.values.items()}
    for node in graph.nodes:
        sources = graph.sources[node.name]
        if isinstance(node, Layer):
            found[node.name] = kept.get(node.name, found[node.name])
        elif isinstance(node, Concat):
            parts, start = [], 0
            for source in sources:
                parts.append(found[source] + start)
                start += graph.values[source].shape[0]
            found[node.name] = torch.cat(parts)
        else:
            found[node.name] = found[sources[0]]
    return found


def balanced(rows: Tensor) -> Tensor:
    """Rows of mean zero with the signs of the given ones, up to rounding: (C, n) to (C, n).

    Positive entries are made larger by one factor and negative ones smaller by it, or the reverse.
    A row without both signs stays as it is, as no row of mean zero has its signs.
    """
    above, below = rows.clamp(min=0).sum(dim=1), -rows.clamp(max=0).sum(dim=1)
    factor = torch.where((above > 0) & (below > 0), (below / above).sqrt(), 1.0)[:, None]
    return torch.where(rows > 0, rows * factor, rows / factor)


def extract(net: MethodNet, kept: Mapping[str, Tensor], config: NetworkConfig) -> MethodNet:
    """The small network, deterministic, with what the large one holds of its channels.

    Its weights have the signs that they have in the large network. A crossbar subtracts the mean of
    a channel before it takes signs, and the mean of fewer weights is another: the latent weights
    are therefore :func:`balanced`. With its masks at 1 for what is kept and 0 for the rest the
    large network gives the same logits in evaluation.

    Args:
        net: the large network; not changed.
        kept: indices of the channels that stay, by layer.
        config: of the small network, from :func:`small_config`.
    """
    small = MethodNet(config, 0, lambda layer, shape, index: Site(layer, shape))
    small.to(net.layers[0][0].weight)
    graph, survivors = net.graph, _survivors(net.graph, kept)
    with torch.no_grad():
        pairs = zip(graph.layers, net.layers, small.layers, strict=True)
        for node, (crossbar, site), (target, target_site) in pairs:
            rows = survivors[node.name]
            source = graph.sources[node.name][0]
            whole = crossbar.centred_weight().reshape(
                node.channels, graph.values[source].shape[0], -1
            )
            cut = whole[rows][:, survivors[source]].flatten(1)
            target.weight.copy_(balanced(cut).view_as(target.weight))
            target_site.alpha.copy_(site.alpha[rows])
            for name, value in site.norm.state_dict().items():
                target_site.norm.state_dict()[name].copy_(value[rows] if value.ndim else value)
    return small
