# SPDX-License-Identifier: Apache-2.0
"""PyTorch layers whose float64 evaluation equals the frozen integers, and networks of them."""

from scaledrop.nn.activation import QuantisedActivation
from scaledrop.nn.binary import BinaryConv2d, BinaryLinear
from scaledrop.nn.block import ScaleDropBlock
from scaledrop.nn.config import NetworkConfig
from scaledrop.nn.evaluator import TorchEvaluator
from scaledrop.nn.network import ScaleDropNet
from scaledrop.nn.norm import HeadBatchNorm, ScaleBatchNorm, StreamBatchNorm
from scaledrop.nn.scale import ScaleDropout, adaptive_p
from scaledrop.nn.statistics import (
    ScaleSpread,
    VarianceShift,
    calibrate_norms,
    scale_spread,
    variance_shift,
)
from scaledrop.nn.ste import ESTIMATORS
from scaledrop.nn.trainable import Trainable

__all__ = [
    "ESTIMATORS",
    "BinaryConv2d",
    "BinaryLinear",
    "HeadBatchNorm",
    "NetworkConfig",
    "QuantisedActivation",
    "ScaleBatchNorm",
    "ScaleDropBlock",
    "ScaleDropNet",
    "ScaleDropout",
    "ScaleSpread",
    "StreamBatchNorm",
    "TorchEvaluator",
    "Trainable",
    "VarianceShift",
    "adaptive_p",
    "calibrate_norms",
    "scale_spread",
    "variance_shift",
]
