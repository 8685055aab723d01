# SPDX-License-Identifier: Apache-2.0
"""Which network a command works on: a named configuration or a user's frozen file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scaledrop.errors import UserError
from scaledrop.frozen import FrozenNetwork
from scaledrop.frozen_file import digest, load
from scaledrop.nn import ScaleDropNet
from scaledrop.training import load_checkpoint
from scaledrop_flow.console import training_progress
from scaledrop_flow.image_source import holds_sets
from scaledrop_flow.steps.choices import DEFAULT, find_config
from scaledrop_flow.steps.train import freeze_checkpoint, trained

__all__ = ["DEFAULT", "ResolvedModel", "resolve"]


@dataclass(frozen=True, eq=False)
class ResolvedModel:
    """A frozen network, the floats that it came from (if known), and why they are missing."""

    network: FrozenNetwork
    net: ScaleDropNet | None
    note: str = ""


def resolve(
    config: str | None,
    model: Path | None,
    checkpoint: Path | None,
    cache: Path,
    data: Path | None = None,
) -> ResolvedModel:
    """Load ``model``, or train (or find) ``config``, a name or file (the digits if None), and
    freeze it.

    A training reads its images from ``data`` if public sets lie there.
    Without ``checkpoint``, a file ``checkpoint`` beside the model is taken if it freezes to the
    very same network.

    Raises:
        UserError: a file is missing or malformed, or ``checkpoint`` is not of ``model``.
    """
    if model is None:
        if checkpoint is not None:
            raise UserError("checkpoint: goes with --model; use one of --config and --model")
        chosen = find_config(config or DEFAULT)
        root = data if data is not None and holds_sets(data) else None
        with training_progress(chosen.epochs) as bar:
            found = trained(chosen, cache, bar, bar.batch, root)
        return ResolvedModel(freeze_checkpoint(found), found.net)
    if config is not None:
        raise UserError("config: goes without --model; use one of --config and --model")
    network = load(model)
    path = checkpoint or model.with_name("checkpoint")
    if checkpoint is None and not path.exists():
        return ResolvedModel(network, None, f"no checkpoint beside {model}")
    loaded = load_checkpoint(path)
    if digest(freeze_checkpoint(loaded)) != digest(network):
        if checkpoint is not None:
            raise UserError(f"{path}: does not freeze to {model}; give the one it came from")
        return ResolvedModel(network, None, f"{path} is of another network")
    return ResolvedModel(network, loaded.net)
