# SPDX-License-Identifier: Apache-2.0
"""A trained network, or a run that is not finished, on disk; refused when a byte has changed.

The first line is ``SCALEDROP-CHECKPOINT <version> <sha256>``, the digest being that of every byte
after it: a ``torch.save`` of plain containers and tensors, read with ``weights_only=True``, so that
loading runs no code of the file. It holds

``config``   JSON of the run
``state``    tensors of the network
``history``  one object per epoch; ``seconds`` only in an unfinished run, so that equal runs give
             equal bytes
``resume``   in an unfinished run alone: ``optimiser``, ``generators``, ``data_sha256`` and
             ``device`` ("cpu" where it is left out)
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch

from scaledrop.atomic import write_atomically
from scaledrop.errors import UserError
from scaledrop.nn import ScaleDropNet
from scaledrop.sealed import Seal, read_sealed
from scaledrop.training.config import TrainConfig
from scaledrop.training.records import EpochRecord, ResumePoint

__all__ = [
    "FORMAT_VERSION",
    "Checkpoint",
    "load_checkpoint",
    "load_resume",
    "save_checkpoint",
    "save_resume",
]

FORMAT_VERSION = 2
SEAL = Seal("SCALEDROP-CHECKPOINT", FORMAT_VERSION, "a checkpoint", "train again")
GENERATORS = {"masks", "order", "augment"}

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What a file held.

    Attributes:
        config: the run.
        net: its network in evaluation mode, float32, on the CPU.
        sha256: digest of the file's body.
        history: one record per epoch, without seconds if the run is finished.
    """

    config: TrainConfig
    net: ScaleDropNet
    sha256: str
    history: tuple[EpochRecord, ...] = ()


def _closed(payload: dict[str, Any]) -> tuple[bytes, str]:
    buffer = io.BytesIO()
    torch.save(payload, buffer)
    return SEAL.close(buffer.getvalue())


def save_checkpoint(
    net: ScaleDropNet, config: TrainConfig, path: Path, history: Sequence[EpochRecord] = ()
) -> str:
    """Write ``path`` whole or not at all; returns the sha256 of the body.

    Raises:
        UserError: ``config.network`` is not the network's, or the file cannot be written.
    """
    if net.config != config.network:
        raise UserError("config: network differs from that of net; give the one it was made with")
    records = [dataclasses.asdict(record) for record in history]
    for record in records:
        del record["seconds"]
    state = {name: value.cpu() for name, value in net.state_dict().items()}
    data, digest = _closed({"config": config.to_json(), "state": state, "history": records})
    write_atomically(path, data)
    return digest


def save_resume(point: ResumePoint, path: Path) -> None:
    """Write the state of an unfinished run, whole or not at all.

    Raises:
        UserError: the file cannot be written.
    """
    payload = {
        "config": point.config.to_json(),
        "state": dict(point.state),
        "history": [dataclasses.asdict(record) for record in point.history],
        "resume": {
            "optimiser": {index: dict(values) for index, values in point.optimiser.items()},
            "generators": dict(point.generators),
            "data_sha256": point.data_sha256,
            "device": point.device,
        },
    }
    write_atomically(path, _closed(payload)[0])


def _decoded(data: bytes, build: Callable[[dict[str, Any], str], T]) -> T:
    body, digest = SEAL.open(data)
    try:
        return build(torch.load(io.BytesIO(body), weights_only=True, map_location="cpu"), digest)
    except UserError:
        raise
    except Exception as error:  # a crafted body can make the unpickler raise anything
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise UserError(f"state: cannot be read ({reason}); train again") from None


def _checkpoint(payload: dict[str, Any], digest: str) -> Checkpoint:
    config = TrainConfig.from_json(payload["config"])
    net = ScaleDropNet(config.network, config.seed)
    net.load_state_dict(payload["state"])
    return Checkpoint(config, net.eval(), digest, _history(payload))


def _history(payload: dict[str, Any]) -> tuple[EpochRecord, ...]:
    return tuple(EpochRecord(**record) for record in payload["history"])


def _resume(payload: dict[str, Any], digest: str) -> ResumePoint:
    if "resume" not in payload:
        raise UserError("resume: the file is of a finished run; there is nothing to resume")
    found = _checkpoint(payload, digest)
    resume = payload["resume"]
    generators = {name: resume["generators"][name] for name in sorted(GENERATORS)}
    for state in generators.values():
        torch.Generator().set_state(state)
    return ResumePoint(
        found.config,
        found.history,
        payload["state"],
        resume["optimiser"],
        generators,
        resume["data_sha256"],
        resume.get("device", "cpu"),
    )


def load_checkpoint(path: Path) -> Checkpoint:
    """Read the network of a finished run, or of one that is not, as it was at its last epoch.

    Raises:
        UserError: the file is missing, changed, cut short, or does not describe a network; the
            message names it.
    """
    return read_sealed(path, lambda data: _decoded(data, _checkpoint), "train first")


def load_resume(path: Path) -> ResumePoint:
    """Read the state of an unfinished run.

    Raises:
        UserError: as :func:`load_checkpoint`, or the run is finished.
    """
    return read_sealed(path, lambda data: _decoded(data, _resume), "train first")
