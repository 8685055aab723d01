# SPDX-License-Identifier: Apache-2.0
"""PyTorch layers whose float64 evaluation equals the frozen integers, and the dense network."""

from scaledrop.nn.binary import BinaryLinear, SignActivation
from scaledrop.nn.network import NetworkConfig, ScaleDropBlock, ScaleDropNet
from scaledrop.nn.norm import HeadBatchNorm1d, ScaleBatchNorm1d
from scaledrop.nn.scale import ScaleDropout, adaptive_p

__all__ = [
    "BinaryLinear",
    "HeadBatchNorm1d",
    "NetworkConfig",
    "ScaleBatchNorm1d",
    "ScaleDropBlock",
    "ScaleDropNet",
    "ScaleDropout",
    "SignActivation",
    "adaptive_p",
]
