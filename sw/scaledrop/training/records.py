# SPDX-License-Identifier: Apache-2.0
"""What a run tells while it goes on, and what it needs to go on another day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Generic, TypeVar

from torch import Tensor

from scaledrop.errors import UserError
from scaledrop.nn import ScaleDropNet, Trainable
from scaledrop.training.config import TrainConfig

__all__ = ["EpochRecord", "ResumePoint", "TrainResult", "Trained", "first_difference"]

Net = TypeVar("Net", bound=Trainable)


@dataclass(frozen=True)
class EpochRecord:
    """One epoch as training saw it.

    Attributes:
        epoch: 1 to ``epochs``.
        epochs: how many there will be.
        loss: objective, mean over the batches.
        task_loss: its cross-entropy part, nats.
        accuracy: share of the training images (or pixels) that one stochastic pass got right.
        validation_accuracy: share of the validation images (or pixels) that the mean of four
            passes got right, in evaluation mode; None where the set has no such part, or the
            statistics of the first epochs do not fit the formats of the hardware yet.
        learning_rate: at the first step of the epoch.
        seconds: wall time; not compared.
    """

    epoch: int
    epochs: int
    loss: float
    task_loss: float
    accuracy: float
    validation_accuracy: float | None = None
    learning_rate: float = 0.0
    seconds: float = field(default=0.0, compare=False)


@dataclass(frozen=True, eq=False)
class Trained(Generic[Net]):
    """A finished run of any network.

    Attributes:
        net: in evaluation mode, float32, on the CPU.
        history: one record per epoch.
        device: where it was trained, "cpu" or "cuda".
        data_sha256: of the training images and labels.
    """

    net: Net
    history: tuple[EpochRecord, ...]
    device: str
    data_sha256: str


class TrainResult(Trained[ScaleDropNet]):
    """A finished run of a Scale-Dropout network."""


@dataclass(frozen=True, eq=False)
class ResumePoint:
    """Everything that the rest of a run depends on, as it was at the end of an epoch.

    Attributes:
        config: the run.
        history: the epochs that are done, in order.
        state: of the network, by name.
        optimiser: of Adam, by the index of the parameter.
        generators: states (uint8) of the generators of "masks", "order" and "augment".
        data_sha256: of the training images and labels.
        device: where it was trained, "cpu" or "cuda"; another rounds differently.
    """

    config: TrainConfig
    history: tuple[EpochRecord, ...]
    state: Mapping[str, Tensor]
    optimiser: Mapping[int, Mapping[str, Tensor]]
    generators: Mapping[str, Tensor]
    data_sha256: str
    device: str

    def check(self, config: TrainConfig, data_sha256: str, device: str) -> None:
        """Refuse to go on with another run than the one that was interrupted.

        Raises:
            UserError: names the first field that differs and both its values.
        """
        different = first_difference(config, self.config)
        if different is not None:
            name, new, old = different
            raise UserError(
                f"{name}: is {new!r} but was {old!r} in the interrupted run; give {old!r} to go "
                "on with it, or start again"
            )
        if data_sha256 != self.data_sha256:
            raise UserError(
                f"data: the training images of {config.data!r} are not those of the interrupted "
                "run; give the same, or start again"
            )
        if device != self.device:
            raise UserError(
                f"device: is {device!r} but was {self.device!r} in the interrupted run; give "
                f"{self.device!r} to go on with it, or start again"
            )


def first_difference(one: TrainConfig, two: TrainConfig) -> tuple[str, Any, Any] | None:
    """Name of the first field in which two runs differ, and its value in each."""
    for a, b, prefix in ((one, two, ""), (one.network, two.network, "network.")):
        for item in fields(a):
            left, right = getattr(a, item.name), getattr(b, item.name)
            if item.name != "network" and left != right:
                return prefix + item.name, left, right
    return None
