# SPDX-License-Identifier: Apache-2.0
"""Which network a command works on: a named configuration or a user's frozen file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scaledrop.errors import UserError
from scaledrop.frozen import FrozenNetwork
from scaledrop.frozen_file import digest, load
from scaledrop.nn import ScaleDropNet
from scaledrop.training import load_checkpoint, named_config
from scaledrop_flow.console import training_progress
from scaledrop_flow.steps.train import freeze_checkpoint, trained

__all__ = ["DEFAULT", "ResolvedModel", "resolve"]

DEFAULT = "digits"
"""The configuration that is meant when none is named."""


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
    """Load ``model``, or train (or find) ``config`` (the digits if None) and freeze it.

    Without ``checkpoint``, a file ``checkpoint`` beside the model is taken if it freezes to the
    very same network.

    Raises:
        UserError: a file is missing or malformed, or ``checkpoint`` is not of ``model``.
    """
    if model is None:
        if checkpoint is not None:
            raise UserError("checkpoint: goes with --model; use one of --config and --model")
        chosen = named_config(config or DEFAULT)
        with training_progress(chosen.epochs) as progress:
            found = trained(chosen, cache, progress)
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
