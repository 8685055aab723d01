# SPDX-License-Identifier: Apache-2.0
"""The training objective."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from scaledrop.nn import Trainable

__all__ = ["scale_dropout_loss"]


def scale_dropout_loss(
    net: Trainable,
    logits: Tensor,
    labels: Tensor,
    weight_decay: float,
    scale_pull: float,
    label_smoothing: float = 0.0,
) -> tuple[Tensor, Tensor]:
    """``cross entropy + lambda * sum ||W||^2 + phi * sum_l (1 - mean(alpha_l))^2``.

    W are the latent weights of all layers, alpha_l the latent scales of layer l. The form of the
    two penalties is that of arXiv 2311.15816 as remembered: unverified. Another network has its own
    ``penalty()`` behind phi, and ``extra_loss()``, if any, is added as it is.

    Args:
        net: whose weights and scales are penalised.
        logits: (B, K), or (B, K, H, W) for segmentation.
        labels: (B,) or (B, H, W) int64.
        weight_decay: lambda.
        scale_pull: phi.
        label_smoothing: share of the target spread over all classes.

    Returns:
        The objective and its cross-entropy part (mean over the batch and positions, nats), scalars.
    """
    task = nn.functional.cross_entropy(logits, labels, label_smoothing=label_smoothing)
    weights = torch.stack([weight.square().sum() for weight in net.weights]).sum()
    loss = task + weight_decay * weights + scale_pull * net.penalty()
    extra = net.extra_loss()
    return loss if extra is None else loss + extra, task
