# SPDX-License-Identifier: Apache-2.0
"""Seeded training, named configurations and checkpoints."""

from scaledrop.training.batches import digest_of, parts_of
from scaledrop.training.checkpoint import (
    Checkpoint,
    load_checkpoint,
    load_resume,
    save_checkpoint,
    save_resume,
)
from scaledrop.training.config import AUGMENTS, PRECISIONS, TrainConfig
from scaledrop.training.config_file import config_from_file
from scaledrop.training.keeper import Keeper
from scaledrop.training.loss import scale_dropout_loss
from scaledrop.training.named import (
    CONFIGS,
    common_p,
    config_for,
    deterministic,
    named_config,
    with_network,
)
from scaledrop.training.records import EpochRecord, ResumePoint, Trained, TrainResult
from scaledrop.training.trainer import train

__all__ = [
    "AUGMENTS",
    "CONFIGS",
    "PRECISIONS",
    "Checkpoint",
    "EpochRecord",
    "Keeper",
    "ResumePoint",
    "TrainConfig",
    "TrainResult",
    "Trained",
    "common_p",
    "config_for",
    "config_from_file",
    "deterministic",
    "digest_of",
    "load_checkpoint",
    "load_resume",
    "named_config",
    "parts_of",
    "save_checkpoint",
    "save_resume",
    "scale_dropout_loss",
    "train",
    "with_network",
]
