# SPDX-License-Identifier: Apache-2.0
"""Train, go on with an interrupted training, or take the checkpoint that was made before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

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
    digest_of,
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
    "trained",
    "unfinished",
    "with_choices",
]

Progress = Callable[[EpochRecord], None]
BatchProgress = Callable[[int, int, int], None]
Then = Callable[[Checkpoint, TrainResult], None]


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
    then: Then | None = None,
) -> tuple[Checkpoint, TrainResult]:
    """Train and write a checkpoint; what is left of an interruption is at :func:`unfinished`.

    Args:
        then: writes what belongs to the checkpoint; until it returns, the training counts as
            interrupted.

    Raises:
        UserError: as :func:`scaledrop.training.train`, with the place of the last good state; or
            the path cannot be written (found out before training).
    """
    _make(path.parent)
    with _kept_at(unfinished(path)), Keeper(unfinished(path)) as keeper:
        result = train(
            config,
            data,
            progress,
            on_batch=on_batch,
            resume=resume,
            save=keeper,
            device=device,
        )
        keeper.flush()
        digest = save_checkpoint(result.net, config, path, result.history)
        checkpoint = Checkpoint(config, result.net, digest, result.history)
        if then is not None:
            then(checkpoint, result)
        keeper.discard()
    return checkpoint, result


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder}: cannot be written ({error.strerror})") from None


@contextmanager
def _kept_at(path: Path) -> Iterator[None]:
    """Says in a user's error where the last good epoch is."""
    try:
        yield
    except UserError as error:
        if not path.exists():
            raise
        raise UserError(f"{error}; the last good epoch is kept in {path}") from None


def trained(
    config: TrainConfig,
    cache: Path,
    progress: Progress | None = None,
    on_batch: BatchProgress | None = None,
    data: Path | None = None,
    images: ImageSet | None = None,
) -> Checkpoint:
    """The checkpoint of ``config`` from the cache, trained first when it is not there.

    A training that was interrupted goes on where it was. A cached file that cannot be read, or is
    of another configuration or, if unfinished, of other images, is made anew. The images are read
    only for training: ``images``, else from the folder of public sets ``data``, else
    SCALEDROP_DATA, else the user's cache.

    Raises:
        UserError: the set is not at hand, or as :func:`train_and_save`.
    """
    path = cache / f"{config.config_hash()[:20]}.checkpoint"
    found = _usable(load_checkpoint, path, config)
    if found is not None:
        return found
    images = images or load_set(config.data, data)
    resume = _resumable(unfinished(path), config, images)
    return train_and_save(config, images, path, progress, on_batch, resume)[0]


class _OfRun(Protocol):
    @property
    def config(self) -> TrainConfig: ...


Found = TypeVar("Found", bound=_OfRun)


def _usable(load: Callable[[Path], Found], path: Path, config: TrainConfig) -> Found | None:
    if not path.exists():
        return None
    try:
        found = load(path)
    except UserError:
        path.unlink()
        return None
    return found if found.config == config else None


def _resumable(path: Path, config: TrainConfig, images: ImageSet) -> ResumePoint | None:
    point = _usable(load_resume, path, config)
    try:
        if point is not None:
            point.check(config, digest_of(images), "cpu")
    except UserError:
        path.unlink()
        return None
    return point


def freeze_checkpoint(checkpoint: Checkpoint) -> FrozenNetwork:
    """Freeze, with the configuration and the name of the images as provenance."""
    config = checkpoint.config
    return freeze(checkpoint.net, {"data": config.data, "config": config.to_values()})
