# SPDX-License-Identifier: Apache-2.0
"""Train, go on with an interrupted training, or take the checkpoint that was made before."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from scaledrop.data import ImageSet, load_set
from scaledrop.errors import UserError
from scaledrop.freezing import freeze
from scaledrop.frozen import FrozenNetwork
from scaledrop.training import (
    Checkpoint,
    EpochRecord,
    Keeper,
    ResumePoint,
    TrainConfig,
    TrainResult,
    load_checkpoint,
    load_resume,
    save_checkpoint,
    train,
)
from scaledrop_flow.steps.choices import find_config, with_choices

__all__ = [
    "find_config",
    "freeze_checkpoint",
    "train_and_save",
    "train_to",
    "trained",
    "unfinished",
    "with_choices",
]

Progress = Callable[[EpochRecord], None]
BatchProgress = Callable[[int, int, int], None]


def unfinished(path: Path) -> Path:
    """Where the state of a training is kept until the checkpoint ``path`` is there."""
    return path.with_name(f"last.{path.name}")


def train_and_save(
    config: TrainConfig,
    data: ImageSet,
    path: Path,
    progress: Progress | None = None,
    on_batch: BatchProgress | None = None,
    resume: ResumePoint | None = None,
    device: str = "cpu",
) -> tuple[Checkpoint, TrainResult]:
    """Train and write a checkpoint; what is left of an interruption is at :func:`unfinished`.

    Raises:
        UserError: as :func:`scaledrop.training.train`, with the place of the last good state; or
            the path cannot be written (found out before training).
    """
    _make(path.parent)
    with _naming(unfinished(path)), Keeper(unfinished(path)) as keeper:
        result = train(
            config,
            data,
            progress,
            on_batch=on_batch,
            resume=resume,
            save=keeper,
            device=device,
        )
        digest = save_checkpoint(result.net, config, path, result.history)
        keeper.discard()
    return Checkpoint(config, result.net, digest, result.history), result


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder}: cannot be written ({error.strerror})") from None


class _naming:  # noqa: N801
    """Adds the place of the last good state to a user's error."""
