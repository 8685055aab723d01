# SPDX-License-Identifier: Apache-2.0
"""Whether a set of images is one that a run can train on, asked before any work."""

from __future__ import annotations

from scaledrop.data import ImageSet
from scaledrop.errors import UserError
from scaledrop.training.config import TrainConfig

__all__ = ["check_data"]


def check_data(config: TrainConfig, data: ImageSet) -> None:
    """Refuse images that do not fit the run.

    Raises:
        UserError: names the field, what was found and the remedy.
    """
    _check_shape(config, data)
    if data.classes != config.network.classes:
        raise UserError(
            f"classes: {config.network.classes} does not match the {data.classes} of {data.name}; "
            "change the configuration"
        )
    _check_task(config, data)
    each = 1
    if config.tile:
        each = max(1, data.shape[-2] * data.shape[-1] // config.tile**2)
    if config.batch_size > len(data.train_images) * each:
        what = "training images" if each == 1 else f"crops of {config.tile} x {config.tile}"
        raise UserError(
            f"batch_size: {config.batch_size} is more than the {len(data.train_images) * each} "
            f"{what}; lower it"
        )


def _check_shape(config: TrainConfig, data: ImageSet) -> None:
    shape, tile = data.shape, config.tile
    if tile > min(shape[-2:]):
        raise UserError(f"tile: {tile} is more than the {data.name} images of {shape}; lower it")
    if tile:
        shape = (*shape[:-2], tile, tile)
    if shape != config.network.input_shape:
        what = f"crops of {shape}" if tile else f"images of {shape}"
        raise UserError(
            f"input_shape: {config.network.input_shape} does not match the {data.name} {what}; "
            "change the configuration"
        )


def _check_task(config: TrainConfig, data: ImageSet) -> None:
    logits = config.network.graph.logits.shape
    labels = config.network.input_shape[-2:] if data.task == "segmentation" else ()
    if logits[1:] != labels:
        per = "one for each pixel" if labels else "one for each image"
        raise UserError(
            f"topology: {config.network.topology!r} gives logits of shape {logits}, but the labels "
            f"of {data.name} are {per}; change the topology"
        )
    if labels and config.augment != "none":
        raise UserError(
            f"augment: {config.augment!r} is for labels of whole images; use 'none' and tile"
        )
    if config.tile and not labels:
        raise UserError(f"tile: {config.tile} is for labels of pixels; use 0 and augment")
