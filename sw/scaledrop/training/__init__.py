# SPDX-License-Identifier: Apache-2.0
"""Seeded training, named configurations and checkpoints."""

from scaledrop.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from scaledrop.training.config import CONFIGS, TrainConfig, named_config
from scaledrop.training.loss import scale_dropout_loss
from scaledrop.training.trainer import EpochRecord, TrainResult, train

__all__ = [
    "CONFIGS",
    "Checkpoint",
    "EpochRecord",
    "TrainConfig",
    "TrainResult",
    "load_checkpoint",
    "named_config",
    "save_checkpoint",
    "scale_dropout_loss",
    "train",
]
