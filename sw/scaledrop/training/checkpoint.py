# SPDX-License-Identifier: Apache-2.0
"""A trained network on disk, refused when a single byte of it has changed.

The first line is ``SCALEDROP-CHECKPOINT <version> <sha256>``, the digest being that of every byte
after it: a ``torch.save`` of plain containers and tensors, read with ``weights_only=True``, so that
loading runs no code of the file.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from scaledrop.atomic import write_atomically
from scaledrop.errors import UserError
from scaledrop.nn import ScaleDropNet
from scaledrop.sealed import Seal, read_sealed
from scaledrop.training.config import TrainConfig

__all__ = ["FORMAT_VERSION", "Checkpoint", "load_checkpoint", "save_checkpoint"]

FORMAT_VERSION = 1
SEAL = Seal("SCALEDROP-CHECKPOINT", FORMAT_VERSION, "a checkpoint", "train again")


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What a file held: the run's configuration, its network in evaluation mode, the digest."""

    config: TrainConfig
    net: ScaleDropNet
    sha256: str


def _encode(net: ScaleDropNet, config: TrainConfig) -> tuple[bytes, str]:
    buffer = io.BytesIO()
    torch.save({"config": config.to_json(), "state": dict(net.state_dict())}, buffer)
    return SEAL.close(buffer.getvalue())


def save_checkpoint(net: ScaleDropNet, config: TrainConfig, path: Path) -> str:
    """Write ``path`` whole or not at all; returns the sha256 of the body.

    Raises:
        UserError: ``config.network`` is not the network's, or the file cannot be written.
    """
    if net.config != config.network:
        raise UserError("config: network differs from that of net; give the one it was made with")
    data, digest = _encode(net, config)
    write_atomically(path, data)
    return digest


def _decode(data: bytes) -> Checkpoint:
    body, digest = SEAL.open(data)
    try:
        payload: dict[str, Any] = torch.load(io.BytesIO(body), weights_only=True)
        config = TrainConfig.from_json(payload["config"])
        net = ScaleDropNet(config.network, config.seed)
        net.load_state_dict(payload["state"])
    except UserError:
        raise
    except Exception as error:  # a crafted body can make the unpickler raise anything
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise UserError(f"state: cannot be read ({reason}); train again") from None
    return Checkpoint(config, net.eval(), digest)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        UserError: the file is missing, changed, cut short, or does not describe a network; the
            message names it.
    """
    return read_sealed(path, _decode, "train first")
