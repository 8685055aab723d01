# SPDX-License-Identifier: Apache-2.0
"""Differentiable masks over the channels of one untrained network, and which channels they keep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import torch
from torch import Tensor, nn

from scaledrop.errors import UserError
from scaledrop.graph import Kind, Layer
from scaledrop.methods.net import MethodNet, Site, per_channel
from scaledrop.nn.config import NetworkConfig

__all__ = ["MaskNet", "MaskSite", "discrepancy", "kept_channels", "mean_saliency", "similarity"]


def similarity(a: Tensor, b: Tensor) -> Tensor:
    """Kernel of the masks' discrepancy: ``k_i = exp(-mean_j (a_i - b_j)^2 / d)``, (d,) of two (d,)
    masks, in (0, 1]."""
    return torch.exp(-(a[:, None] - b[None, :]).square().mean(dim=1) / len(a))


def discrepancy(a: Tensor, b: Tensor) -> Tensor:
    """``mean k(a, a) + mean k(b, b) - 2 mean k(a, b)`` of two (d,) masks, scalar.

    It compares the masks as two samples of numbers: which channel has which is not seen. To first
    order in 1/d it is ``2 (mean a - mean b)^2 / d``; it is not quite symmetric.

    Source: the code of arXiv 2105.02551 (``trainable_masks.py``), where it is called MMD.
    """
    return similarity(a, a).mean() + similarity(b, b).mean() - 2 * similarity(a, b).mean()


class MaskSite(Site):
    """a * m behind the activation, m one learned factor per channel for each member.

    Not before BatchNorm, which would divide it out. The head has none, for it has no channel to
    spare.

    Parameters:
        layer, shape: as :class:`Site`.
        members: M.
        generator: of the first masks, N(0, 1).

    Attributes:
        masks: (M, C) factors; None for the head.
        member: whose masks act.
    """

    def __init__(
        self, layer: Layer, shape: tuple[int, ...], members: int, generator: torch.Generator
    ) -> None:
        super().__init__(layer, shape)
        self.member = 0
        self.masks: nn.Parameter | None = None
        if layer.output is not Kind.LOGITS:
            start = torch.randn((members, layer.channels), generator=generator)
            self.masks = nn.Parameter(start)

    def outputs(self, a: Tensor) -> Tensor:
        return a if self.masks is None else a * per_channel(self.masks[self.member], a)


class MaskNet(MethodNet):
    """One network under the masks of M members; its weights are not meant to learn.

    Parameters:
        config: the network; every layer but the head gives codes.
        seed: of weights, >= 0.
        members: M, 2 or more.
        generator: of the first masks.

    Raises:
        UserError: a layer feeds a residual addition, whose channels cannot be removed one by one.
    """

    def __init__(
        self, config: NetworkConfig, seed: int, members: int, generator: torch.Generator
    ) -> None:
        for layer in config.graph.layers:
            if layer.output is Kind.STREAM:
                raise UserError(
                    f"layers.{layer.name}: feeds a residual addition, whose channels cannot be "
                    "removed; a structured ensemble needs a network without residuals"
                )

        def site(layer: Layer, shape: tuple[int, ...], index: int) -> Site:
            return MaskSite(layer, shape, members, generator)

        super().__init__(config, seed, site)
        self.members = members

    @property
    def masks(self) -> dict[str, nn.Parameter]:
        """(M, C) of every layer but the head, by name, in the graph's order."""
        found = {}
        for _, site in self.layers:
            if isinstance(site, MaskSite) and site.masks is not None:
                found[site.layer.name] = site.masks
        return found

    def choose(self, member: int) -> None:
        """Let the masks of a member act."""
        for _, site in self.layers:
            if isinstance(site, MaskSite):
                site.member = member

    def diversity(self) -> Tensor:
        """Sum of the discrepancies of all layers and all pairs of members, scalar."""
        terms = [
            discrepancy(masks[i], masks[j])
            for masks in self.masks.values()
            for i, j in combinations(range(self.members), 2)
        ]
        return torch.stack(terms).sum()


def mean_saliency(losses: Iterable[Tensor], masks: Sequence[Tensor]) -> list[Tensor]:
    """Mean over mini-batches of ``|dL / dm|``.

    Args:
        losses: one scalar per mini-batch, summed over its images; taken one at a time.
        masks: what is differentiated by.

    Returns:
        One for each of ``masks``, in its shape.

    Source: arXiv 2105.02551, its code (``supermask.py``).
    """
    totals, count = [torch.zeros_like(mask) for mask in masks], 0
    for loss in losses:
        for total, gradient in zip(totals, torch.autograd.grad(loss, list(masks)), strict=True):
            total.add_(gradient.abs())
        count += 1
    return [total / count for total in totals]


def kept_channels(
    saliency: Mapping[str, Tensor], quantile: float, per_layer: bool = False, least: int = 1
) -> dict[str, Tensor]:
    """The channels whose saliency is at or above the quantile; of every layer at least the best.

    Args:
        saliency: (C,) of each layer, >= 0.
        quantile: q, share that is removed, 0 to below 1.
        per_layer: a threshold for each layer instead of one for all.
        least: channels of a layer that stay in any case, if it has so many.

    Returns:
        Indices (kept,) of each layer, ascending.

    Raises:
        UserError: ``quantile`` out of range.

    Source: arXiv 2105.02551, its code (``models_utils.py``).
    """
    if not 0 <= quantile < 1:
        raise UserError(f"quantile: must be 0 to below 1, not {quantile}; 1 - 1/M is usual")
    whole = torch.quantile(torch.cat(list(saliency.values())), quantile)
    kept = {}
    for name, values in saliency.items():
        threshold = torch.quantile(values, quantile) if per_layer else whole
        best = values.topk(min(least, len(values))).indices
        stays = values >= threshold
        stays[best] = True
        kept[name] = stays.nonzero()[:, 0]
    return kept
