# SPDX-License-Identifier: Apache-2.0
"""Train, or take the checkpoint that the same configuration made before."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from scaledrop.data import load_digits
from scaledrop.errors import UserError
from scaledrop.freezing import freeze
from scaledrop.frozen import FrozenNetwork
from scaledrop.training import (
    Checkpoint,
    EpochRecord,
    TrainConfig,
    load_checkpoint,
    save_checkpoint,
    train,
)

__all__ = ["freeze_checkpoint", "train_to", "trained", "with_choices"]

Progress = Callable[[EpochRecord], None]


def with_choices(
    config: TrainConfig,
    hidden: str | None = None,
    p: str | None = None,
    name: str | None = None,
    epochs: int | None = None,
    seed: int | None = None,
) -> TrainConfig:
    """A configuration with what the user chose otherwise.

    Args:
        hidden: Widths, such as ``96,48``; an empty string for none.
        p: One probability, one per layer, or ``adaptive``.

    Raises:
        UserError: a value that is no number or out of range.
    """
    network = config.network
    if hidden is not None:
        widths = tuple(
            int(_number(text, "hidden", int)) for text in hidden.split(",") if text.strip()
        )
        if p is None and isinstance(network.p, tuple) and len(set(network.p)) == 1:
            network = dataclasses.replace(network, hidden=widths, p=network.p[0])
        else:
            network = dataclasses.replace(network, hidden=widths, p=_probabilities(p or "0.1"))
    elif p is not None:
        network = dataclasses.replace(network, p=_probabilities(p))
    if name is not None:
        network = dataclasses.replace(network, name=name)
    changes = {"epochs": epochs, "seed": seed}
    given = {name: value for name, value in changes.items() if value is not None}
    return dataclasses.replace(config, network=network, **given)


def _number(text: str, field: str, kind: type[int] | type[float]) -> int | float:
    try:
        return kind(text)
    except ValueError:
        raise UserError(f"{field}: {text.strip()!r} is not a number") from None


def _probabilities(text: str) -> float | tuple[float, ...] | str:
    if text == "adaptive":
        return text
    values = tuple(float(_number(part, "p", float)) for part in text.split(","))
    return values[0] if len(values) == 1 else values


def train_to(
    config: TrainConfig, path: Path, progress: Progress | None = None
) -> tuple[Checkpoint, tuple[EpochRecord, ...]]:
    """Train on the digits and write a checkpoint; returns it and the history.

    Raises:
        UserError: the configuration does not fit the data, the loss is no number, or the path
            cannot be written (found out before training).
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{path.parent}: cannot be written ({error.strerror})") from None
    result = train(config, load_digits(), progress)
    digest = save_checkpoint(result.net, config, path)
    return Checkpoint(config, result.net, digest), result.history


def trained(config: TrainConfig, cache: Path, progress: Progress | None = None) -> Checkpoint:
    """The checkpoint of ``config`` from the cache, trained first when it is not there.

    A cached file that cannot be read, or is of another configuration, is made anew.
    """
    path = cache / f"{config.config_hash()[:20]}.checkpoint"
    if path.exists():
        try:
            found = load_checkpoint(path)
        except UserError:
            path.unlink()
        else:
            if found.config == config:
                return found
    return train_to(config, path, progress)[0]


def freeze_checkpoint(checkpoint: Checkpoint) -> FrozenNetwork:
    """Freeze, with the configuration as provenance."""
    provenance = {"data": "digits", "config": dataclasses.asdict(checkpoint.config)}
    return freeze(checkpoint.net, provenance)
